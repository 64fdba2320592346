"""Writes the demand letter of a case into the ledger."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from activities.case_in_hand import CaseInHand
from activities.gate import CONTACTS, GATE
from activities.office import step_of
from channels.letters import LetterFacts, letter_language, render_letter
from domain.money import spoken

PAY_WITHIN = timedelta(days=14)
IN_THE_POST = timedelta(days=5)  # a letter may be taken to have come by then (12 CFR 1006.34(b)(5))
LABELS = {
    "en": ("Unpaid instalments", "Late fees and costs"),
    "it": ("Rate non pagate", "Mora e spese"),
    "zh": ("未付分期款", "滞纳金及费用"),
}


async def letter(case: CaseInHand, contact: Any, party: Any, *, may_sue: bool) -> None:
    """Render the letter and keep it, byte for byte as it goes out; where it serves a notice, that is noted."""
    language = letter_language(party["language"])
    facts = _facts(case, contact, party, language, may_sue)
    pdf = await asyncio.to_thread(render_letter, contact["template"], language, facts)
    digest = hashlib.sha256(pdf).hexdigest()
    await CONTACTS.keep_letter(case.conn, contact_id=contact["contact_id"], pdf=pdf, digest=digest)
    step = step_of(case, contact["step_id"])
    if step is not None and step.serves is not None:
        await _serve(case, contact, party, step.serves, digest)


async def _serve(case: CaseInHand, contact: Any, party: Any, notice: str, digest: str) -> None:
    position = case.facts.position
    items = {"instalments": position.arrears - position.fee_arrears, "late fees and costs": position.fee_arrears}
    await GATE.serve_notice(
        case.conn,
        **case.this,
        notice_id=contact["contact_id"],
        party_id=party["party_id"],
        kind=notice,
        served_on=case.today + IN_THE_POST,
        method="letter",
        proof=f"sha256 {digest}",
        amounts=[{"item": item, "amount": str(amount)} for item, amount in items.items() if amount],
        contact_id=contact["contact_id"],
    )


def _facts(case: CaseInHand, contact: Any, borrower: Any, language: str, may_sue: bool) -> LetterFacts:
    position = case.facts.position
    amounts = (position.arrears - position.fee_arrears, position.fee_arrears)
    step = step_of(case, contact["step_id"])
    wait = timedelta(days=step.then_wait.count) if step and step.then_wait else PAY_WITHIN
    return LetterFacts(
        lender_name=borrower["lender_name"],
        borrower_name=borrower["name"],
        loan_id=case.key.loan_id,
        amount=spoken(position.arrears, case.facts.currency, language),
        itemised=tuple(
            (label, spoken(a, case.facts.currency, language))
            for label, a in zip(LABELS[language], amounts, strict=True)
            if a
        ),
        due_on=position.oldest_due_on or case.today,
        dated=case.today,
        reference=contact["reference"],
        pay_by=case.today + wait,
        may_sue=may_sue,
    )
