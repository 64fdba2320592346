"""What a row must satisfy, as tables of rules that the database applies to all rows at once."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LONGEST_TEXT = 200
LONGEST_SHOWN = 120
EARLIEST, LATEST = (
    "1900-01-01",
    "2199-12-31",
)  # a day outside is a slip or a stand-in for none, and reckoning with it overflows
SPACES = " \u00a0\u3000"
PLACE = re.compile(r"\{(\w+)\}")


class Rule(NamedTuple):
    """A row whose `broken` (an SQL condition) is true is refused for its `field`; `{column}` in the reason shows that value."""

    field: str
    broken: str
    reason: str

    @property
    def reason_sql(self) -> str:
        """The reason as an SQL expression."""
        shown = "".join(f", left({name}::text, {LONGEST_SHOWN})" for name in PLACE.findall(self.reason))
        text = PLACE.sub("%s", self.reason.replace("%", "%%")).replace("'", "''")
        return f"format('{text}'{shown})"


class Check(NamedTuple):
    """Rules that are tried in order on every row of `source`, a query that gives the staged rows, perhaps with more columns."""

    source: str
    rules: tuple[Rule, ...]


def rules(*groups: Rule | list[Rule]) -> tuple[Rule, ...]:
    """Rules and groups of rules as one table."""
    return tuple(rule for group in groups for rule in (group if isinstance(group, list) else [group]))


def texts(*fields: str) -> list[Rule]:
    """Free text of some length, in one line."""
    return [
        rule
        for field in fields
        for rule in (
            Rule(field, f"{field} ~ '[[:cntrl:]]'", f"{field} holds a control character: remove it."),
            Rule(
                field,
                f"length({field}) > {LONGEST_TEXT}",
                f"{field} is longer than {LONGEST_TEXT} characters: shorten it.",
            ),
        )
    ]


def needed(*fields: str) -> list[Rule]:
    """Fields that no row may leave empty; spaces, the wide ones of Chinese too, are nothing."""
    return [
        Rule(field, f"coalesce(btrim({field}, '{SPACES}'), '') = ''", f"{field} is missing: every row gives it.")
        for field in fields
    ]


def ids(*fields: str) -> list[Rule]:
    """Names that other rows refer to."""
    spaces = [
        Rule(field, f"{field} <> btrim({field})", f"{field} begins or ends with a space: remove it.")
        for field in fields
    ]
    return [*texts(*fields), *spaces]


def one_of(field: str, values: Iterable[str]) -> Rule:
    """One of a few words."""
    values = list(values)
    listed = ", ".join(f"'{value}'" for value in values)
    return Rule(
        field, f"{field} not in ({listed})", f"{field} '{{{field}}}' is not known: use one of {', '.join(values)}."
    )


def code(field: str, kind: str, remedy: str, expression: str | None = None) -> Rule:
    """A code of a closed list (codes.py)."""
    value = expression or field
    return Rule(
        field,
        f"{value} not in (select code from known_codes where kind = '{kind}')",  # noqa: S608
        f"{field} '{{{field}}}' is not known: {remedy}.",
    )


def language() -> list[Rule]:
    """A BCP 47 tag of a language that amounts and dates can be written in."""
    return [
        Rule(
            "language",
            "language !~ '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$'",
            "language '{language}' is no BCP 47 tag: use one such as it or zh-Hans.",
        ),
        code("language", "language", "use a tag such as it or zh-Hans", "lower(split_part(language, '-', 1))"),
    ]


def country(field: str = "country") -> Rule:
    """Two letters of ISO 3166."""
    return code(field, "country", "use a code of ISO 3166 such as IT or CN")


def timezone() -> Rule:
    """An IANA zone."""
    return code("timezone", "timezone", "use an IANA name such as Europe/Rome, or leave it empty")


def days(*fields: str) -> list[Rule]:
    """Real dates of our time."""
    return [
        rule
        for field in fields
        for rule in (
            Rule(
                field,
                rf"{field} !~ '^\d{{4}}-\d{{2}}-\d{{2}}$' or not pg_input_is_valid({field}, 'date')",
                f"{field} '{{{field}}}' is not a date: write it as 2026-01-31.",
            ),
            Rule(
                field,
                f"{field}::date not between '{EARLIEST}' and '{LATEST}'",
                f"{field} {{{field}}} is out of range: give a day from {EARLIEST} to {LATEST}.",
            ),
        )
    ]


def truths(*fields: str) -> list[Rule]:
    """Yes or no."""
    return [
        Rule(
            field,
            f"lower({field}) not in ('true', 'false', 'yes', 'no', '1', '0')",
            f"{field} '{{{field}}}' is neither true nor false: write one of the two.",
        )
        for field in fields
    ]


def numbers(*fields: str, signed: str = "false") -> list[Rule]:
    """Decimal numbers as written by people; `signed` is the SQL condition under which one may be negative."""
    return [
        rule
        for field in fields
        for rule in (
            Rule(
                field,
                rf"{field} !~ '^-?\d{{1,30}}(\.\d{{1,30}})?$'",
                f"{field} '{{{field}}}' is not a number: write it as 12.50.",
            ),
            Rule(
                field,
                f"abs({field}::numeric) > 999999999999.99",
                f"{field} {{{field}}} is out of range: write an amount up to 999999999999.99.",
            ),
            Rule(
                field,
                f"{field}::numeric < 0 and not ({signed})",
                f"{field} {{{field}}} is negative: give a positive amount.",
            ),
        )
    ]


def fits_currency(fields: Sequence[str], currency: str) -> list[Rule]:
    """Amounts have no more decimals than their currency; the source gives `decimals`."""
    return [
        Rule(
            field,
            f"scale(trim_scale({field}::numeric)) > decimals",
            f"{field} {{{field}}} has more decimals than {{{currency}}} allows: write at most {{decimals}}.",
        )
        for field in fields
    ]
