"""What carriers in some countries want to know of a text: the registered sender, and the registered template."""

from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, RootModel, StringConstraints

from activities.words import language_of, template
from domain.errors import BadInput
from domain.loan import Frozen
from domain.phrases import read_toml

SOURCE = "policies/messages/senders.toml"
Id = Annotated[str, StringConstraints(pattern=r"^\S{1,40}$")]


class Registration(Frozen):
    """What one country asks for, and what was registered there.

    Attributes:
        registry: Whose register it is.
        needs: What a text must carry.
        entity: The lender's id in the register.
        sender: The registered header or signature.
        templates: The registered ids, by language and by the name of the message.
    """

    registry: str
    needs: tuple[Literal["entity", "sender", "template"], ...]
    entity: Id | None = None
    sender: Id | None = None
    templates: dict[str, dict[str, Id]] = Field(default_factory=dict)


class Registrations(RootModel[dict[Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")], Registration]]):
    """All of them by country (ISO 3166)."""


class CarrierIds(Frozen):
    """The ids of one text; `missing` lists what its country needs and nobody registered."""

    registry: str
    entity: str | None
    sender: str | None
    template: str | None
    missing: tuple[str, ...]


def read_registrations(text: str, source: str = SOURCE) -> Registrations:
    """The registrations in a file.

    Raises:
        BadInput: a key or an id cannot be used, or an id is given to a message that there is not.
    """
    found = read_toml(text, source, Registrations)
    for country, registration in found.root.items():
        for language, names in registration.templates.items():
            for name in names:
                if language_of(language) != language:
                    raise BadInput(
                        f"{source}, key {country}.templates.{language}: there are no messages in that language."
                    )
                template(name, language)
    return found


@lru_cache
def _registrations() -> Registrations:
    return read_registrations((files("policies") / "messages" / "senders.toml").read_text("utf-8"))


def carrier_ids(
    name: str, language: str, country: str, registrations: Registrations | None = None
) -> CarrierIds | None:
    """The ids that a message carries in a country; None where the country asks for none."""
    here = (registrations or _registrations()).root.get(country)
    if here is None:
        return None
    ids = {
        "entity": here.entity,
        "sender": here.sender,
        "template": here.templates.get(language_of(language), {}).get(name),
    }
    return CarrierIds(registry=here.registry, missing=tuple(need for need in here.needs if ids[need] is None), **ids)
