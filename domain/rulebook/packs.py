"""Which rulebooks govern a contact."""

from collections.abc import Iterable, Mapping, Sequence

from domain.loan import Frozen
from domain.rulebook.rules import Rulebook


class Governed(Frozen):
    """What decides which rulebooks hold: where the person is, whose law the loan is under, what it is for, who collects it."""

    country: str
    governing_law: str | None = None
    purpose: str = "consumer"
    creditor_role: str = "original"


def packs_for(
    governed: Governed,
    known: Mapping[str, Rulebook],
    settings: Mapping[str, Sequence[str]],
    added: Iterable[str] = (),
    chosen: frozenset[str] = frozenset(),
) -> tuple[Rulebook, ...]:
    """The rulebooks that hold together, with the rules in force; none where nobody says which law governs (design.md 4).

    Args:
        governed: The contact.
        known: Every rulebook by its name.
        settings: The lender's own, by country; `*` is for all others. They step in where no rulebook's own scope matches.
        added: What the strategy adds; it never takes away.
        chosen: The ids of rules that the lender switched on beyond the defaults.
    """
    places = {governed.country, (governed.governing_law or governed.country)[:2].upper()}
    own = [book.name for book in known.values() if _applies(book, governed, places)]
    named = own or list(settings.get(governed.country) or settings.get("*") or ())
    if not named:
        return ()
    every = dict.fromkeys([*named, *added])
    return tuple(known[name].in_force(chosen) for name in every if name in known)


def _applies(book: Rulebook, governed: Governed, places: set[str]) -> bool:
    scope = book.applies
    return (
        scope is not None
        and (not scope.countries or not places.isdisjoint(scope.countries))
        and (not scope.purposes or governed.purpose in scope.purposes)
        and (not scope.creditor_roles or governed.creditor_role in scope.creditor_roles)
    )
