"""Merges checked rows into the ledger: new ones are added, changed ones versioned, and open cases noted that must hear of it.

The statements are put together from the names below alone; what a file says only ever travels as data.
"""
# ruff: noqa: S608

from dataclasses import dataclass
from typing import Any, NamedTuple

from ledger.tape.kind import FileKind


class Merged(NamedTuple):
    """How many rows were added and how many changed."""

    new: int
    changed: int


@dataclass(frozen=True)
class Merge:
    """One table's share of a file: `rows` is a query whose columns are the key and the values; `id` names whom a change concerns."""

    table: str
    key: tuple[str, ...]
    values: tuple[str, ...]
    rows: str
    by_party: bool = False
    tells: bool = True  # an open case hears of its changes

    @property
    def counted(self) -> bool:
        """Whether new rows matter to the count of changed ones: those of files that feed several tables."""
        return self.table in {"loans", "loan_parties", "contact_points"}

    @property
    def all(self) -> str:
        """Its rows, as a query in brackets. Their order is the file's, in which a primary key grows fastest."""
        return f"({self.rows})"

    @property
    def fresh(self) -> str:
        """The rows that the table does not have."""
        columns = ", ".join((*self.key, *self.values))
        same = " and ".join(f"t.{name} = f.{name}" for name in self.key)
        return f"(select {columns} from ({self.rows}) f where not exists (select from {self.table} t where {same}))"

    @property
    def id(self) -> str:
        """The loan, or the person."""
        return "party_id" if self.by_party else "loan_id"


LOANS = (
    Merge(
        "parties",
        ("lender_id", "party_id"),
        ("name", "kind", "language"),
        """
        select distinct on (lender_id, borrower_id) lender_id, borrower_id as party_id, borrower_name as name, borrower_kind as kind, language
        from staged_loans order by lender_id, borrower_id, line
        """,
        by_party=True,
    ),
    # A number that a contacts file described is that file's from then on; else the two would undo each other at every load.
    Merge(
        "contact_points",
        ("lender_id", "party_id", "kind", "value"),
        ("timezone", "country", "source"),
        """
        select distinct on (s.lender_id, s.borrower_id, s.phone)
               s.lender_id, s.borrower_id as party_id, 'mobile' as kind, s.phone as value, s.timezone, s.country, 'loan' as source
        from staged_loans s
        where s.phone is not null and not exists (
            select from contact_points p
            where (p.lender_id, p.party_id, p.kind, p.value) = (s.lender_id, s.borrower_id, 'mobile', s.phone) and p.source <> 'loan'
        )
        order by s.lender_id, s.borrower_id, s.phone, s.line
        """,
        by_party=True,
    ),
    Merge(
        "loans",
        ("lender_id", "loan_id"),
        (
            "borrower_id",
            "country",
            "currency",
            "opened_on",
            "product",
            "portfolio_id",
            "purpose",
            "creditor_role",
            "governing_law",
            "annual_rate",
            "penalty_rate",
            "secured",
            "collateral_ref",
            "limitation_on",
            "charged_off_on",
            "phone",
            "status",
        ),
        # A file that says nothing of the status leaves it, and what the recalls file said stands.
        """
        select lender_id, loan_id, s.borrower_id, s.country, s.currency, s.opened_on::date, s.product, s.portfolio_id, s.purpose,
               s.creditor_role, s.governing_law, s.annual_rate::numeric, s.penalty_rate::numeric, s.secured::boolean,
               s.collateral_ref, s.limitation_on::date, s.charged_off_on::date, s.phone,
               coalesce(case when r.reason is null then s.status end, l.status, 'active') as status
        from staged_loans s left join loans l using (lender_id, loan_id) left join recalls r using (lender_id, loan_id)
        """,
    ),
)
PARTIES = (
    Merge(
        "parties",
        ("lender_id", "party_id"),
        ("name", "language"),
        "select distinct on (lender_id, party_id) lender_id, party_id, name, language from staged_parties order by lender_id, party_id, line",
        by_party=True,
    ),
    Merge(
        "loan_parties",
        ("lender_id", "loan_id", "party_id", "role"),
        ("liable", "may_discuss", "since", "until"),
        """
        select lender_id, loan_id, party_id, role, liable::boolean, may_discuss::boolean, since::date, until::date
        from staged_parties
        """,
    ),
)
CONTACTS = (
    Merge(
        "contact_points",
        ("lender_id", "party_id", "kind", "value"),
        ("country", "region", "postcode", "timezone", "source", "verified_on", "status"),
        # What we learned of a number (dead, wrong, opted out) a tape does not unlearn.
        """
        select s.lender_id, s.party_id, s.kind, s.value, s.country, s.region, s.postcode, s.timezone, s.source,
               s.verified_on::date,
               case when s.status = 'active' then coalesce(nullif(p.status, 'replaced'), 'active') else s.status end as status
        from staged_contacts s left join contact_points p using (lender_id, party_id, kind, value)
        """,
        by_party=True,
    ),
)
CONSENTS = (
    Merge(
        "consents",
        ("lender_id", "party_id", "contact_value", "scope", "given_on"),
        ("expires_on", "revoked_on", "evidence"),
        """
        select lender_id, party_id, contact_value, scope, given_on::date, expires_on::date, revoked_on::date, evidence
        from staged_consents
        """,
        by_party=True,
    ),
)
INSTALMENTS = (
    Merge(
        "instalments",
        ("lender_id", "loan_id", "number"),
        ("due_on", "principal", "interest", "fee"),
        """
        select lender_id, loan_id, number::int, due_on::date, principal::numeric, interest::numeric, fee::numeric
        from staged_instalments
        """,
    ),
)
NOTICES = (
    Merge(
        "notices",
        ("lender_id", "notice_id"),
        ("loan_id", "party_id", "kind", "served_on", "method", "proof"),
        "select lender_id, notice_id, loan_id, party_id, kind, served_on::date, method, proof from staged_notices",
    ),
)
LIMITATION = (
    Merge(
        "limitation_events",
        ("lender_id", "loan_id", "event_id"),
        ("kind", "happened_on", "until_on", "years", "evidence"),
        """
        select lender_id, loan_id, event_id, kind, happened_on::date, until_on::date, years::int, evidence from staged_limitation
        """,
    ),
)
RECALLS = (
    Merge(
        "loans",
        ("lender_id", "loan_id"),
        ("status",),
        "select lender_id, loan_id, case reason when 'returned' then 'active' else reason end as status from staged_recalls",
    ),
    Merge(
        "recalls",
        ("lender_id", "loan_id"),
        ("reason", "as_of"),
        "select lender_id, loan_id, reason, as_of::date from staged_recalls",
    ),
)
BALANCES = (
    Merge(
        "balances",
        ("lender_id", "loan_id", "as_of"),
        ("outstanding", "arrears", "oldest_due_on"),
        """
        select lender_id, loan_id, as_of::date, outstanding::numeric, arrears::numeric, oldest_due_on::date from staged_balances
        """,
        tells=False,
    ),
)
MERGES = {
    "loans": LOANS,
    "parties": PARTIES,
    "contacts": CONTACTS,
    "consents": CONSENTS,
    "instalments": INSTALMENTS,
    "notices": NOTICES,
    "limitation": LIMITATION,
    "recalls": RECALLS,
    "balances": BALANCES,
}


async def lock_concerned(conn: Any, kind: FileKind) -> None:
    """Lock the loans that a file speaks of: their borrowers first, then they, each sorted by id (ledger/locks.py)."""
    if "loan_id" in kind.needed:
        # Nobody else sees the loans that this tape brought.
        concerned = f"""
            select lender_id, loan_id from {kind.staged}
            except select lender_id, id from changed where kind = 'new loans'"""
    else:
        concerned = f"""
            select l.lender_id, l.loan_id from {kind.staged} s
            join loans l on l.lender_id = s.lender_id and l.borrower_id = s.party_id
            union
            select p.lender_id, p.loan_id from {kind.staged} s join loan_parties p using (lender_id, party_id)"""
    await conn.execute(f"""
        select from parties p where (p.lender_id, p.party_id) in (
            select l.lender_id, l.borrower_id from loans l where (l.lender_id, l.loan_id) in ({concerned})
        ) order by p.lender_id, p.party_id for no key update""")
    await conn.execute(f"""
        select from loans l where (l.lender_id, l.loan_id) in ({concerned})
        order by l.lender_id, l.loan_id for no key update""")


async def merge(conn: Any, merging: Merge, kind: FileKind, first: bool) -> Merged:
    """Bring one table to what the staged rows say; of the `first` loans none has changed."""
    if merging.tells and await conn.fetchval("select exists (select from cases where open)"):
        await conn.execute(f"with {_touched(merging, kind, merging.fresh)} select")
    if not await conn.fetchval(f"select exists (select from {merging.table})"):
        counted = merging.counted and not (first and kind.name == "loans")
        new = await conn.execute(_insert(merging, merging.all, counted))
        return Merged(int(new.rsplit(" ", 1)[-1]), 0)
    changed = await conn.execute(_update(merging, kind))
    new = await conn.execute(_insert(merging, merging.fresh, merging.counted))
    return Merged(int(new.rsplit(" ", 1)[-1]), int(changed.rsplit(" ", 1)[-1]))


def _update(merging: Merge, kind: FileKind) -> str:
    table = merging.table
    same = " and ".join(f"f.{name} = t.{name}" for name in merging.key)
    old, fresh = (", ".join(f"{alias}.{name}" for name in merging.values) for alias in "tf")
    key = ", ".join(f"t.{name}" for name in merging.key)
    return f"""
        with fresh as materialized ({merging.rows}),
        old as materialized (
            select t.* from {table} t join fresh f on {same} where ({old}) is distinct from ({fresh})
        ),
        history as (
            insert into tape_history (lender_id, kind, key, version, row)
            select t.lender_id, '{table}', concat_ws('/', {key}), t.version, to_jsonb(t) from old t
        ),
        noted as ({_noted(merging, table, "old")}),
        {_touched(merging, kind, "old")}
        update {table} t set {", ".join(f"{name} = f.{name}" for name in merging.values)}, version = t.version + 1
        from fresh f where {same} and ({old}) is distinct from ({fresh})"""


def _insert(merging: Merge, rows: str, counted: bool) -> str:
    columns = ", ".join((*merging.key, *merging.values))
    if not counted:
        return f"insert into {merging.table} ({columns}) select {columns} from {rows} f"
    return f"""
        with fresh as materialized (select * from {rows} f),
        noted as ({_noted(merging, f"new {merging.table}", "fresh")})
        insert into {merging.table} ({columns}) select {columns} from fresh"""


def _noted(merging: Merge, what: str, rows: str) -> str:
    """Notes rows for the count of changed ones, which may follow from several tables."""
    person = "party_id" if "party_id" in merging.key else "null"
    return f"insert into changed (kind, lender_id, id, party_id) select '{what}', lender_id, {merging.id}, {person} from {rows}"


def _touched(merging: Merge, kind: FileKind, rows: str) -> str:
    """Notes the loans with an open case that rows concern: their own, or those that a person borrowed or stands beside."""
    if not merging.tells:
        return "told as (select)"
    if merging.by_party:
        loans = f"""
            select l.lender_id, l.loan_id from {rows} r join loans l on l.lender_id = r.lender_id and l.borrower_id = r.party_id
            union
            select p.lender_id, p.loan_id from {rows} r join loan_parties p using (lender_id, party_id)"""
    else:
        loans = f"select lender_id, loan_id from {rows}"
    return f"""told as (
            insert into touched (lender_id, loan_id, file)
            select distinct x.lender_id, x.loan_id, '{kind.name}' from ({loans}) x join cases c using (lender_id, loan_id) where c.open
        )"""
