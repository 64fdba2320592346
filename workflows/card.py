"""The card of a case in the Temporal UI: markdown, written anew after each decision, no event spent."""

from activities.contracts import CaseRef, Result
from domain.decision import Action

DOES = {
    Action.RECONSIDER: "look again",
    Action.CLOSE_CASE: "close the case",
    Action.MISS_DEADLINE: "wait for an answer",
}


def summary(result: Result) -> str:
    """One line for the next timer or activity, such as `send sms: sms-1`."""
    decision = result.decision
    words = DOES.get(decision.action, decision.action.value.replace("_", " "))
    return f"{words}: {decision.step_id}" if decision.step_id else words


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
        f"| Strategy | {standing.strategy} |",
        f"| Last | {result.done} |",
        f"| **Next** | **{'nothing more' if result.closed else summary(result)}** |",
        f"| At | {'–' if result.closed else when} |",
        f"| Why | {decision.why} |",
    ]
    if waiting:
        lines.append(f"| Inbox | {waiting} waiting |")
    return "\n".join(lines)
