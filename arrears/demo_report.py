"""What the demo tells at its end: how the portfolio did, how the shop's story went, whether the promises held."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from arrears.demo_story import BUSINESS, END, START, WEEKLY, WEEKS
from arrears.demo_view import told
from domain.clock import business_date
from domain.loan import EntryKind, LoanKey
from domain.position import Position
from ledger.named import queries
from ledger.posting import load_entries, position_of
from ledger.proof import prove
from ledger.reporting import portfolio_report

CASES = queries("cases")
COLLECTED = {
    "before contact": "collected_before_contact",
    "after contact": "collected_after_contact",
    "under a plan": "collected_under_plan",
}
STATES = {
    "sent": "",
    "sending": " on their way",
    "unknown": " unknown",
    "failed": " refused",
    "forbidden": " forbidden",
    "shadow": " in shadow",
}


@dataclass(frozen=True)
class Ending:
    """The end of the demo, read in one go."""

    report: dict[str, Any]
    proof: dict[str, Any]
    story: list[tuple[date, str]]
    missing: list[str]
    loans: int
    without_case: int

    @property
    def good(self) -> bool:
        """Whether every promise held and the story came true."""
        return bool(self.proof["ok"]) and not self.missing


async def read_ending(pool: asyncpg.Pool, now: datetime) -> Ending:
    """Read the whole ending from the ledger."""
    async with pool.acquire() as conn:
        story, missing = await _story(conn, business_date(now, "UTC"))
        loans = await conn.fetchval("select count(*) from loans")
        cases = await conn.fetchval("select count(*) from cases")
        return Ending(await portfolio_report(conn, now), await prove(conn), story, missing, loans, loans - cases)


async def _story(conn: Any, today: date) -> tuple[list[tuple[date, str]], list[str]]:
    """The shop's timeline, and what of its story did not come true."""
    lines: list[tuple[date, str]] = []
    happened: set[str] = set()
    stands: dict[str, Position] = {}
    for loan_id in BUSINESS:
        key = LoanKey("default", loan_id)
        async for event in CASES.events(conn, lender_id=key.lender_id, loan_id=loan_id):
            happened.add(_name(event))
            if event["kind"] in {"payment_received", "approve"} or not (words := told(event["kind"], event["data"])):
                continue
            lines.append((event["at"].date(), f"{loan_id:<10}{words}"))
        lines += _money(loan_id, await load_entries(conn, key))
        stands[loan_id] = await position_of(conn, key, today)
    expected = {
        "contacted": "texts went out",
        "NO_ANSWER": "calls brought nothing",
        "weak cash flow": "a visit found weak cash flow",
        "letter_sent": "a demand letter went out",
        "agree_plan": "weekly instalments were agreed",
        "plan_kept": "the instalments were kept",
        "counsel_asked": "the letter was withdrawn through counsel",
    }
    missing = [words for name, words in expected.items() if name not in happened]
    missing += [f"{loan} was repaid" for loan, position in stands.items() if position.outstanding > 0]
    return sorted(lines, key=lambda line: line[0]), missing


def _name(event: Any) -> str:
    """What an event proves of the story."""
    body = event["data"].get("body", {})
    if event["data"].get("refused"):
        return ""
    return body.get("data", {}).get("finding") or body.get("code") or event["kind"]


def _money(loan_id: str, entries: list[Any]) -> list[tuple[date, str]]:
    """Payments and waivers in a few lines: the first, the last, and what lay between."""
    paid = [e for e in entries if e.kind is EntryKind.PAYMENT and e.value_date >= START]
    waived = [e for e in entries if e.kind is EntryKind.WAIVER]
    lines = []
    if paid:
        lines.append((paid[0].value_date, f"{loan_id:<10}first instalment paid: {paid[0].amount:,.2f} CNY"))
    if len(paid) > 1:
        total = sum((p.amount for p in paid), Decimal(0))
        lines.append((paid[-1].value_date, f"{loan_id:<10}instalment {len(paid)} paid: {total:,.2f} CNY in all"))
    return lines + [(w.value_date, f"{loan_id:<10}late fee of {w.amount:,.2f} CNY waived") for w in waived]


def tell(console: Console, ending: Ending) -> None:
    """Print the ending."""
    report = ending.report
    console.print(
        f"[bold]Report, {START:%d %b %Y} to {END:%d %b %Y}[/]: {ending.loans} debts, "
        f"{report['cases']} became cases, {ending.without_case} were paid in time.\n"
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("Stage reached", ", ".join(f"{n} {stage}" for stage, n in report["stage_reached"].items()))
    table.add_row("Contacts", _contacts(report["contacts"]))
    table.add_row("Tasks", _tasks(report["tasks"]))
    for name, key in COLLECTED.items():
        table.add_row(f"Collected {name}", _amounts(report[key]))
    table.add_row("Late fees alone left", _amounts(report["fee_only_shortfall"]))
    table.add_row("Outcome", ", ".join(f"{n} {name}" for name, n in report["outcomes"].items()))
    console.print(table, highlight=False)
    weekly = sum(WEEKLY.values())
    console.print(
        f"\n[bold]小满面馆[/], a noodle shop in Chengdu; made up. {WEEKS} weeks of {weekly:,.2f} CNY on two loans."
    )
    for day, words in ending.story:
        console.print(f"  [dim]{day:%d %b %Y}[/]  {words}", highlight=False)
    for words in ending.missing:
        console.print(f"  [bold red]missing:[/] {words}", highlight=False)
    console.print("\n[bold]arrears verify[/]")
    for check in ending.proof["checks"]:
        held = "[green]holds[/]" if check["ok"] else "[bold red]BROKEN[/]"
        console.print(f"  {check['name']:<10} {held}  {check['checked']} checked", highlight=False)
        for each in check["violations"][:5]:
            console.print(f"    {each['loan_id']} {each['kind']}: {each['detail']}", highlight=False)


def _contacts(counts: dict[str, int]) -> str:
    named = {"sms": "texts", "call": "calls", "visit": "visits", "letter": "letters"}
    found: dict[str, int] = {}
    for key, n in counts.items():
        channel, purpose, state = key.split(" ")
        what = f"{named[channel]}{' of thanks and reminders' if purpose == 'service' else ''}{STATES[state]}"
        found[what] = found.get(what, 0) + n
    return ", ".join(f"{n} {what}" for what, n in found.items())


def _tasks(counts: dict[str, int]) -> str:
    states: dict[str, int] = {}
    for key, n in counts.items():
        state = key.rsplit(" ", 1)[1]
        states[state] = states.get(state, 0) + n
    return ", ".join(f"{n} {state}" for state, n in sorted(states.items()))


def _amounts(sums: dict[str, str]) -> str:
    return ", ".join(f"{Decimal(amount):,.2f} {currency}" for currency, amount in sums.items()) or "nothing"
