"""Writes the demand letter of a case into the ledger."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from activities.case_in_hand import CaseInHand
from activities.gate import CONTACTS
from activities.office import step_of
from channels.letters import LetterFacts, letter_language, render_letter
from domain.money import spoken

PAY_WITHIN = timedelta(days=14)
LABELS = {
    "en": ("Unpaid instalments", "Late fees and costs"),
    "it": ("Rate non pagate", "Mora e spese"),
    "zh": ("未付分期款", "滞纳金及费用"),
}


async def letter(case: CaseInHand, contact: Any) -> None:
    """Render the letter and keep it, byte for byte as it goes out."""
    borrower = await CONTACTS.borrower(case.conn, **case.this)
    language = letter_language(borrower["language"])
    pdf = await asyncio.to_thread(
        render_letter, contact["template"], language, _facts(case, contact, borrower, language)
    )
    digest = hashlib.sha256(pdf).hexdigest()
    await CONTACTS.keep_letter(case.conn, contact_id=contact["contact_id"], pdf=pdf, digest=digest)


def _facts(case: CaseInHand, contact: Any, borrower: Any, language: str) -> LetterFacts:
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
    )
