"""Posts a file of entries: the rules and consequences of ledger/posting.py, for all rows at once."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger import outbox
from ledger.known import entry_from
from ledger.money import money_of
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.next_version import message_for, settle_cured, told
from ledger.posting import post_within
from ledger.remedies import open_remedy
from ledger.tape.reading import TapeFile
from ledger.tape.rules import Check, Rule
from ledger.tape.staging import refuse

TAPE, POSTING = queries("tape"), queries("posting")
TOLD_AT_ONCE = 100  # entries in one message; a signal should stay small

AGAINST_LEDGER = Check(
    """
    select s.*, l.currency as loan_currency,
           e.entry_id is not null and (
               e.loan_id, e.kind, e.amount, e.currency, e.value_date, e.reverses, case when s.status = c.status then c.status else e.status end,
               e.component, e.instalment, e.direction, case e.reason when 'erased' then s.reason else e.reason end,
               case e.source when 'erased' then s.source else e.source end, case e.payer when 'erased' then s.payer else e.payer end
           ) is distinct from (
               s.loan_id, s.kind, s.amount::numeric, s.currency, s.value_date::date, s.reverses, s.status,
               s.component, s.instalment::int, s.direction, s.reason, s.source, s.payer
           ) or k.entry_id is not null and k.entry <> jsonb_strip_nulls(to_jsonb(s) - array['line', 'malformed', 'raw'])
                           || jsonb_build_object('amount', trim_scale(s.amount::numeric)::text)
                           || coalesce((select jsonb_object_agg(key, value) from jsonb_each(k.entry) where value = '"erased"'), '{}') as other_content
    from staged_entries s
    left join entries e using (lender_id, entry_id)
    left join entry_status_changes c using (lender_id, entry_id)
    left join suspense k using (lender_id, entry_id)
    left join loans l on l.lender_id = s.lender_id and l.loan_id = s.loan_id
    """,
    (
        Rule(
            "entry_id",
            "other_content",
            "entry {entry_id} is already known with other content: post a reversal or use a new id.",
        ),
        Rule(
            "currency",
            "currency <> loan_currency",
            "entry {entry_id} is in {currency}, but loan {loan_id} is in {loan_currency}: convert it first.",
        ),
    ),
)
# Only new entries of known loans are staged by now, and no reversal of what has not come, so what a reversal names stands here or in the ledger.
REVERSALS = Check(
    """
    select s.*, t.kind as target_kind, t.status as target_status, abs(t.amount) - coalesce(b.amount, 0) as still_left,
           sum(s.amount::numeric) over (partition by s.lender_id, s.reverses order by s.line) as wanted
    from staged_entries s
    left join (
        select e.lender_id, e.loan_id, e.entry_id, e.kind, e.amount, coalesce(c.status, e.status) as status
        from entries e left join entry_status_changes c using (lender_id, entry_id)
        where (e.lender_id, e.loan_id) in (select lender_id, loan_id from staged_entries where kind = 'reversal')
        union all
        select lender_id, loan_id, entry_id, kind, amount::numeric, status from staged_entries
    ) t on t.lender_id = s.lender_id and t.loan_id = s.loan_id and t.entry_id = s.reverses
    left join (
        select lender_id, loan_id, reverses, sum(amount) as amount from entries e
        where kind = 'reversal' and status <> 'returned' and not exists (
            select from entry_status_changes c where c.lender_id = e.lender_id and c.entry_id = e.entry_id and c.status = 'returned')
          and (lender_id, loan_id) in (select lender_id, loan_id from staged_entries where kind = 'reversal')
        group by lender_id, loan_id, reverses
    ) b on b.lender_id = s.lender_id and b.loan_id = s.loan_id and b.reverses = s.reverses
    where s.kind = 'reversal'
    """,
    (
        Rule("reverses", "target_kind is null", "reverses {reverses} is no entry of loan {loan_id}: correct the id."),
        Rule(
            "reverses",
            "target_kind = 'reversal'",
            "reverses {reverses} is a reversal itself: post the entry that it took back anew.",
        ),
        Rule(
            "reverses",
            "target_status = 'returned'",
            "reverses {reverses} was returned, and nothing of it is left: leave the reversal out.",
        ),
        Rule(
            "amount",
            "wanted > still_left",
            "amount {amount} is more than what is left of entry {reverses}: reverse at most that.",
        ),
    ),
)


@dataclass(frozen=True)
class PostedRows:
    """How many rows were posted, how many were known, how many wait in suspense, and how many say what became of pending money."""

    new: int
    known: int
    suspense: int
    changed: int


async def post_rows(conn: Any, file: TapeFile, clock: Clock) -> PostedRows:
    """Post the checked rows of a file; their loans are locked. It is the payment feed of the lenders of which it brings something new."""
    fed: set[str] = set()
    singly = await _post_singly(conn, clock, fed)
    await refuse(conn, file, AGAINST_LEDGER)
    known: int = await TAPE.count_known_entries(conn)
    await TAPE.note_waiting(conn)
    kept: int = await TAPE.count_kept_entries(conn)
    suspended = await TAPE.suspend_staged(conn)
    await refuse(conn, file, REVERSALS)
    fed |= {*suspended["lenders"], *[r["lender_id"] async for r in TAPE.lenders_to_post(conn)]}
    await TAPE.note_feeds(conn, lenders=sorted(fed), now=await clock.now())
    await TAPE.leave_suspense_staged(conn)
    await TAPE.note_versions(conn)
    status: str = await TAPE.post_staged(conn)
    await TAPE.move_versions(conn)
    new = int(status.rsplit(" ", 1)[-1]) + singly["new"]
    return PostedRows(new, known + kept + singly["known"], suspended["entries"] + singly["suspense"], singly["changed"])


async def _post_singly(conn: Any, clock: Clock, fed: set[str]) -> Counter[str]:
    """Post the rows that are more than new or known, each as if it came alone; they are few. How many ended in which way.

    The lenders of those that brought something new are added to `fed`.
    """
    done: Counter[str] = Counter()
    for row in [r async for r in POSTING.staged_to_post_singly(conn)]:
        try:
            entry = NewEntry.read(row["entry"])
            async with conn.transaction():
                posted = await post_within(conn, entry, clock)
            done[posted.status] += 1
            if posted.status != "known":
                fed.add(entry.lender_id)
        except BadInput as error:
            await POSTING.reject_staged(conn, line=row["line"], reason=str(error), row=json.dumps(row["entry"]))
        await POSTING.drop_staged(conn, line=row["line"])
    return done


async def tell_cases(conn: Any, clock: Clock) -> None:
    """Tell every open case that the tape concerns, and end the chase of those that it cured."""
    concerned: set[LoanKey] = set()
    now = await clock.now()
    async for row in TAPE.touched_loans(conn):
        key = LoanKey(row["lender_id"], row["loan_id"])
        await outbox.add(conn, key, "ledger_changed", {"about": "tape", "files": row["files"]})
        concerned.add(key)
    async for row in TAPE.posted_to_cases(conn):
        key = LoanKey(row["lender_id"], row["loan_id"])
        if row["open"]:
            await _tell_entries(conn, key, row["before"])
        concerned.add(key)
        await open_remedy(conn, key, await money_of(conn, key), before=row["before"], now=now)
    for key in sorted(concerned):
        zone: str = await TAPE.zone_of_lender(conn, lender_id=key.lender_id)
        await settle_cured(conn, key, (await money_of(conn, key)).stands(business_date(now, zone)), now)


async def _tell_entries(conn: Any, key: LoanKey, before: int) -> None:
    rows = TAPE.entries_since(conn, lender_id=key.lender_id, loan_id=key.loan_id, before=before)
    by_message: dict[str, list[dict[str, Any]]] = {}
    for entry, version in [entry_from(row) async for row in rows]:
        by_message.setdefault(message_for(entry), []).append(told(entry, version))
    for message, entries in by_message.items():
        for part in _parts(entries):
            await outbox.add(conn, key, message, {"entries": part})


def _parts(entries: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (entries[at : at + TOLD_AT_ONCE] for at in range(0, len(entries), TOLD_AT_ONCE))
