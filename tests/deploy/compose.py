"""docker-compose.yml as far as our own services go: what each is started with."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("arrears:")}


def environment(service: str, given: dict[str, str]) -> dict[str, str]:
    """The service's variables, with what .env would hold."""

    def value(found: "re.Match[str]") -> str:
        name, how, default = found.groups()
        if how == ":?" and not given.get(name):
            raise AssertionError(f"{service} wants {name}")
        if how == ":+":
            return default if given.get(name) else ""
        return given.get(name) or (default if how == ":-" else "")

    return {
        name: re.sub(r"\$\{(\w+)(?:(:[-?+])([^}]*))?\}", value, str(text))
        for name, text in SERVICES[service]["environment"].items()
    }
