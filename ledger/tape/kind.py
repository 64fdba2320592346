"""What a kind of tape file is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.tape.rules import Check, Rule


@dataclass(frozen=True)
class FileKind:
    """One kind of file. `needed` columns stand in every header; `key` columns name a row; `checks` come one after another.

    `sound` gives each column a pattern that no value meets which the first check refuses: rows that meet them all need not be checked. None
    means that every row is.
    """

    name: str
    needed: tuple[str, ...]
    optional: tuple[str, ...]
    key: tuple[str, ...]
    checks: tuple[Check, ...]
    usual: tuple[tuple[str, str], ...] = ()
    sound: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def defaults(self) -> dict[str, str]:
        """What an empty or absent field means."""
        return {"lender_id": "default", **dict(self.usual)}

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that mean something."""
        return ("lender_id", *self.needed, *self.optional)

    @property
    def raw(self) -> str:
        """The table that its rows wait in, as they came."""
        return f"raw_{self.name}"

    @property
    def staged(self) -> str:
        """The same rows with what empty fields mean, all of it text."""
        return f"staged_{self.name}"

    @property
    def repeated(self) -> Check:
        """No row says other than an earlier row of the same key."""
        first = ", ".join(f"first.{name}" for name in self.columns)
        this = ", ".join(f"s.{name}" for name in self.columns)
        keys = ", ".join(self.key)
        source = f"""
            select s.*, first.line as first_line from {self.staged} s
            join (select {keys}, min(line) as line from {self.staged} group by {keys} having count(*) > 1) again using ({keys})
            join {self.staged} first on first.line = again.line
            where ({first}) is distinct from ({this})"""  # noqa: S608
        says = " ".join(f"{name} {{{name}}}" for name in self.key if name != "lender_id")
        return Check(
            source,
            (
                Rule(
                    self.key[-1],
                    "true",
                    f"{says} is in line {{first_line}} with other content: keep one of the two rows.",
                ),
            ),
        )
