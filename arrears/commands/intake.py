"""Commands that take in a lender's files, and one that makes some up."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from arrears.context import ledger, print_json, run, say
from ledger.tape import TapeFiles, TapeReport, take_in
from ledger.tape.reading import Progress as Tell

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Rejects = Annotated[Path | None, typer.Option(help="Where refused rows go, with line, field and reason.")]


def intake(
    loans: Annotated[Path, typer.Option(help="Loans and their borrowers.")],
    instalments: Annotated[Path | None, typer.Option(help="What falls due when.")] = None,
    entries: Annotated[Path | None, typer.Option(help="Payments, fees and all else that moved.")] = None,
    parties: Annotated[Path | None, typer.Option(help="Guarantors and other people around the loans.")] = None,
    contacts: Annotated[Path | None, typer.Option(help="More ways to reach people.")] = None,
    consents: Annotated[Path | None, typer.Option(help="What people agreed to.")] = None,
    notices: Annotated[Path | None, typer.Option(help="Notices that the lender served.")] = None,
    limitation: Annotated[Path | None, typer.Option(help="What moves the day on which a debt is time-barred.")] = None,
    recalls: Annotated[Path | None, typer.Option(help="Loans that the lender takes back, or gives back.")] = None,
    balances: Annotated[
        Path | None, typer.Option(help="What the core system says is owed, to hold against ours.")
    ] = None,
    strategy: Annotated[str | None, typer.Option(help="The strategy of these loans' next cases.")] = None,
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Take in a tape, CSV or JSONL. Bad rows are refused by line, the rest is taken; the same files again change nothing."""
    files = TapeFiles(
        loans=loans,
        instalments=instalments,
        entries=entries,
        parties=parties,
        contacts=contacts,
        consents=consents,
        notices=notices,
        limitation=limitation,
        recalls=recalls,
        balances=balances,
    )
    _take(files, strategy, rejects, as_json)


def entries(
    file: Annotated[Path, typer.Option(help="Entries, CSV or JSONL.")],
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Take in entries alone; those that name no known loan wait until it comes."""
    _take(TapeFiles(entries=file), None, rejects, as_json)


def recalls(
    file: Annotated[Path, typer.Option(help="Loans that were recalled, sold or returned, CSV or JSONL.")],
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Take in recalled and sold loans alone: nobody is contacted about them from now on, and their cases close."""
    _take(TapeFiles(recalls=file), None, rejects, as_json)


def balances(
    file: Annotated[Path, typer.Option(help="Balances, CSV or JSONL.")],
    rejects: Rejects = None,
    as_json: Json = False,
) -> None:
    """Hold the core system's balances against ours; where they differ, contact stops and a task asks who is right."""
    _take(TapeFiles(balances=file), None, rejects, as_json)


def sample(
    loans: Annotated[int, typer.Option(min=1, help="How many loans.")],
    out: Annotated[Path, typer.Option(help="The folder for the files.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    as_json: Json = False,
) -> None:
    """Make up a portfolio: loans, instalments, entries, parties and contacts of people who do not exist."""
    from arrears.portfolio import write_portfolio

    paths = [str(path) for path in write_portfolio(loans, seed, out)]
    if as_json:
        print_json({"files": paths})
        return
    for path in paths:
        say(path)


def _take(files: TapeFiles, strategy: str | None, rejects: Path | None, as_json: bool) -> None:
    async def main(tell: Tell) -> TapeReport:
        async with ledger() as books:
            return await take_in(
                books.pool, files, clock=books.clock, strategy=strategy, rejects=rejects, progress=tell
            )

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, done: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=size)
            bar.update(tasks[name], completed=done)

        report = run(lambda: main(tell))
    print_json(report.as_json()) if as_json else _show(report)
    _warn(report, rejects)


def _show(report: TapeReport) -> None:
    for name, counts in report.as_json().items():
        if counts["read"]:
            words = {"suspense": "of them in suspense"}
            said = ", ".join(f"{n} {words.get(what, what)}" for what, n in counts.items() if n and what != "read")
            say(f"{name}: {counts['read']} read, {said}.")
    if report.without_limitation:
        say(
            f"Loans without limitation_on: {report.without_limitation}; nothing will be filed for them until it is given."
        )
    if report.matched:
        say(f"{report.matched} entries that had waited for their loan are posted now.")
    if "balances" in report.counts and report.counts["balances"].differing:
        say("Where a balance differs from the ledger contact is held, and `arrears tasks` asks who is right.")


def _warn(report: TapeReport, rejects: Path | None) -> None:
    """Say on stderr what was not taken."""
    lines = [f"{column} is no column of this file: ignored." for column in report.ignored]
    if rejects is None:
        lines += report.sentences
        if (more := report.rejected - len(report.sentences)) > 0:
            lines.append(f"and {more} more refused rows: see them all with --rejects FILE.")
    elif report.rejected:
        lines.append(f"{report.rejected} rows refused: see {rejects}.")
    sys.stderr.write("".join(f"{line}\n" for line in lines))
