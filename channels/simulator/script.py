"""What the borrowers at the other end do when they are written to, and what goes wrong on the way."""

import tomllib
from pathlib import Path
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from channels.simulator.callee import Callee
from domain.errors import BadInput

ANYONE = "*"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(_Part):
    """A text message that a borrower sends back.

    Attributes:
        text: What it says.
        after: How many messages the borrower must have got before it is sent; sent once, on that very message.
        delay_seconds: Real time between that message's delivery and the reply.
    """

    text: str
    after: int = Field(default=1, ge=1)
    delay_seconds: float = Field(default=0.0, ge=0)


class Fault(_Part):
    """What goes wrong when a message for this number is handed over, or when somebody asks after one.

    `refuse`: answered with `status` and Twilio's error `code`. `hang`: never answered. `drop`: the connection is closed.
    `error500`: answered with HTTP 500, or another `status` of 500 and above. These three leave the message untaken, unless
    `taken`. `lost`: the message is taken, the connection closed before the answer. `slow`: taken, and answered after `seconds`.

    Attributes:
        kind: One of the above.
        at: Which requests it befalls: those that hand over a message, or those that look one up.
        taken: Whether the message is taken before it goes wrong, for `hang`, `drop` and `error500`.
        code: Twilio's error code, for `refuse`.
        status: The HTTP status, for `refuse` (400 if None; 429 is Twilio's "too many requests") and `error500`.
        retry_after: The header `Retry-After` in seconds, for `refuse`.
        retry_after_date: The header gives a date instead, so many seconds from now.
        seconds: How long `slow` takes.
        times: How many requests per number it befalls; all of them if None.
        share: The share of requests that it befalls, drawn by the script's seed.
    """

    kind: Literal["refuse", "hang", "drop", "lost", "error500", "slow"]
    at: Literal["send", "look_up"] = "send"
    taken: bool = False
    code: int = 21211
    status: int | None = Field(default=None, ge=400, le=599)
    retry_after: int | None = Field(default=None, ge=0)
    retry_after_date: bool = False
    seconds: float = Field(default=1.0, ge=0)
    times: int | None = Field(default=None, ge=1)
    share: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _status_fits(self) -> "Fault":
        lowest = {"refuse": 400, "error500": 500}.get(self.kind)
        if self.status is not None and (lowest is None or not lowest <= self.status < lowest + 100):
            raise ValueError(f"status {self.status} does not fit {self.kind}: refuse takes 4xx, error500 takes 5xx")
        if self.taken and self.kind not in {"hang", "drop", "error500"}:
            raise ValueError(f"taken does not fit {self.kind}: it is for hang, drop and error500")
        return self


class Receipts(_Part):
    """How the carrier reports what became of a message.

    Attributes:
        repeat: How many times each report is posted.
        order: `in_order`, or only once the delivery has ended: `reversed`, or `shuffled` by the script's seed.
        early: The first report is posted before the request that handed the message over is answered.
        lost: The share of reports that is never posted, drawn by the script's seed.
    """

    repeat: int = Field(default=1, ge=1)
    order: Literal["in_order", "reversed", "shuffled"] = "in_order"
    early: bool = False
    lost: float = Field(default=0.0, ge=0, le=1)


class Behaviour(_Part):
    """One borrower's side.

    Attributes:
        replies: What comes back, and when.
        fault: What goes wrong on the way, if anything.
        faults: More of them; the first that befalls a request holds.
        receipts: How the delivery is reported.
        delivery: How a message that was taken ends.
        error_code: Twilio's error code where delivery fails; 30005 is an unknown handset.
        call: What happens when the telephone rings.
    """

    replies: tuple[Reply, ...] = ()
    fault: Fault | None = None
    faults: tuple[Fault, ...] = ()
    receipts: Receipts = Receipts()
    delivery: Literal["delivered", "undelivered", "failed"] = "delivered"
    error_code: int | None = None
    call: Callee = Callee()


class Script(_Part):
    """All scripted borrowers by phone number (E.164); `*` stands for everyone not named. `seed` draws what is left to chance."""

    borrowers: dict[str, Behaviour] = {}
    seed: int = 0

    def behaviour(self, number: str) -> Behaviour:
        """What the borrower at this number does; by default everything arrives and nothing comes back."""
        return self.borrowers.get(number) or self.borrowers.get(ANYONE) or Behaviour()

    def chance(self, *about: object) -> Random:
        """Chance that comes out the same for the same seed and the same thing, whatever else was drawn before."""
        return Random("/".join(map(str, (self.seed, *about))))  # noqa: S311

    @classmethod
    def load(cls, path: Path) -> "Script":
        """The script in a TOML or JSON file.

        Raises:
            BadInput: The file is not there, or does not hold a script.
        """
        try:
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".toml":
                return cls.model_validate(tomllib.loads(text))
            return cls.model_validate_json(text)
        except OSError as error:
            raise BadInput(f"The simulator's script {path} cannot be read: {error.strerror}.") from error
        except tomllib.TOMLDecodeError as error:
            raise BadInput(f"The simulator's script {path} is not TOML: {error}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(each) for each in first["loc"]) or "the file"
            raise BadInput(f"The simulator's script {path} is wrong at {place}: {first['msg']}.") from error
