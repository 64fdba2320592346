"""Quiet after payment, no payment lost, every step undone: what the entries say of the contacts, the cases and the effects."""

from collections import defaultdict
from typing import Any, NamedTuple

from domain.loan import Entry, EntryKind, EntryStatus, Instalment, LoanKey
from domain.position import Position, Terms, position
from ledger.named import queries
from ledger.proof.findings import Findings
from ledger.proof.reading import PROOF, batches, grouped, stream
from ledger.terms import terms_of_loans

FEES = queries("late_fees")
LOANS_AT_ONCE = 200


class _Money(NamedTuple):
    """What is known of a loan: its schedule and what it was before, its entries, and their places in the order of commits."""

    instalments: list[Instalment]
    earlier: list[tuple[int, Instalment]]
    entries: list[Entry]
    order: list[int]

    def schedule(self, commit_order: int) -> list[Instalment]:
        """The instalments as they stood at a place in the order of commits."""
        stood = {i.number: i for i in self.instalments}
        # The newest change comes first, so that the oldest after that place has the last word.
        stood |= {i.number: i for order, i in self.earlier if order > commit_order}
        return list(stood.values())


async def quiet(conn: Any, findings: Findings) -> None:
    """No contact to collect that was committed after the entry that cured the debt, nor on a ledger that was not the newest."""
    by_loan = grouped(stream(conn, PROOF.collect_contacts), _key)
    async for batch in batches(by_loan, LOANS_AT_ONCE):
        money = await _money_of(conn, [key for key, _ in batch])
        terms = await terms_of_loans(conn, [k.lender_id for k, _ in batch], [k.loan_id for k, _ in batch])
        for key, contacts in batch:
            for contact in contacts:
                findings.checked += 1
                _judge(contact, money[key], terms[key], findings)
    by_loan = grouped(stream(conn, PROOF.recovered_contacts), _key)
    async for batch in batches(by_loan, LOANS_AT_ONCE):
        money = await _money_of(conn, [key for key, _ in batch])
        terms = await terms_of_loans(conn, [k.lender_id for k, _ in batch], [k.loan_id for k, _ in batch])
        for key, contacts in batch:
            for contact in contacts:
                findings.checked += 1
                findings.recovered += 1
                _judge_recovered(contact, money[key], terms[key], findings)


def _judge_recovered(contact: Any, money: _Money, terms: Terms, findings: Findings) -> None:
    """Its place in the order of commits is lost with the ledger: what was restored with the backup, and what its case had heard, came first."""
    before = [e for e in money.entries if e.version <= contact["ledger_version"] or e.entry_id in contact["heard"]]
    if _over(contact["purpose"], position(money.instalments, before, contact["business_date"], terms)):
        detail = f"this {contact['channel']} was made on {contact['business_date']} although its case had heard that nothing was owed"
        findings.broken("contact_after_cure", contact, contact["contact_id"], detail)


def _judge(contact: Any, money: _Money, terms: Terms, findings: Findings) -> None:
    seen, id_ = contact["ledger_version"] or 0, contact["contact_id"]
    committed = zip(money.entries, money.order, strict=True)
    newest = max((e.version for e, order in committed if order < contact["commit_order"]), default=0)
    if seen != newest:
        detail = f"its permit saw ledger version {seen}, but version {newest} was committed before it"
        findings.broken("saw_old_ledger", contact, id_, detail)
    counted = [e for e in money.entries if e.version <= max(seen, newest)]
    stands = position(money.schedule(contact["commit_order"]), counted, contact["business_date"], terms)
    if _over(contact["purpose"], stands):
        nothing = "was past due" if contact["purpose"] != "reminder" else "was due or to come"
        detail = f"this {contact['channel']} was made although nothing {nothing} on {contact['business_date']} at ledger version {newest}"
        findings.broken("contact_after_cure", contact, id_, detail)


def _over(purpose: str, stands: Position) -> bool:
    """Whether there was nothing left to contact anybody for; a reminder is of what is still to come."""
    return stands.cured and (purpose != "reminder" or stands.next_due_amount <= 0)


async def _money_of(conn: Any, keys: list[LoanKey]) -> dict[LoanKey, _Money]:
    found: dict[LoanKey, _Money] = defaultdict(lambda: _Money([], [], [], []))
    both = [k.lender_id for k in keys], [k.loan_id for k in keys]
    for row in await conn.fetch(PROOF.instalments_of_loans.sql, *both):
        values = {name: row[name] for name in Instalment._fields}
        found[_key(row)].instalments.append(Instalment(**values))
    for row in await conn.fetch(PROOF.earlier_instalments_of_loans.sql, *both):
        values = {name: row[name] for name in Instalment._fields}
        found[_key(row)].earlier.append((row["commit_order"], Instalment(**values)))
    for row in await conn.fetch(PROOF.entries_of_loans.sql, *both):
        values = {name: row[name] for name in Entry._fields}
        values |= {"kind": EntryKind(row["kind"]), "status": EntryStatus(row["status"])}
        found[_key(row)].entries.append(Entry(**values))
        found[_key(row)].order.append(row["commit_order"])
    return found


def _key(row: Any) -> LoanKey:
    return LoanKey(row["lender_id"], row["loan_id"])


async def entries(conn: Any, findings: Findings) -> None:
    """Each loan's versions run 1, 2, 3 without a gap; commits agree with them; every case was told; nothing stands twice.

    Twice: posted and in suspense too, or as two late fees for one instalment.
    """
    async for row in stream(conn, PROOF.broken_versions):
        detail = f"{row['entries']} entries up to version {row['newest']}, but the loan says {row['ledger_version']}"
        findings.broken("versions", row, row["loan_id"], detail)
    async for row in stream(conn, PROOF.out_of_order):
        findings.broken("order", row, row["entry_id"], "it was committed before an entry of a lower version")
    async for row in stream(conn, PROOF.untold):
        findings.broken("untold", row, row["entry_id"], "it was posted beside an open case that was never told")
    async for row in stream(conn, PROOF.posted_and_kept):
        detail = f"it is posted to loan {row['posted_to']} and waits in suspense too, so it was acknowledged twice"
        findings.broken("posted_and_kept", row, row["entry_id"], detail)
    async for row in stream(conn, FEES.charged_twice):
        detail = f"it charges instalment {row['instalment']} beside {row['other']}, the lender's own late fee"
        findings.broken("two_late_fees", row, row["entry_id"], detail)
    findings.checked = await PROOF.entry_count(conn)


async def undone(conn: Any, findings: Findings) -> None:
    """What touched the world was on record, and a cure has ended it."""
    async for row in stream(conn, PROOF.standing_after_cure):
        detail = f"the {row['kind']} of step {row['step_id']} stands although the case is in {row['stage']}"
        findings.broken("not_undone", row, row["effect_id"], detail)
    async for row in stream(conn, PROOF.effectless):
        findings.broken("not_on_record", row, row["id"], f"this {row['kind']} has no open effect on record")
    findings.checked = await PROOF.effect_count(conn)
