"""What the demo tells at its end: how the portfolio did, how the shop's story went, whether the promises held."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from arrears.demo.story import BUSINESS, END, START, WEEKLY, WEEKS
from arrears.demo.view import told
from domain.clock import business_date
from domain.loan import Entry, EntryKind, LoanKey
from ledger.money import money_of, position_of
from ledger.named import queries
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


UNTOUCHED = """
select count(*) from loans l
where not exists (select from contacts k where k.lender_id = l.lender_id and k.loan_id = l.loan_id and k.sending_at is not null)
and exists (select from entries e where e.lender_id = l.lender_id and e.loan_id = l.loan_id and e.kind = 'payment')
"""
WITHOUT_CASE = """
select l.loan_id, l.currency from loans l left join cases c using (lender_id, loan_id) where c.loan_id is null order by 1
"""
COLLECTED_IN_ALL = """
select currency, sum(amount) as amount from entries where kind = 'payment' and value_date >= $1 group by 1 order by 1
"""
EXPECTED = {
    "contacted": "texts went out",
    "NO_ANSWER": "calls brought nothing",
    "weak cash flow": "a visit found weak cash flow",
    "letter_sent": "a demand letter went out",
    "agree_plan": "weekly instalments were agreed",
    "plan_kept": "the instalments were kept",
    "counsel_asked": "the letter was withdrawn through counsel",
}


@dataclass(frozen=True)
class Ending:
    """The end of the demo, read in one go."""

    report: dict[str, Any]
    proof: dict[str, Any]
    story: list[tuple[date, str]]
    missing: list[str]
    promises: dict[str, int]
    loans: int
    untouched: int

    @property
    def good(self) -> bool:
        """Whether every promise held and the story came true."""
        return bool(self.proof["ok"]) and not self.missing


async def read_ending(pool: asyncpg.Pool, now: datetime) -> Ending:
    """Read the whole ending from the ledger."""
    async with pool.acquire() as conn:
        story, missing = await _story(conn, business_date(now, "UTC"))
        promises = await conn.fetch("select status, count(*) as n from promises group by status order by status")
        return Ending(
            report=await _over_all(conn, await portfolio_report(conn, now), business_date(now, "UTC")),
            proof=await prove(conn),
            story=story,
            missing=missing,
            promises={r["status"].replace("_", " "): r["n"] for r in promises},
            loans=await conn.fetchval("select count(*) from loans"),
            untouched=await conn.fetchval(UNTOUCHED),
        )


async def _over_all(conn: Any, report: dict[str, Any], today: date) -> dict[str, Any]:
    """The report over all debts, not the cases alone.

    A debt that is paid on the day after its due date may be quicker than the sweep and never become a case; what it brought
    was collected before contact like the rest.
    """
    rows = await conn.fetch(WITHOUT_CASE)
    stages, outcomes = Counter(report["stage_reached"]), Counter(report["outcomes"])
    fees = {currency: Decimal(amount) for currency, amount in report["fee_only_shortfall"].items()}
    for row in rows:
        stands = await position_of(conn, LoanKey("default", row["loan_id"]), today)
        stages["none"] += 1
        outcomes["fees only left" if stands.fee_arrears > 0 else "cured"] += 1
        fees[row["currency"]] = fees.get(row["currency"], Decimal(0)) + stands.fee_arrears
    before: dict[str, Decimal] = {}
    for row in await conn.fetch(COLLECTED_IN_ALL, START):
        later = (report[COLLECTED[name]].get(row["currency"], "0") for name in ("after contact", "under a plan"))
        if left := row["amount"] - sum(Decimal(amount) for amount in later):
            before[row["currency"]] = left
    found = {"stage_reached": stages, "outcomes": outcomes, "fee_only_shortfall": fees}
    return {**report, **found, COLLECTED["before contact"]: before}


async def _story(conn: Any, today: date) -> tuple[list[tuple[date, str]], list[str]]:
    """The shop's timeline, and what of its story did not come true."""
    lines: list[tuple[date, str, str]] = []
    happened: set[str] = set()
    missing: list[str] = []
    for loan_id in BUSINESS:
        key = LoanKey("default", loan_id)
        lines += [(day, words, loan_id) for day, words in _money((await money_of(conn, key)).entries)]
        async for event in CASES.events(conn, lender_id=key.lender_id, loan_id=loan_id):
            happened.add(_name(event))
            words = told(event["kind"], event["data"])
            if words and event["kind"] not in {"payment_received", "approve"}:
                lines.append((event["at"].date(), words, loan_id))
        if (await position_of(conn, key, today)).outstanding > 0:
            missing.append(f"{loan_id} was repaid")
    missing += [words for name, words in EXPECTED.items() if name not in happened]
    return _together(lines), missing


def _together(lines: list[tuple[date, str, str]]) -> list[tuple[date, str]]:
    """Lines by day; what happened to both loans on one day stands in one line."""
    loans: dict[tuple[date, str], list[str]] = {}
    for day, words, loan_id in sorted(lines, key=lambda line: line[0]):
        loans.setdefault((day, words), []).append(loan_id)
    return [(day, f"{ids[0] if len(ids) == 1 else 'both':<10}{words}") for (day, words), ids in loans.items()]


def _name(event: Any) -> str:
    """What an event proves of the story."""
    body = event["data"].get("body", {})
    if event["data"].get("refused"):
        return ""
    return str(body.get("data", {}).get("finding") or body.get("code") or event["kind"])


def _money(entries: list[Entry]) -> list[tuple[date, str]]:
    """Payments and waivers in a few lines: the first, the last, and what lay between."""
    paid = [e for e in entries if e.kind is EntryKind.PAYMENT and e.value_date >= START]
    lines = [(e.value_date, f"late fee of {e.amount:,.2f} CNY waived") for e in entries if e.kind is EntryKind.WAIVER]
    if paid:
        total = sum((p.amount for p in paid), Decimal(0))
        lines.append((paid[0].value_date, f"first instalment paid: {paid[0].amount:,.2f} CNY"))
        lines.append((paid[-1].value_date, f"instalment {len(paid)} paid: {total:,.2f} CNY in all"))
    return lines


def tell(console: Console, ending: Ending) -> None:
    """Print the ending."""
    report = ending.report
    console.print(f"[bold]Report, {START:%d %b %Y} to {END:%d %b %Y}[/]\n", highlight=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    table.add_row("Debts", f"{ending.loans}; {ending.untouched} were paid late, before anybody was contacted")
    table.add_row("Stage reached", _stages(report["stage_reached"]))
    table.add_row("Contacts", _contacts(report["contacts"]))
    table.add_row("Tasks", _tasks(report["tasks"]))
    table.add_row("Promises", ", ".join(f"{n} {status}" for status, n in ending.promises.items()) or "none")
    for name, key in COLLECTED.items():
        table.add_row(f"Collected {name}", _amounts(report[key]))
    table.add_row("Late fees alone left", _amounts(report["fee_only_shortfall"]))
    table.add_row("Outcome", ", ".join(f"{n} {name}" for name, n in report["outcomes"].items()))
    console.print(table, highlight=False)
    _tell_story(console, ending)
    console.print("\n[bold]arrears verify[/]")
    for check in ending.proof["checks"]:
        held = "[green]holds[/]" if check["ok"] else "[bold red]BROKEN[/]"
        console.print(f"  {check['name']:<10} {held}  {check['checked']} checked", highlight=False)
        for each in check["violations"][:5]:
            console.print(f"    {each['loan_id']} {each['kind']}: {each['detail']}", highlight=False)


def _tell_story(console: Console, ending: Ending) -> None:
    weekly = sum(WEEKLY.values())
    console.print(
        "\n[bold]小满面馆[/], a made-up noodle shop in Chengdu with two loans and a guarantor", highlight=False
    )
    for day, words in ending.story:
        console.print(f"  [dim]{day:%d %b}[/]  {words}", highlight=False)
    if not ending.missing:
        console.print(f"  {WEEKS} weeks of {weekly:,.2f} CNY: principal and interest are back.", highlight=False)
    for words in ending.missing:
        console.print(f"  [bold red]did not come true:[/] {words}", highlight=False)


def _stages(counts: dict[str, int]) -> str:
    named = {"none": "no step", "sms": "text", "call": "call", "visit": "visit", "legal": "legal"}
    return ", ".join(f"{counts[stage]} {name}" for stage, name in named.items() if counts.get(stage))


def _contacts(counts: dict[str, int]) -> str:
    named = {"sms": "texts", "call": "calls", "visit": "visits", "letter": "letters"}
    found: dict[tuple[str, str], int] = {}
    for key, n in counts.items():
        channel, purpose, state = key.split(" ")
        about = " of thanks or about promises" if purpose == "service" else ""
        what = (channel, f"{about}{STATES[state]}")
        found[what] = found.get(what, 0) + n
    order = list(named)
    return ", ".join(
        f"{n} {named[channel]}{about}"
        for (channel, about), n in sorted(found.items(), key=lambda i: (order.index(i[0][0]), -i[1]))
    )


def _tasks(counts: dict[str, int]) -> str:
    states: dict[str, int] = {}
    for key, n in counts.items():
        state = key.rsplit(" ", 1)[1]
        states[state] = states.get(state, 0) + n
    return ", ".join(f"{n} {state}" for state, n in sorted(states.items()))


def _amounts(sums: dict[str, str] | dict[str, Decimal]) -> str:
    return ", ".join(f"{Decimal(amount):,.2f} {currency}" for currency, amount in sums.items()) or "nothing"
