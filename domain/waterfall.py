"""In which order money is spent on what is owed: policy, as data (policies/waterfalls)."""

import tomllib
from typing import Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from domain.errors import BadInput
from domain.loan import COMPONENTS, DATED, Component, Frozen

Of = Literal["due", "charges", "owed", "to_come"]
By = Literal["age", "instalment", "component"]


class Step(Frozen):
    """One step of a waterfall.

    `of` says what it pays: instalments that are due, charges (late fees, costs, charged interest and the like), both of them (`owed`),
    or what is to come. `by` says how: part by part, the oldest first and within each in the order of `pay` (`age`); the same with each
    instalment and its charges as one part (`instalment`); or one component of all parts before the next (`component`).
    """

    of: Of
    by: By
    pay: tuple[Component, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.pay)) < len(self.pay):
            raise ValueError("it names a component twice: name each once")
        return self

    def pays(self, kind: Of, component: Component) -> bool:
        """Whether this step spends on a component of such parts."""
        return component in self.pay and (self.of == kind or (self.of == "owed" and kind != "to_come"))


class Impaired(Frozen):
    """The order for a loan that is written off, or has been past due for so many days when the money comes."""

    from_days_past_due: int = Field(ge=1)
    steps: tuple[Step, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _refuse_gaps(self.steps)
        return self


class Waterfall(Frozen):
    """A whole order. A remainder within the lender's tolerance is paid last of all.

    With `spares_disputed`, money that came without a direction is never spent on a part that is disputed.
    """

    name: str
    says: str
    steps: tuple[Step, ...]
    impaired: Impaired | None = None
    spares_disputed: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _refuse_gaps(self.steps)
        return self


def _refuse_gaps(steps: tuple[Step, ...]) -> None:
    """Money that no step may spend would lie idle beside a debt."""
    needed: tuple[tuple[Of, tuple[Component, ...]], ...] = (
        ("due", DATED),
        ("charges", COMPONENTS),
        ("to_come", DATED),
    )
    for kind, components in needed:
        for component in components:
            if not any(step.pays(kind, component) for step in steps):
                raise ValueError(f"no step pays {component} of {kind}: add it to one")


def read_waterfall(text: str, source: str) -> Waterfall:
    """Read a waterfall from TOML.

    Raises:
        BadInput: one sentence that names the file, the key and the reason.
    """
    try:
        return TypeAdapter(Waterfall).validate_python(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"waterfall {source} is not valid TOML: {error}.") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the whole file"
        raise BadInput(f"waterfall {source}, key {key}: {first['msg'].removeprefix('Value error, ')}.") from None


# The order where nobody chose another; policies/waterfalls/default.toml says the same.
DEFAULT = Waterfall(
    name="default",
    says="The oldest instalment first, within it interest, principal, fee; then costs and late fees; then what is to come.",
    steps=(
        Step(of="due", by="age", pay=("interest", "principal", "fee", "other")),
        Step(of="charges", by="age", pay=("interest", "late_fee", "cost", "principal", "fee", "other")),
        Step(of="to_come", by="age", pay=("interest", "principal", "fee", "other")),
    ),
)
