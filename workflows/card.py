"""The card of a case in the Temporal UI: markdown, written anew after each decision, no event spent."""

import re

from activities.contracts import Agreed, CaseRef, Result, Standing
from domain import acts
from domain.decision import Action

DOES = {
    Action.RECONSIDER: "look again",
    Action.CLOSE_CASE: "close the case",
    Action.MISS_DEADLINE: "wait for an answer",
}
HOUSE = {
    acts.THANKS: "thanks",
    acts.NOTICE: "notice of a returned payment",
    acts.REMEDY: "remedy",
    acts.REVIEW: "manual review",
    acts.REMINDER: "promise reminder",
    acts.REST: "rest of a promise",
    acts.ANSWER: "answer",
    acts.CALLBACK: "callback",
}
# The house's own steps; those about a promise end with its id. A task's id has a step in its middle, and is typed as it stands.
HOUSE_STEP = re.compile(rf"(?<![\w.-])({'|'.join(HOUSE)})(-[^\s:,;]+)?")


def readable(text: str) -> str:
    """A text with the house's own steps by name."""
    return HOUSE_STEP.sub(lambda found: HOUSE[found[1]], text)


def summary(result: Result) -> str:
    """One line for the next timer or activity, such as `send sms: sms-1`."""
    decision = result.decision
    words = DOES.get(decision.action, decision.action.value.replace("_", " "))
    return f"{words}: {readable(decision.step_id)}" if decision.step_id else words


def card(case: CaseRef, result: Result, waiting: int) -> str:
    """Where the case stands and why it waits, without a name or a number."""
    standing, decision = result.standing, result.decision
    when = decision.at.strftime("%Y-%m-%d %H:%M UTC") if decision.at else "when a message comes"
    since = standing.delinquent_since.date().isoformat() if standing.delinquent_since else "–"
    lines = [
        f"### Loan {case.loan_id} · {standing.stage}",
        "| | |",
        "|---|---|",
        f"| Status | {standing.status}, episode {standing.episode} |",
        f"| Past due | {standing.days_past_due} days, since {since} |",
        f"| Arrears | {standing.arrears} {standing.currency} of {standing.outstanding} outstanding |",
        f"| Held | {', '.join(standing.hold_scopes) or 'nothing'} |",
        *_agreed("Promise", "due", standing.promise, standing.currency),
        *_agreed("Plan", "next due", standing.plan, standing.currency),
        f"| Contacts | {_contacts(standing)} |",
        f"| Strategy | {standing.strategy} |",
        f"| Last | {readable(result.done)} |",
        f"| **Next** | **{'nothing more' if result.closed else summary(result)}** |",
        f"| At | {'–' if result.closed else when} |",
        f"| Why | {readable(decision.why)} |",
    ]
    if waiting:
        lines.append(f"| Inbox | {waiting} waiting |")
    return "\n".join(lines)


def _agreed(what: str, due: str, agreed: Agreed | None, currency: str) -> list[str]:
    if agreed is None:
        return []
    return [f"| {what} | {agreed.amount} {currency}, {agreed.paid} of it paid, {due} {agreed.due_on} |"]


def _contacts(standing: Standing) -> str:
    told = []
    for made in standing.contacts:
        named = made.result if made.result.startswith(made.step_id) else f"{made.step_id} {made.result}"
        told.append(f"{made.on} {readable(named)}")
    return "<br>".join(told) or "none"
