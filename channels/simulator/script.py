"""What the borrowers at the other end do when they are written to, and what goes wrong on the way."""

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
    """What goes wrong when a message for this number is handed over.

    `refuse`: answered with `status` and Twilio's error `code`. `hang`: never answered. `drop`: the connection is closed,
    the message not taken. `lost`: the message is taken, the connection closed before the answer. `error500`: answered
    with HTTP 500, not taken. `slow`: taken, and answered after `seconds`.

    Attributes:
        kind: One of the above.
        code: Twilio's error code, for `refuse`.
        status: The HTTP status, for `refuse`; 429 is Twilio's "too many requests".
        retry_after: The header `Retry-After` in seconds, for `refuse`.
        seconds: How long `slow` takes.
        times: How many requests per number it befalls; all of them if None.
    """

    kind: Literal["refuse", "hang", "drop", "lost", "error500", "slow"]
    code: int = 21211
    status: int = Field(default=400, ge=400, le=499)
    retry_after: int | None = Field(default=None, ge=0)
    seconds: float = Field(default=1.0, ge=0)
    times: int | None = Field(default=None, ge=1)


class Behaviour(_Part):
    """One borrower's side.

    Attributes:
        replies: What comes back, and when.
        fault: What goes wrong on the way, if anything.
        delivery: How a message that was taken ends.
        error_code: Twilio's error code where delivery fails; 30005 is an unknown handset.
    """

    replies: tuple[Reply, ...] = ()
    fault: Fault | None = None
    delivery: Literal["delivered", "undelivered", "failed"] = "delivered"
    error_code: int | None = None


class Script(_Part):
    """All scripted borrowers by phone number (E.164); `*` stands for everyone not named."""

    borrowers: dict[str, Behaviour] = {}

    def behaviour(self, number: str) -> Behaviour:
        """What the borrower at this number does; by default everything arrives and nothing comes back."""
        return self.borrowers.get(number) or self.borrowers.get(ANYONE) or Behaviour()

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
