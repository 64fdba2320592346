"""One contact per intended contact: one attempt per carrier message, one carrier message per attempt."""

from typing import Any

from ledger.proof.findings import Findings
from ledger.proof.reading import PROOF, stream


async def once(conn: Any, findings: Findings) -> None:
    """One contact a step's attempt, one carrier message a contact, one contact a carrier message; and the carrier says the same."""
    async for row in stream(conn, PROOF.shared_keys):
        findings.broken("two_contacts_one_step", row, row["id"], f"{row['n']} contacts stand for one attempt at a step")
    async for row in stream(conn, PROOF.shared_carrier_ids):
        findings.broken("two_contacts_one_message", row, row["id"], f"{row['n']} contacts claim one carrier message")
    async for row in stream(conn, PROOF.several_messages):
        detail = f"the carrier has message {row['one']} and message {row['other']} for one contact"
        findings.broken("two_messages_one_contact", row, row["id"], detail)
    async for row in stream(conn, PROOF.without_message):
        detail = f"this {row['channel']} is on record as made, but names no message of the carrier's"
        findings.broken("no_carrier_message", row, row["id"], detail)
    async for row in stream(conn, PROOF.carrier_contradicts):
        detail = f"the carrier reports {row['carrier_status'] or 'a message'} for a contact that is {row['state']} here"
        findings.broken("carrier_contradicts", row, row["id"], detail)
    findings.checked = await PROOF.contact_count(conn)
