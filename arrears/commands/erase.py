"""Erasing a person."""

from typing import Annotated

import typer

from arrears.context import ledger, print_json, run, say
from domain.erasure import HOUSE_YEARS

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class _NotMeant(Exception):
    """Takes a dry run back."""


def erase(
    borrower: Annotated[str, typer.Argument(help="borrower_id, or party_id of anybody else on a loan.")],
    lender: Annotated[str, typer.Option(help="Whose borrower.")] = "default",
    reason: Annotated[str, typer.Option(help="Why: it is kept.")] = "asked for",
    years: Annotated[int, typer.Option(min=0, help="How long the lender keeps records by its own rule.")] = HOUSE_YEARS,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say what would go.")] = False,
    as_json: Json = False,
) -> None:
    """Erase what is known of one person, where nothing is owed and no rule keeps it; exit 1 where one does."""
    from ledger.erasure import Erasure, erase_party

    async def main() -> Erasure:
        async with ledger() as books, books.pool.acquire() as conn:
            found: Erasure | None = None
            zone = await conn.fetchval("select timezone from lenders where lender_id = $1", lender)
            try:
                async with conn.transaction():
                    now = await books.clock.now()
                    found = await erase_party(
                        conn, lender, borrower, now, zone or "UTC", reason=reason, house_years=years
                    )
                    if not yes:
                        raise _NotMeant
            except _NotMeant:
                pass
            assert found is not None
            return found

    told = run(main)
    if as_json:
        print_json(
            {"erased": yes and not told.refused, "counts": told.counts, "refused": [r._asdict() for r in told.refused]}
        )
    elif told.refused:
        for each in told.refused:
            say(f"{each.rule}: {each.says}.")
    else:
        went = ", ".join(f"{name} {n}" for name, n in told.counts.items() if n)
        say(f"{'Erased' if yes else 'Would erase'}: {went or 'nothing'}.{'' if yes else ' Add --yes to do it.'}")
    if told.refused:
        raise typer.Exit(1)
