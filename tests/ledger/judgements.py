"""Contacts, tasks and deferrals as the gate judged them, written into a ledger as the activities write them."""

from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any

from domain.gate import ContactRequest, GateFacts, PastContact, decide
from domain.rulebook import Rulebook, read_rulebook
from ledger.permits import keep_rulebooks, record
from tests.ledger.samples import KEY, NOON, Pool, add_case, add_loan

HOUSE = read_rulebook((files("policies") / "rulebooks" / "house.toml").read_text("utf-8"), "house.toml")
NUMBER = "+12015550142"
NAME = "Annunziata Esposito"
TEXTED = PastContact(at=NOON - timedelta(days=1), channel="sms", purpose="collect", same_loan=True, same_value=True)


def facts(**more: Any) -> GateFacts:
    """Noon in Rome, 100 EUR past due, one text yesterday."""
    usual: dict[str, Any] = {"now": NOON, "zones": ("Europe/Rome",), "owes": True, "past": (TEXTED,)}
    return GateFacts(**usual | more)


async def permit(pool: Pool, seen: GateFacts, channel: str = "sms", **asked: Any) -> dict[str, Any]:
    """What the gate says of a contact, as it is kept."""
    book: Rulebook = HOUSE.in_force(frozenset())
    request = ContactRequest(channel=channel, purpose=asked.pop("purpose", "collect"), **asked)  # type: ignore[arg-type]
    async with pool.acquire() as conn:
        digests = await keep_rulebooks(conn, [book])
    return record(request, seen, digests, decide(request, seen, [book]))


async def add_judged(pool: Pool, contact_id: str, state: str, kept: dict[str, Any] | None, **values: Any) -> None:
    """A contact that ended in a state."""
    usual: dict[str, Any] = {
        "contact_id": contact_id, "lender_id": KEY.lender_id, "loan_id": KEY.loan_id, "episode": 1, "step_id": contact_id, "ordinal": 1,
        "channel": "sms", "purpose": "collect", "party_id": "B-L-1", "contact_value": NUMBER, "state": state, "permit": kept,
        "ledger_version": 0, "reserved_at": NOON,
    }  # fmt: skip
    row = usual | values
    names = ", ".join(row)
    slots = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    await pool.execute(f"insert into contacts ({names}) values ({slots})", *row.values())


async def journal(pool: Pool, kind: str, at: datetime = NOON, **data: Any) -> str:
    """A line of the journal; its id as `why` knows it."""
    id_ = await pool.fetchval(
        "insert into case_events (lender_id, loan_id, episode, at, kind, data) values ($1, $2, 1, $3, $4, $5) returning id",
        *KEY,
        at,
        kind,
        data,
    )
    return f"e{id_}"


async def a_life(pool: Pool) -> dict[str, str]:
    """A case with a text sent, one put off, a call forbidden, a call handed out and a text in shadow; their ids."""
    await add_loan(pool)
    await add_case(pool)
    await pool.execute("update parties set name = $1", NAME)
    await pool.execute(
        "insert into contact_points (lender_id, party_id, kind, value) values ('default', 'B-L-1', 'mobile', $1)",
        NUMBER,
    )
    await pool.execute("update contact_points set timezone = 'Europe/Rome'")
    sent = await permit(pool, facts())
    await add_judged(pool, "sent", "reserved", None, body="You owe 100.00 EUR. Ref ABC", template="firm", language="en")
    await pool.execute(
        "update contacts set state = 'sending', permit = $1, sending_at = $2, business_date = $3 where contact_id = 'sent'",
        sent,
        NOON,
        date(2026, 3, 10),
    )
    await pool.execute("update contacts set state = 'sent', carrier_id = 'SM1', carrier_status = 'delivered'")
    late = NOON + timedelta(hours=9)
    kept = await permit(pool, facts(now=late, past=(TEXTED, TEXTED.model_copy(update={"at": NOON}))))
    assert kept["verdict"]["verdict"] == "defer"
    put_off = await journal(
        pool,
        "deferred",
        late,
        step="sms-2",
        rules=kept["verdict"]["rules"],
        until=kept["verdict"]["until"],
        permit=kept,
    )
    refused = await permit(pool, facts(now=late + timedelta(days=1), suppressed=True))
    await add_judged(
        pool, "refused", "forbidden", refused, reason="core.OPTED_OUT", reserved_at=late + timedelta(days=1)
    )
    called = await permit(pool, facts(now=NOON + timedelta(days=2)), "call", contact_value_known=True)
    await pool.execute(
        """
        insert into tasks (task_id, lender_id, loan_id, episode, step_id, ordinal, kind, permit, opened_at, deadline, outcome)
        values ('L-1.1.call-1.1', $1, $2, 1, 'call-1', 1, 'call', $3, $4, $4, 'NO_ANSWER')
        """,
        *KEY,
        called,
        NOON + timedelta(days=2),
    )
    await journal(pool, "task_opened", NOON + timedelta(days=2), task_id="L-1.1.call-1.1", task="call")
    watched = await permit(pool, facts(now=NOON + timedelta(days=3), shadow=True))
    await add_judged(pool, "watched", "shadow", watched, reserved_at=NOON + timedelta(days=3))
    return {
        "permitted": "sent",
        "deferred": put_off,
        "forbidden": "refused",
        "task": "L-1.1.call-1.1",
        "shadow": "watched",
    }


__all__ = ["NAME", "NUMBER", "a_life", "add_judged", "facts", "journal", "permit"]
