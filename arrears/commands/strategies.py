"""Commands about strategies and rules."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from arrears.context import ledger, print_json, run, say
from domain.errors import BadInput
from domain.rulebook import Rulebook
from domain.strategy import Strategy, read_strategy
from ledger import strategies as published

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def publish(
    file: Annotated[Path, typer.Argument(help="A strategy in TOML.")],
    as_json: Json = False,
) -> None:
    """Check a strategy and publish it. The same name and version with other content is refused."""
    try:
        strategy = read_strategy(file.read_text("utf-8"), file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"strategy file {file} cannot be read: {error}.") from None
    _check_words(strategy, file.name)

    async def main() -> bool:
        async with ledger() as books, books.pool.acquire() as conn:
            return await published.publish(conn, strategy)

    fresh = run(main)
    shown = {"name": strategy.name, "version": strategy.version, "digest": strategy.digest, "new": fresh}
    print_json(shown) if as_json else say(
        f"{strategy.name} {strategy.version} {'published' if fresh else 'was published before'}."
    )


def _check_words(strategy: Strategy, source: str) -> None:
    from activities.gate import rulebook
    from activities.words import template
    from channels.letters import letter_template_exists

    for name in strategy.rulebooks:
        if rulebook(name) is None:
            raise BadInput(
                f"strategy {source}, key rulebooks: there is no rulebook {name!r}; `arrears rules list` shows them."
            )
    for channel, name in strategy.templates():
        if channel == "sms":
            template(name, "en")
        elif not letter_template_exists(name):
            raise BadInput(
                f"strategy {source}: letter template {name!r} is missing: put it at policies/letters/en/{name}.typ."
            )


def list_(as_json: Json = False) -> None:
    """List what is published."""

    async def main() -> list[dict[str, Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await published.listed(conn)

    found = run(main)
    if as_json:
        print_json(found)
    else:
        for each in found:
            say(f"{each['name']} {each['version']}  {each['digest'][:12]}  {each['published_at']:%Y-%m-%d}")


def show(
    name: Annotated[str, typer.Argument(help="The strategy's name.")],
    version: Annotated[int | None, typer.Option(help="The newest without.")] = None,
    as_json: Json = False,
) -> None:
    """Show a published strategy."""

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await published.content_of(conn, name, version)

    content = run(main)
    if as_json:
        print_json(content)
        return
    say(
        f"{content['name']} {content['version']}, calendar {content['calendar']}, rulebooks {', '.join(content['rulebooks'])}"
    )
    for stage in content["stages"]:
        needs = f", requires {' and '.join(stage['requires'])}" if stage["requires"] else ""
        say(f"  {stage['name']} from day {stage['from_dpd']}{needs}")
        for step in stage["steps"]:
            say(f"    {step['id']}: {step['do']}" + (f" {step['template']}" if step["template"] else ""))


def _books() -> list[Rulebook]:
    from activities.gate import rulebook

    folder = files("policies") / "rulebooks"
    names = sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    return [book for name in names if (book := rulebook(name)) is not None]


def rules_list(as_json: Json = False) -> None:
    """List the rulebooks and their rules."""
    books = _books()
    if as_json:
        print_json(books)
    else:
        for book in books:
            for rule in book.rules:
                say(f"{rule.id:20} {rule.status:12} {rule.citation}")


def rules_show(rule: Annotated[str, typer.Argument(help="A rule's id.")], as_json: Json = False) -> None:
    """Show one rule: its figures, purposes and source."""
    found = next((r for book in _books() for r in book.rules if r.id == rule), None)
    if found is None:
        raise BadInput(f"rule {rule!r} is unknown: `arrears rules list` shows them.")
    if as_json:
        print_json(found)
    else:
        for name, value in found.model_dump(mode="json").items():
            say(f"{name:10} {', '.join(value) if isinstance(value, list) else value}")
