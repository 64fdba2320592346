"""All activities, joined with what they work on: the ledger, the clock, the carrier."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
from aiolimiter import AsyncLimiter
from temporalio.client import Client

from activities.absorbing import Absorbing
from activities.case_in_hand import Desk
from activities.charging import Charging
from activities.contact import Contact
from activities.contracts import CASES, CONTACT, CONTRACTS, OFFICE
from activities.gate import Gatekeeper
from activities.office import Office
from activities.opening import Opening
from activities.reckoning import Reckoning
from activities.reminding import Reminding
from activities.voice import VoiceContact
from channels.carrier import Carrier
from channels.voice_carrier import VoiceCarrier
from domain.clock import Clock
from domain.decision import Action
from domain.voice_words import CallBack

Activity = Callable[..., Any]


@dataclass(frozen=True)
class World:
    """What the activities reach; `reminders_per_second` is what one worker sends before due dates at most, None for no limit."""

    pool: asyncpg.Pool
    clock: Clock
    client: Client
    carrier: Carrier
    sender: str
    settle_delay: timedelta = timedelta(seconds=5)
    calls: VoiceCarrier | None = None
    call_back: CallBack | None = None
    reminders_per_second: float | None = None


def activities_by_queue(world: World) -> dict[str, list[Activity]]:
    """The activities that each task queue's workers offer; local ones run with the workflows."""
    desk, gate = Desk(world.pool, world.clock), Gatekeeper()
    reckoning, office = Reckoning(desk), Office(desk, gate)
    contact = Contact(desk, gate, world.carrier, world.sender, world.settle_delay)
    voice = VoiceContact(desk, gate, world.calls, world.sender, world.settle_delay, world.call_back)
    opening = Opening(desk, world.client)
    pace = AsyncLimiter(1, 1 / world.reminders_per_second) if world.reminders_per_second else None
    offered: dict[str, list[Activity]] = {
        CASES: [reckoning.decide, Absorbing(desk).absorb],
        CONTACT: [Reminding(contact, pace).remind],
        OFFICE: [opening.start_due_cases, Charging(desk).charge_late_fees],
    }
    for action in Action:
        queue = CONTRACTS[action].queue or CASES
        maker = next(m for m in (reckoning, office, contact, voice) if hasattr(m, action.value))
        offered[queue].append(getattr(maker, action.value))
    return offered
