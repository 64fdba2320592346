"""Takes away one of the three things that make a contact happen once, to show that the run then finds failures.

They are its unique key, its state (what is `sending` was committed before, and is only looked up), and the look-up. Each has others behind
it: the planner no longer wants a step that is under way, and the limits count a text that is. These would hide that one is missing. So
`alone` silences them first; with nothing else taken away a run is still without failures.
"""

from typing import Any, Literal

import aiosql

from activities.case_in_hand import CaseInHand
from activities.contact import Contact
from activities.gate import CONTACTS
from channels.carrier import AnswerLost, SmsAnswer, SmsRequest
from domain.decision import Action, Decision
from domain.rulebook import Rulebook
from ledger.named import QUERIES

Switch = Literal["unique-key", "state", "look-up"]
SWITCHES: tuple[Switch, ...] = ("unique-key", "state", "look-up")
KEY = "contacts_lender_id_loan_id_episode_step_id_ordinal_key"


def without_limits(book: Rulebook) -> Rulebook:
    """The rulebook with its hours alone."""
    return book.model_copy(update={"rules": tuple(r for r in book.rules if r.kind == "hours")})


def alone() -> None:
    """The planner does not look again before a contact."""

    def wants(self: CaseInHand, decision: Decision) -> bool:
        return self.facts.position.cured == (decision.action is Action.THANK_BORROWER)

    CaseInHand.wants = wants  # type: ignore[method-assign]


def switch_off(switch: Switch) -> None:
    """In this process. The unique key must be dropped in the database too."""
    match switch:
        case "unique-key":
            _without_key()
        case "state":
            _without_a_look_at_the_state()
        case "look-up":
            Contact.look_up = _send_again  # type: ignore[method-assign,assignment]


def _changed(old: str, new: str) -> Any:
    text = (QUERIES / "contacts.sql").read_text("utf-8")
    assert text.count(old) == 1
    return aiosql.from_str(text.replace(old, new), "asyncpg", mandatory_parameters=False)


def _without_key() -> None:
    """Whoever tries again makes a row of his own."""
    old = "on conflict (lender_id, loan_id, episode, step_id, ordinal) do nothing returning *"
    CONTACTS.reserve = _changed(old, "returning *").reserve


def _without_a_look_at_the_state() -> None:
    """Whoever tries again takes a contact that was committed for one that is only meant."""
    CONTACTS.begin_sending = _changed("and state = 'reserved' returning", "returning").begin_sending
    look = CONTACTS.contact_of_step

    async def contact_of_step(conn: Any, **key: Any) -> Any:
        found = await look(conn, **key)
        return {**found, "state": "reserved"} if found is not None and found["state"] == "sending" else found

    CONTACTS.contact_of_step = contact_of_step


async def _send_again(self: Contact, contact: Any, lost: AnswerLost) -> SmsAnswer:
    """What many do when an answer is lost."""
    async with self.desk.pool.acquire() as conn:
        row = await CONTACTS.contact(conn, contact_id=contact["contact_id"])
    request = SmsRequest(row["contact_value"], self.sender, row["body"], row["contact_id"], row["reference"], 600)
    return await self.carrier.send_sms(request)
