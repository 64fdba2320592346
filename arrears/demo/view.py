"""What the demo shows while it runs: a live table on a terminal, a line now and then where there is none."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from arrears.demo.story import BUSINESS, END, START
from domain.clock import Clock, business_date

WIDTH = 78
EVENTS = 9
DAYS = (END - START).days
STAGES = {
    "not late": "grey50",
    "sms": "cyan",
    "call": "blue",
    "visit": "magenta",
    "legal": "red",
    "plan": "yellow",
    "review": "bright_black",
    "probation": "green",
    "closed": "bright_green",
}
CALLED = {
    "sms": "texts",
    "call": "calls",
    "visit": "visits",
    "legal": "legal steps",
    "plan": "in a plan",
    "review": "with a person",
    "probation": "cured, watched",
    "closed": "cured, closed",
}
CHANNELS = {"sms": "texts", "call": "calls", "visit": "visits", "letter": "letters"}

SNAPSHOT = """
select
    (select count(*) from loans) as loans,
    (select jsonb_object_agg(stage, n) from (
        select case when not open then 'closed' when stage in ('new', 'waiting') then 'sms' else stage end as stage, count(*) as n
        from cases group by 1) s) as stages,
    (select jsonb_object_agg(channel, n) from (
        select channel, count(*) as n from contacts where state in ('sending', 'sent', 'unknown') group by 1) c) as contacts,
    (select jsonb_object_agg(currency, n) from (
        select currency, sum(amount)::text as n from entries where kind = 'payment' and value_date >= $1 group by 1) e) as collected,
    (select count(*) from tasks where status in ('open', 'answered')) as tasks,
    (select count(*) from tasks where status = 'withdrawn') as withdrawn
"""
RECENT = """
select id, loan_id, at, kind, data from case_events
where id > $1 and kind = any($2) order by id desc limit 40
"""


@dataclass
class Snapshot:
    """The portfolio at one moment."""

    now: datetime
    loans: int = 0
    stages: dict[str, int] = field(default_factory=dict)
    contacts: dict[str, int] = field(default_factory=dict)
    collected: dict[str, Decimal] = field(default_factory=dict)
    tasks: int = 0
    withdrawn: int = 0

    @property
    def today(self) -> date:
        """The business date."""
        return business_date(self.now, "UTC")

    @property
    def day(self) -> int:
        """How many business days have passed, the first one included."""
        return min(max((self.today - START).days + 1, 1), DAYS)


def _payment(data: dict[str, Any]) -> str:
    body = data.get("body", {})
    paid = body.get("entries") or [body]
    return ", ".join(f"{p['amount']} {p['currency']} came in" for p in paid if p.get("amount"))


def _outcome(data: dict[str, Any]) -> str:
    body = data.get("body", {})
    task, code = body.get("task_id", "").split(".")[-2], body.get("code", "").replace("_", " ").lower()
    about = body.get("data", {})
    more = about.get("finding") or (f"{about['amount']} by {about['due_on']}" if "due_on" in about else None)
    return f"{_plain(task)}: {code}{f', {more}' if more else ''}"


def _plain(step: str) -> str:
    """A step's id without what only machines need."""
    return re.sub(r"-\d+$", "", step.removeprefix("house-")).replace("-", " ")


def _plan(data: dict[str, Any]) -> str:
    agreed = data["body"]["instalments"]
    return f"agreed: {len(agreed)} weekly instalments of {Decimal(agreed[0]['amount']):,.2f}"


def _said(data: dict[str, Any]) -> str:
    return str(data.get("said", "")).removeprefix("house-")


SAYS: dict[str, Callable[[dict[str, Any]], str]] = {
    "contacted": _said,
    "letter_sent": lambda d: "demand letter sent",
    "contact_failed": _said,
    "contact_forbidden": lambda d: f"text forbidden: {d.get('why', '')}",
    "task_withdrawn": lambda d: f"task withdrawn: {d.get('why', '')}",
    "counsel_asked": lambda d: f"counsel asked to {str(d.get('task', '')).replace('_', ' the ')}",
    "payment_received": _payment,
    "reply_received": lambda d: "the borrower wrote back",
    "record_outcome": _outcome,
    "approve": lambda d: "letter approved by a second person",
    "promise_kept": lambda d: "promise kept",
    "promise_broken": lambda d: "promise broken",
    "agree_plan": _plan,
    "plan_kept": lambda d: "plan kept",
    "cured": lambda d: "CURED: nothing is past due any more",
    "closed": lambda d: "case closed",
}
COLOURS = {
    "payment_received": "green",
    "cured": "bold green",
    "closed": "green",
    "promise_kept": "green",
    "plan_kept": "bold green",
    "agree_plan": "yellow",
    "task_withdrawn": "yellow",
    "counsel_asked": "yellow",
    "letter_sent": "red",
    "promise_broken": "red",
}


def told(kind: str, data: dict[str, Any]) -> str:
    """One event of the journal in words; empty where it has none."""
    says = SAYS.get(kind)
    return f"refused: {data['refused']}" if data.get("refused") else says(data) if says else ""


class Window:
    """Reads the portfolio and draws it."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock, console: Console) -> None:
        self._pool, self._clock, self._console = pool, clock, console
        self._seen, self._events = 0, list[Text]()

    async def look(self) -> Snapshot:
        """Read the portfolio, and what happened since the last look."""
        now = await self._clock.now()
        async with self._pool.acquire() as conn:
            row = await conn.fetchrow(SNAPSHOT, START)
            events = await conn.fetch(RECENT, self._seen, list(SAYS))
        for event in reversed(events):
            self._seen = max(self._seen, event["id"])
            words = told(event["kind"], event["data"])
            if words:
                self._events.append(_line(event, words))
        self._events = self._events[-EVENTS:]
        assert row is not None
        stages = dict(row["stages"] or {})
        return Snapshot(
            now,
            loans=row["loans"],
            stages={"not late": row["loans"] - sum(stages.values()), **stages},
            contacts=dict(row["contacts"] or {}),
            collected={currency: Decimal(amount) for currency, amount in (row["collected"] or {}).items()},
            tasks=row["tasks"],
            withdrawn=row["withdrawn"],
        )

    async def run(self) -> None:
        """Draw until the last day is over."""
        if not self._console.is_terminal:
            await self._write_lines()
            return
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while (shot := await self.look()).today < END:
                live.update(self._drawn(shot), refresh=True)
                await asyncio.sleep(0.25)

    async def _write_lines(self) -> None:
        written = 0
        while (shot := await self.look()).today < END:
            if shot.day >= written + 7 or not written:
                written = shot.day
                self._console.print(_summary(shot), highlight=False, soft_wrap=True)
            await asyncio.sleep(0.25)

    def _drawn(self, shot: Snapshot) -> Group:
        head = Text.assemble(
            ("Arrears demo  ", "bold"),
            f"{shot.today:%a %d %b %Y}  ",
            (f"day {shot.day} of {DAYS}", "grey50"),
        )
        done = round(WIDTH * shot.day / DAYS)
        progress = Text.assemble(("━" * done, "cyan"), ("━" * (WIDTH - done), "grey30"))
        both = Table.grid(padding=(0, 3))
        both.add_row(_stages(shot), _figures(shot))
        lines = [*self._events, *(Text("") for _ in range(EVENTS - len(self._events)))]
        return Group(head, progress, Text(""), both, Text(""), Text("Lately", "bold"), *lines)


def _line(event: Any, words: str) -> Text:
    shop = event["loan_id"] in BUSINESS
    text = Text.assemble(
        (f"{event['at']:%d %b}  ", "grey50"),
        (f"{event['loan_id']:<10}", "bold yellow" if shop else "bold"),
        (words, COLOURS.get(event["kind"], "")),
    )
    text.truncate(WIDTH, overflow="ellipsis")
    return text


def _stages(shot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 1))
    most = max(shot.stages.values(), default=1) or 1
    for stage, colour in STAGES.items():
        count = shot.stages.get(stage, 0)
        bar = "█" * -(-count * 18 // most) if count else ""
        table.add_row(
            CALLED.get(stage, stage), Text(f"{count:>2}", "bold" if count else "grey50"), Text(f"{bar:<18}", colour)
        )
    return table


def _figures(shot: Snapshot) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=15)
    table.add_column(justify="right", min_width=9)
    for channel, name in CHANNELS.items():
        table.add_row(f"{name} so far", str(shot.contacts.get(channel, 0)))
    table.add_row("tasks open", str(shot.tasks))
    table.add_row("tasks withdrawn", str(shot.withdrawn))
    table.add_row("", "")
    for currency in ("EUR", "CNY"):
        table.add_row(f"collected {currency}", Text(f"{shot.collected.get(currency, Decimal(0)):,.2f}", "green"))
    return table


def _summary(shot: Snapshot) -> str:
    stages = ", ".join(f"{shot.stages[s]} {CALLED.get(s, s)}" for s in STAGES if shot.stages.get(s))
    contacts = ", ".join(f"{n} {CHANNELS[c]}" for c, n in sorted(shot.contacts.items())) or "nobody contacted"
    money = (
        ", ".join(f"{amount:,.2f} {c}" for c, amount in sorted(shot.collected.items(), reverse=True)) or "nothing yet"
    )
    return f"{shot.today}  day {shot.day} of {DAYS}\n  cases: {stages}\n  {contacts}; collected {money}"


def elapsed(span: timedelta) -> str:
    """Minutes and seconds."""
    return f"{int(span.total_seconds()) // 60}:{int(span.total_seconds()) % 60:02d}"
