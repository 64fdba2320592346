"""Rulebooks: contact rules as figures, each with its citation. Data, read from TOML; the gate knows what they mean."""

import tomllib
from datetime import time
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from domain.errors import BadInput
from domain.loan import Frozen

Purpose = Literal["collect", "reminder", "statutory", "service", "reply"]
Channel = Literal["sms", "call", "visit", "letter"]
ALL_CHANNELS: tuple[Channel, ...] = ("sms", "call", "visit", "letter")


class RuleBase(Frozen):
    """What every rule carries: its id, the purposes it limits, where it is written and how sure that is.

    `status`: `confirmed` (the text was read), `secondary` (a secondary source states it), `unconfirmed`, or `house`.
    """

    id: str
    purposes: tuple[Purpose, ...] = ("collect",)
    channels: tuple[Channel, ...] = ALL_CHANNELS
    citation: str
    status: Literal["confirmed", "secondary", "unconfirmed", "house"]


class Hours(RuleBase):
    """Contact only from `start` to `end` in the borrower's zone."""

    kind: Literal["hours"]
    start: time
    end: time

    @model_validator(mode="after")
    def _runs_forward(self) -> "Hours":
        if self.start >= self.end:
            raise ValueError(f"rule {self.id} ends before it starts: give the hours of one day")
        return self


class Limit(RuleBase):
    """At most `count` contacts in `days` consecutive local days, today included, per person, debt or contact value."""

    kind: Literal["limit"]
    count: int = Field(ge=1)
    days: int = Field(ge=1)
    per: Literal["person", "loan", "value"]


Rule = Annotated[Hours | Limit, Field(discriminator="kind")]


class Rulebook(Frozen):
    """A pack of rules by its name."""

    name: str
    rules: tuple[Rule, ...]


def read_rulebook(text: str, source: str) -> Rulebook:
    """Read a rulebook from TOML.

    Raises:
        BadInput: one sentence that names the file, the key and the reason.
    """
    try:
        return TypeAdapter(Rulebook).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"rulebook {source} is not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadInput(f"rulebook {source}, key {key}: {first['msg'].removeprefix('Value error, ')}.") from None
