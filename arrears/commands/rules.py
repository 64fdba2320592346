"""Commands about contact rules: which there are, where they are written, and which of them hold."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from arrears.context import ledger, print_json, readable, run, say, say_folded, say_rows
from domain.errors import BadInput
from domain.gate.engine_1 import CORE
from domain.rulebook import Governed, Rule, Rulebook, packs_for, read_rulebook
from domain.rulebook.rules import CreditorRole, LoanPurpose, RuleBase
from ledger.named import queries

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
GATE = queries("gate")
COLLECTED_BY = {"original": "the lender itself", "servicer": "a servicer", "agency": "an agency", "buyer": "a buyer"}


def list_(as_json: Json = False) -> None:
    """List the rulebooks and their rules, each in one sentence."""
    books = _shipped()
    if as_json:
        print_json(list(books.values()))
        return
    say("core  Rules that always hold\n")
    for name, says in CORE.items():
        say(f"  {name}")
        _say_wrapped(says, 6)
    for book in books.values():
        say()
        _say_book(book)


def show(
    name: Annotated[str, typer.Argument(metavar="ID|PACK", help="A rule's id, or a rulebook's name.")],
    as_json: Json = False,
) -> None:
    """Show one rule with its figures and where it is written, or one rulebook."""
    books = _shipped()
    if name in books:
        book = books[name]
        if as_json:
            print_json(book)
        else:
            _say_book(book)
        return
    if name in CORE:
        shown = {"id": name, "says": CORE[name], "citation": "this program", "status": "always holds"}
        print_json(shown) if as_json else say_rows(shown)
        return
    rule = _rule(name, books)
    print_json(rule) if as_json else say_rows(_in_words(rule))


def check(
    file: Annotated[Path | None, typer.Argument(help="A rulebook in TOML.")] = None,
    country: Annotated[str | None, typer.Option(help="Where the person is: ISO 3166, such as US.")] = None,
    law: Annotated[str | None, typer.Option(help="The law the loan is under; the country's without.")] = None,
    purpose: Annotated[str, typer.Option(help="What the loan is for: consumer or business.")] = "consumer",
    role: Annotated[str, typer.Option(help="Who collects: original, servicer, agency or buyer.")] = "original",
    lender: Annotated[str | None, typer.Option(help="Whose settings hold; none without.")] = None,
    as_json: Json = False,
) -> None:
    """Check a rulebook file; or say which rules hold for a country or a lender's loans, before a strategy adds any."""
    if file is not None:
        book = _read(file)
        on = sum(rule.default_on for rule in book.rules)
        print_json(book) if as_json else say(f"{book.name} can be read: {len(book.rules)} rules, {on} of them on.")
        return
    if country is None and lender is None:
        raise BadInput("nothing to check: give a file, --country or --lender.")
    _one_of(purpose, LoanPurpose, "--purpose")
    _one_of(role, CreditorRole, "--role")
    settings, chosen, loans = _settings(lender) if lender else ({}, frozenset[str](), [])
    if country is not None:
        asked = Governed(country=country.upper(), governing_law=law, purpose=purpose, creditor_role=role)
        cases = [(asked, None)]
    else:
        cases = [(Governed.model_validate({k: r[k] for k in Governed.model_fields}), r["loans"]) for r in loans]
    found = [(asked, count, packs_for(asked, _shipped(), settings, (), chosen)) for asked, count in cases]
    if as_json:
        print_json([_as_json(*each) for each in found])
        return
    for asked, count, books in found:
        _say_held(asked, count, books)
    if not found:
        say(f"Lender {lender} has no loans.")


def choose(
    rule: Annotated[str, typer.Argument(metavar="ID", help="The rule's id.")],
    lender: Annotated[str, typer.Option(help="Whose contacts it limits.")],
    drop: Annotated[bool, typer.Option("--drop", help="Take an earlier choice back.")] = False,
    as_json: Json = False,
) -> None:
    """Switch on a rule that is off unless chosen."""
    if _rule(rule, _shipped()).default_on:
        raise BadInput(f"rule {rule} holds without being chosen: wherever its rulebook governs, it cannot be switched.")

    async def main() -> list[str]:
        change = GATE.drop_rule if drop else GATE.choose_rule
        async with ledger() as books, books.pool.acquire() as conn:
            chosen: list[str] | None = await change(conn, lender_id=lender, rule=rule)
            if chosen is None:
                raise _unknown_lender(lender)
            return chosen

    chosen = run(main)
    if as_json:
        print_json({"lender_id": lender, "chosen_rules": chosen})
    else:
        say(f"Lender {lender} has chosen: {', '.join(chosen) or 'none'}.")


def _shipped() -> Mapping[str, Rulebook]:
    from activities.gate import shipped

    return shipped()


def _rule(name: str, books: Mapping[str, Rulebook]) -> Rule:
    found = next((r for book in books.values() for r in book.rules if r.id == name), None)
    if found is None:
        raise BadInput(f"rule {name!r} is unknown: `arrears rules list` shows them.")
    return found


def _read(file: Path) -> Rulebook:
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"rulebook file {file} cannot be read: {error}.") from None
    return read_rulebook(text, file.name)


def _one_of(value: str, kind: Any, option: str) -> None:
    if value not in get_args(kind):
        raise BadInput(f"{option} {value!r} is unknown: it is one of {', '.join(get_args(kind))}.")


def _settings(lender: str) -> tuple[dict[str, list[str]], frozenset[str], list[Any]]:
    async def main() -> tuple[Any, list[Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            row = await GATE.rules_of_lender(conn, lender_id=lender)
            if row is None:
                raise _unknown_lender(lender)
            return row, [loan async for loan in GATE.loans_by_law(conn, lender_id=lender)]

    row, loans = run(main)
    return row["packs"], frozenset(row["chosen_rules"]), loans


def _unknown_lender(lender: str) -> BadInput:
    return BadInput(f"lender {lender!r} is unknown: lenders come with the loans of `arrears intake`.")


def _say_book(book: Rulebook) -> None:
    say(f"{book.name}  {book.title}")
    _say_wrapped(book.about, 2)
    say(f"  Holds {_reach(book)}.\n")
    _say_rules(book.rules)


def _say_rules(rules: Iterable[Rule]) -> None:
    for rule in rules:
        say(f"  {rule.id:34}{rule.status:14}{'' if rule.default_on else 'off unless chosen'}".rstrip())
        _say_wrapped(rule.says, 6)


def _say_held(asked: Governed, loans: int | None, books: Iterable[Rulebook]) -> None:
    law = f" under the law of {asked.governing_law}" if asked.governing_law else ""
    who = COLLECTED_BY[asked.creditor_role]
    count = f"{loans} loans: " if loans is not None else ""
    say(f"{count}{asked.purpose} debt in {asked.country}{law}, collected by {who}")
    held = list(books)
    if not held:
        _say_wrapped("No rulebook governs, so every contact is forbidden unless the lender's settings name one.", 2)
    for book in held:
        say(f"\n  {book.name}  {book.title}")
        _say_rules(book.rules)
    say()


def _as_json(asked: Governed, loans: int | None, books: Iterable[Rulebook]) -> dict[str, Any]:
    held = {book.name: [rule.id for rule in book.rules] for book in books}
    return asked.model_dump(mode="json") | ({} if loans is None else {"loans": loans}) | {"rulebooks": held}


def _reach(book: Rulebook) -> str:
    scope = book.applies
    if scope is None:
        return "where a lender's settings or a strategy name it"
    where = ", ".join(scope.countries) or "everywhere"
    what = " and ".join(scope.purposes) or "any"
    who = ", ".join(scope.creditor_roles) or "anybody"
    return f"in {where}, for {what} debt, collected by {who}"


def _in_words(rule: Rule) -> dict[str, Any]:
    """A rule for people: what all rules have, then the figures of its kind that are set."""
    common = ("id", "says", "citation", "status")
    figures = rule.model_dump(mode="json", exclude_defaults=True, exclude=set(RuleBase.model_fields))
    return {
        **{name: getattr(rule, name) for name in common},
        "holds": "wherever its rulebook does" if rule.default_on else "only for lenders that chose it",
        "purposes": list(rule.purposes),
        "channels": list(rule.channels),
        **{name: "yes" if value is True else readable(value) for name, value in figures.items()},
    }


def _say_wrapped(text: str, indent: int) -> None:
    say_folded(" ".join(text.split()), indent)
