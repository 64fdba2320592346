"""Rulebooks: contact rules as figures, each with its citation, and which of them govern a contact."""

from domain.rulebook.packs import Governed, packs_for
from domain.rulebook.reading import read_rulebook
from domain.rulebook.rules import Channel, Hours, Limit, Purpose, Rule, Rulebook, Silence

__all__ = [
    "Channel",
    "Governed",
    "Hours",
    "Limit",
    "Purpose",
    "Rule",
    "Rulebook",
    "Silence",
    "packs_for",
    "read_rulebook",
]
