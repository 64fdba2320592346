"""A strategy: what is done about a delinquent loan, stage by stage. Data, published and never changed afterwards."""

import hashlib
import json
import tomllib
from datetime import time
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationError, field_validator, model_validator

from domain.calendars import Span, check_calendar
from domain.errors import BadInput
from domain.loan import Frozen


def _span(value: object) -> object:
    return value if isinstance(value, Span) else Span.read(str(value))


def _share(value: object) -> object:
    if not isinstance(value, str) or not value.endswith("%"):
        return value
    try:
        return Decimal(value[:-1]) / 100
    except InvalidOperation:
        raise ValueError(f"{value!r} is no share: write 95%") from None


HOUSE = "house-"  # the ids of steps that belong to every strategy begin so
Duration = Annotated[Span, BeforeValidator(_span), PlainSerializer(str)]
Share = Annotated[Decimal, BeforeValidator(_share), Field(gt=0, le=1)]
Doing = Literal["sms", "voice", "letter", "task.call", "task.visit", "task.pre_legal_review", "task.file_suit"]


class Step(Frozen):
    """One thing to do. `id` is permanent: what was done under it is never done again in the same episode.

    `day` counts calendar days, `working_day` working days, of stage time since the stage began; holds stop that clock. `attempts`
    is how often a task is tried, `every` how long between tries; `then_wait` is how long the next step waits after this one.

    `to` is the role of the party who is contacted, `locate` asks that party for the borrower's whereabouts without a word of the debt.
    A letter may serve a notice of the kind `serves`; with `purpose` statutory the law asks for it.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    do: Doing
    template: str | None = None
    day: int = Field(0, ge=0)
    working_day: int | None = Field(None, ge=0)
    deadline: Duration = Span(count=7, unit="day")
    attempts: int = Field(1, ge=1, le=20)
    every: Duration = Span(count=1, unit="day")
    approval: str | None = None
    then_wait: Duration | None = None
    to: Literal[
        "borrower",
        "co_borrower",
        "guarantor",
        "legal_representative",
        "business_contact",
        "reference",
        "attorney",
        "executor",
    ] = "borrower"
    locate: bool = False
    purpose: Literal["collect", "statutory"] = "collect"
    serves: str | None = Field(None, pattern=r"^[a-z][a-z_]*$")

    @model_validator(mode="after")
    def _has_words(self) -> "Step":
        if self.do in {"sms", "letter"} and not self.template:
            raise ValueError(f"step {self.id} sends a text and needs a template")
        if self.serves is not None and self.do != "letter":
            raise ValueError(f"step {self.id} serves a notice: only a letter does")
        if self.locate and self.do not in {"task.call", "task.visit"}:
            raise ValueError(f"step {self.id} asks for somebody's whereabouts: only a person's call or visit does")
        return self


class Stage(Frozen):
    """A stretch of the way, entered at `from_dpd` days past due once every stage it `requires` is finished.

    `on_improvement`: after a part payment `recompute` works the stage out anew from the days past due that are left; `hold` stays,
    and only a cure, a settlement or an agreed plan ends it.
    """

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    from_dpd: int
    requires: tuple[str, ...] = ()
    on_improvement: Literal["recompute", "hold"] = "recompute"
    steps: tuple[Step, ...] = ()


class Probation(Frozen):
    """How long a cured case is watched before it is closed."""

    days: int = Field(30, ge=0)


class PromisePolicy(Frozen):
    """Limits on promises to pay, and when one counts as kept: at least `kept_at` of it by its day plus `grace_days`."""

    max_days: int = Field(14, ge=1)
    grace_days: int = Field(1, ge=0)
    kept_at: Share = Decimal("0.95")
    max_broken: int = Field(2, ge=0)
    reminder: str | None = None


class PlanPolicy(Frozen):
    """Limits on instalment plans; one longer than `approval_over_days` needs a second person."""

    max_days: int = Field(365, ge=1)
    approval_over_days: int = Field(92, ge=0)
    grace_days: int = Field(2, ge=0)
    kept_at: Share = Decimal("0.95")


class BouncePolicy(Frozen):
    """After a returned payment: the words of the one notice, and the days before anything escalates."""

    notice: str | None = None
    wait_days: int = Field(3, ge=0)


class SendWindow(Frozen):
    """The borrower's local hours in which texts are planned; cases spread over it by their own id. The gate's hours still hold."""

    start: time = time(9, 0)
    end: time = time(17, 0)

    @model_validator(mode="after")
    def _runs_forward(self) -> "SendWindow":
        if self.start >= self.end:
            raise ValueError("send_window ends before it starts")
        return self


class Strategy(Frozen):
    """A published way to collect. `version` never gets other content under the same name."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    version: int = Field(ge=1)
    rulebooks: tuple[str, ...] = ("house",)
    calendar: str
    stages: tuple[Stage, ...] = Field(min_length=1)
    grace_days: int = Field(0, ge=0)
    review_after_days: int = Field(1095, ge=1)
    thanks: str | None = None
    probation: Probation = Probation()
    promise: PromisePolicy = PromisePolicy()
    plan: PlanPolicy = PlanPolicy()
    bounce: BouncePolicy = BouncePolicy()
    send_window: SendWindow = SendWindow()

    @field_validator("calendar")
    @classmethod
    def _calendar_exists(cls, code: str) -> str:
        return check_calendar(code)

    @model_validator(mode="after")
    def _hangs_together(self) -> "Strategy":
        _check_ids(self.stages)
        _check_requires(self.stages)
        _check_ladder(self.stages, self.grace_days)
        return self

    def stage(self, name: str) -> Stage | None:
        """The stage of that name."""
        return next((s for s in self.stages if s.name == name), None)

    def stage_of(self, step_id: str) -> Stage | None:
        """The stage that holds a step."""
        return next((s for s in self.stages for step in s.steps if step.id == step_id), None)

    def templates(self) -> list[tuple[str, str]]:
        """Every text the strategy sends, as (channel, template), for the check that they exist."""
        texts = [
            ("letter" if s.do == "letter" else "sms", s.template)
            for stage in self.stages
            for s in stage.steps
            if s.template
        ]
        texts += [("sms", t) for t in (self.thanks, self.promise.reminder, self.bounce.notice) if t]
        return [(channel, template) for channel, template in texts if template]

    @property
    def digest(self) -> str:
        """SHA-256 of what the content says beyond the defaults, so that a release which adds a setting does not change it."""
        canonical = json.dumps(
            self.model_dump(mode="json", exclude_defaults=True),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        return hashlib.sha256(canonical.encode()).hexdigest()


def _check_ids(stages: tuple[Stage, ...]) -> None:
    for what, names in (
        ("stage name", [s.name for s in stages]),
        ("step id", [step.id for s in stages for step in s.steps]),
    ):
        repeated = sorted({n for n in names if names.count(n) > 1})
        if repeated:
            raise ValueError(f"{what} {repeated[0]!r} is repeated: give each its own")
    for stage in stages:
        for step in stage.steps:
            if step.id.startswith(HOUSE):
                raise ValueError(f"step id {step.id!r} is the house's: begin it with something other than {HOUSE}")


def _check_requires(stages: tuple[Stage, ...]) -> None:
    known = {s.name: s for s in stages}
    for stage in stages:
        for name in stage.requires:
            if name not in known:
                raise ValueError(f"stage {stage.name!r} requires {name!r}, which is not a stage here")
    for stage in stages:
        path = [stage.name]
        if _returns_to(stage.name, known, path):
            raise ValueError(f"stages require one another in a cycle: {' -> '.join(path)}")


def _returns_to(goal: str, known: dict[str, Stage], path: list[str]) -> bool:
    for name in known[path[-1]].requires:
        if name == goal:
            path.append(name)
            return True
        if name in path:
            continue
        path.append(name)
        if _returns_to(goal, known, path):
            return True
        path.pop()
    return False


def _check_ladder(stages: tuple[Stage, ...], grace_days: int) -> None:
    for lower, upper in pairwise(stages):
        if upper.from_dpd <= lower.from_dpd:
            raise ValueError(
                f"stage {upper.name!r} starts at {upper.from_dpd} days, not after {lower.name!r}: put stages in order"
            )
    for stage in stages:
        position = [s.name for s in stages]
        for name in stage.requires:
            if position.index(name) > position.index(stage.name):
                raise ValueError(f"stage {stage.name!r} requires {name!r}, which comes after it")
        days = [s.working_day if s.working_day is not None else s.day for s in stage.steps]
        if days != sorted(days):
            raise ValueError(f"the steps of stage {stage.name!r} go back in time: order them by day")
        if stage.from_dpd > 0 and not stage.steps:
            raise ValueError(f"stage {stage.name!r} has no steps")
    first = next((s for s in stages if s.from_dpd > 0), None)
    if first is None:
        raise ValueError("no stage starts after the due date")
    if first.from_dpd > grace_days + 1:
        raise ValueError(
            f"there is a gap: nothing happens from day 1 to {first.from_dpd - 1} past due; start {first.name!r} at 1 or set "
            f"grace_days = {first.from_dpd - 1}"
        )


def read_strategy(text: str, source: str) -> Strategy:
    """Read a strategy from TOML.

    Raises:
        BadInput: one sentence that names the file, the key and the reason.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"strategy {source} is not valid TOML: {error}.") from None
    return parse_strategy(content, source)


def parse_strategy(content: dict[str, Any], source: str) -> Strategy:
    """Read a strategy from its parsed content, such as the ledger keeps.

    Raises:
        BadInput: one sentence that names the source, the key and the reason.
    """
    try:
        return Strategy.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadInput(f"strategy {source}, key {key}: {_reason(first['type'], first['msg'])}.") from None


def _reason(kind: str, words: str) -> str:
    """Why pydantic refused, in our words where its own name no remedy."""
    match kind:
        case "extra_forbidden":
            return "there is no such key here, check its spelling"
        case "missing":
            return "it is missing, add it"
    return words.removeprefix("Value error, ").rstrip(".")
