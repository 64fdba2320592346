"""What somebody does whose telephone rings."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Callee(BaseModel):
    """One borrower at the telephone.

    Attributes:
        answers: Who or what picks up, or why nobody does; `failed` is a call that the network could not put through.
        keys: What is pressed at each question, in order; empty text and whatever is missing is silence.
        hangs_up_after: After how many answers of ours the callee hangs up, before pressing anything; never if None.
        seconds: How long the call is said to have lasted.
        sip_code: What the network gives as its reason, for `failed`; 404 is a number that does not exist.
        stutters: Every request about the call is posted twice.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: Literal["human", "machine", "fax", "no_answer", "busy", "failed"] = "no_answer"
    keys: tuple[str, ...] = ()
    hangs_up_after: int | None = Field(default=None, ge=1)
    seconds: int = Field(default=30, ge=0)
    sip_code: int | None = None
    stutters: bool = False
