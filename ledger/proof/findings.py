"""What a check found. Memory stays bounded however much is broken: beyond a thousand rows a check only counts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 1000
Violation = dict[str, Any]
Told = Callable[[str, Violation], None]


@dataclass
class Findings:
    """What one check found so far.

    Attributes:
        name: The check's.
        told: Hears of each violation as it is found, with the check's name.
        checked: How many rows it looked at.
        total: How many violations there are; `kept` holds the first thousand.
        recovered: How many of them were written back after a restore and have lost their permit; they are judged by what is left.
    """

    name: str
    told: Told | None = None
    checked: int = 0
    total: int = 0
    recovered: int = 0
    kept: list[Violation] = field(default_factory=list)

    def broken(self, kind: str, row: Mapping[str, Any], id_: Any, detail: str) -> None:
        """Note one row that breaks the promise, and in a sentence how."""
        violation = {
            "kind": kind,
            "loan_id": row["loan_id"],
            "lender_id": row["lender_id"],
            "id": str(id_),
            "detail": detail,
        }
        self.total += 1
        if len(self.kept) < MOST_KEPT:
            self.kept.append(violation)
        if self.told is not None:
            self.told(self.name, violation)

    def result(self) -> dict[str, Any]:
        """The check as `arrears verify --json` prints it; `violations_total` says how many there are where the list is cut."""
        return {
            "name": self.name,
            "ok": self.total == 0,
            "checked": self.checked,
            "violations": self.kept,
            "violations_total": self.total,
            **({"recovered": self.recovered} if self.recovered else {}),
        }
