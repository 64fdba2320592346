"""A decision: what a case does next, when, and why. It is recorded in the workflow's history and never worked out again there."""

from datetime import datetime
from enum import StrEnum

from domain.loan import Frozen


class Action(StrEnum):
    """What a case can do; each is the name of the activity that does it."""

    RECONSIDER = "reconsider"
    SEND_SMS = "send_sms"
    PLACE_VOICE_CALL = "place_voice_call"
    SEND_DEMAND_LETTER = "send_demand_letter"
    OPEN_CALL_TASK = "open_call_task"
    BOOK_VISIT = "book_visit"
    OPEN_PRE_LEGAL_REVIEW = "open_pre_legal_review"
    OPEN_FILING_TASK = "open_filing_task"
    OPEN_CALLBACK_TASK = "open_callback_task"
    OPEN_ANSWER_TASK = "open_answer_task"
    OPEN_MANUAL_REVIEW = "open_manual_review"
    OPEN_REMEDY_TASK = "open_remedy_task"
    MISS_DEADLINE = "miss_deadline"
    REMIND_OF_PROMISE = "remind_of_promise"
    JUDGE_PROMISE = "judge_promise"
    JUDGE_PLAN = "judge_plan"
    WITHDRAW_TASK = "withdraw_task"
    WITHDRAW_LETTER = "withdraw_letter"
    WITHDRAW_SUIT = "withdraw_suit"
    THANK_BORROWER = "thank_borrower"
    SEND_BOUNCE_NOTICE = "send_bounce_notice"
    BEGIN_EPISODE = "begin_episode"
    CLOSE_CASE = "close_case"


class Decision(Frozen):
    """The next action of a case at a business time; `at` is None while only a message can move it.

    `why` is one sentence for operators without personal data. `stage` is where the case stands. The other fields name what the
    action is about.
    """

    action: Action
    at: datetime | None
    why: str
    stage: str
    step_id: str | None = None
    ordinal: int = 1
    effect_id: int | None = None
    subject_id: str | None = None

    @property
    def closes(self) -> bool:
        """Whether this ends the case."""
        return self.action is Action.CLOSE_CASE

    def same_step(self, other: "Decision") -> bool:
        """Whether two decisions mean the same act, whatever their time and reason."""
        mine = (self.action, self.step_id, self.ordinal, self.effect_id, self.subject_id)
        return mine == (other.action, other.step_id, other.ordinal, other.effect_id, other.subject_id)
