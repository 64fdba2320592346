"""What a call, a visit or a legal task brought: one small closed set of codes, and what follows from each."""

from enum import StrEnum

from domain.loan import Frozen


class Consequence(StrEnum):
    """What an outcome sets off besides being recorded."""

    NONE = "none"
    PROMISE = "promise"
    PLAN = "plan"
    HOLD = "hold"
    WRONG_NUMBER = "wrong_number"
    DEAD_NUMBER = "dead_number"
    SUIT_FILED = "suit_filed"
    REJECTED = "rejected"


class Outcome(Frozen):
    """The flags of an outcome code.

    `is_attempt`: a contact was tried; `connected`: somebody answered; `rpc`: it was the right party; `contact_counts`: it counts
    against the limits; `ends_step`: no further attempt is needed. `hold` is the reason of the hold it places.
    """

    is_attempt: bool = True
    connected: bool = False
    rpc: bool = False
    conversation: bool = False
    contact_counts: bool = True
    ends_step: bool = False
    consequence: Consequence = Consequence.NONE
    hold: str | None = None


def _reached(consequence: Consequence = Consequence.NONE, hold: str | None = None) -> Outcome:
    return Outcome(connected=True, rpc=True, conversation=True, ends_step=True, consequence=consequence, hold=hold)


_missed = Outcome()
_other = Outcome(connected=True)
_held = {
    "DISPUTE": "dispute",
    "HARDSHIP": "hardship",
    "CEASE": "cease",
    "ATTORNEY": "attorney",
    "BANKRUPT": "insolvency",
}

CALL: dict[str, Outcome] = {
    "NO_ANSWER": _missed,
    "BUSY": _missed,
    "VOICEMAIL_LEFT": _missed,
    "VOICEMAIL_NONE": _missed,
    "HUNG_UP": _other,
    "LANGUAGE": _other,
    "THIRD_PARTY": _other,
    "DISCONNECTED": Outcome(contact_counts=False, ends_step=True, consequence=Consequence.DEAD_NUMBER),
    "WRONG_NUMBER": Outcome(connected=True, ends_step=True, consequence=Consequence.WRONG_NUMBER),
    "RPC_PTP": _reached(Consequence.PROMISE),
    "RPC_PLAN": _reached(Consequence.PLAN),
    "RPC_PAID_NOW": _reached(),
    "RPC_ALREADY_PAID": _reached(Consequence.HOLD, "payment_in_flight"),
    "RPC_REFUSED": _reached(),
    "RPC_CALLBACK": Outcome(connected=True, rpc=True, conversation=True),
    **{f"RPC_{code}": _reached(Consequence.HOLD, hold) for code, hold in _held.items()},
    "DECEASED_REPORTED": Outcome(connected=True, ends_step=True, consequence=Consequence.HOLD, hold="bereavement"),
    "UNKNOWN_PROVIDER": _missed,  # nobody knows what became of it, so it counts
    "BLOCKED_BY_GATE": Outcome(is_attempt=False, contact_counts=False),
}

VISIT: dict[str, Outcome] = {
    "MET_BORROWER": _reached(),
    "MET_THIRD_PARTY": _other,
    "LOCKED": _missed,
    "SHIFTED": Outcome(ends_step=True),
    "BUSINESS_CLOSED": Outcome(ends_step=True),
    "ADDRESS_NOT_FOUND": Outcome(ends_step=True),
    "REFUSED_TO_MEET": _reached(),
    "PTP": _reached(Consequence.PROMISE),
    "HARDSHIP": _reached(Consequence.HOLD, "hardship"),
    "CASH_COLLECTED": _reached(),
    "ASSET_SEEN": Outcome(ends_step=True),
    "THREAT_TO_AGENT": Outcome(ends_step=True, consequence=Consequence.HOLD, hold="operator"),
    "DECEASED": Outcome(connected=True, ends_step=True, consequence=Consequence.HOLD, hold="bereavement"),
}

_office = Outcome(is_attempt=False, contact_counts=False, ends_step=True)

LEGAL: dict[str, dict[str, Outcome]] = {
    "pre_legal_review": {
        "APPROVED": _office,
        "REJECTED": _office.model_copy(update={"consequence": Consequence.REJECTED}),
    },
    "file_suit": {
        "FILED": _office.model_copy(update={"consequence": Consequence.SUIT_FILED}),
        "NOT_FILED": _office,
    },
    "withdraw_letter": {"WITHDRAWN": _office},
    "withdraw_suit": {"WITHDRAWN": _office},
    "manual_review": {"REVIEWED": _office},
    "remedy": {"DONE": _office},
    "answer": {"ANSWERED": _office},
    "reconcile_balance": {"RECONCILED": _office},
}

CODES: dict[str, dict[str, Outcome]] = {"call": CALL, "callback": CALL, "visit": VISIT, **LEGAL}


def codes_of(task_kind: str) -> dict[str, Outcome]:
    """The outcome codes that a kind of task can be answered with."""
    return CODES[task_kind]
