"""Commands about one case, and the work that waits for people."""

import asyncio
import json
from datetime import date
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated, Any
from uuid import uuid4

import typer
from pydantic import ValidationError

from arrears.context import ledger, money, print_json, readable_step, run, say, say_folded, say_rows, temporal
from domain.errors import BadInput, first_fault
from domain.loan import LoanKey
from domain.messages import SIGNALS, UPDATES, Answer, RecordOutcome
from domain.money import currencies
from ledger.case_view import case_view, find_loan
from ledger.export.writing import export_case
from ledger.named import queries
from ledger.reporting import portfolio_report

if TYPE_CHECKING:
    from temporalio.client import Client

AGREED, WORK = queries("agreements"), queries("work")
ANSWERS_WITHIN = 30.0
"""Real seconds that a case has to answer: one that cannot, because no worker runs or its code fails, never does."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Loan = Annotated[str, typer.Argument(help="loan_id, or lender_id/loan_id")]


def case(
    loan: Loan,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Figures at the end of this day, such as 2026-01-31.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="Write the whole file of the case into this folder instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show where a case stands, what it does next, and why; or write its whole file into a folder."""
    if export is not None:
        _export(loan, export, as_json)
        return

    async def main() -> tuple[dict[str, Any], Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            key = await find_loan(conn, loan)
            shown = await case_view(conn, key, await books.clock.now(), _day(as_of))
            last = None if as_json or as_of else await AGREED.last_promise(conn, **key._asdict())
            return shown, last

    shown, last = run(main)
    print_json(shown) if as_json else say_rows(_for_people(shown, last))


def _for_people(shown: dict[str, Any], last: Any) -> dict[str, Any]:
    """A case with its amounts and its currency together, and what became of the last promise."""
    currency = shown["currency"]
    told: dict[str, Any] = {name: value for name, value in shown.items() if name != "currency"}
    told |= {name: money(shown[name], currency) for name in ("arrears", "outstanding", "overpaid")}
    for name in ("promise", "plan"):
        agreed: dict[str, Any] | None = shown[name]
        if agreed is not None:
            told[name] = _with_currency(agreed, currency)
    if last is not None and shown["promise"] is None:
        ended = last["status"].replace("_", " ")
        told["promise"] = f"none; the last, of {money(last['amount'], currency)} for {last['due_on']}, is {ended}"
    step = shown["next_step"]
    return told | {"next_step": readable_step(step) if step else None}


def _with_currency(agreed: dict[str, Any], currency: str) -> dict[str, Any]:
    told: dict[str, Any] = {n: money(v, currency) if n in {"amount", "paid"} else v for n, v in agreed.items()}
    if "instalments" in told:
        told["instalments"] = [_with_currency(each, currency) for each in told["instalments"]]
    return told


def _export(loan: str, folder: Path, as_json: bool) -> None:
    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await export_case(conn, await find_loan(conn, loan), folder)

    manifest = run(main)
    if as_json:
        print_json({"folder": str(folder), **manifest})
        return
    ends = manifest["audit_head"]
    say(f"{len(manifest['files'])} files in {folder}. Its audit log ends at link {ends['seq']}: {ends['hash']}")
    say(f"Check it anywhere with: python {folder / 'check.py'}")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f"--as-of {text!r} is no date: write it as 2026-01-31.") from None


def tasks(
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
    lender: Annotated[str | None, typer.Option(help="Of one lender.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at the most.")] = 1000,
    as_json: Json = False,
) -> None:
    """List the tasks that wait for people, the most urgent first."""
    states = ["open", "answered"] + (["done", "missed", "withdrawn"] if everything else [])

    async def main() -> list[dict[str, Any]]:
        async with ledger() as books, books.pool.acquire() as conn:
            return [dict(r) async for r in WORK.list_tasks(conn, states=states, lender_id=lender, most=most)]

    found = run(main)
    if as_json:
        print_json(found)
        return
    if not found:
        say("No task waits.")
    for task in found:
        _say_task(task, max(len(each["lender_id"]) for each in found))


def _say_task(task: dict[str, Any], lenders: int) -> None:
    """One task; its id, which whoever answers it types, is never cut, and has a line of its own where the first is full."""
    kind, until = task["kind"].replace("_", " "), f"{task['deadline']:%Y-%m-%d}"
    head = f"{until}  {task['status']:9}  {kind:17}  {task['lender_id']:{lenders}}"
    named = f"{task['task_id']}  for {task['owner']}" if task["owner"] else task["task_id"]
    fits = len(head) + 2 + len(named) <= get_terminal_size().columns
    say(f"{head}  {named}" if fits else f"{head.rstrip()}\n            {named}")
    if task["because"]:
        say_folded(task["because"], 12)


def outcome(
    task: Annotated[str, typer.Argument(help="The task's id, as `arrears tasks` lists it.")],
    code: Annotated[str, typer.Argument(help="What it brought, such as NO_ANSWER or RPC_PTP.")],
    data: Annotated[
        str, typer.Option(help='JSON, such as {"amount": "50.00", "due_on": "2026-02-01"}; "by" says who.')
    ] = "{}",
    as_json: Json = False,
) -> None:
    """Record what a call, a visit or a legal task brought."""
    given = _object(data, "--data")
    by = given.pop("by", None)

    async def main() -> Answer:
        async with ledger() as books, books.pool.acquire() as conn:
            row = await WORK.task(conn, task_id=task)
            if row is None:
                raise BadInput(f"task {task!r} is unknown: `arrears tasks` lists what is open.")
            key = await find_loan(conn, f"{row['lender_id']}/{row['loan_id']}")
        body = RecordOutcome(task_id=task, code=code, data=given, by=by)
        return await _update(await temporal(), key, "record_outcome", body)

    _answered(run(main), as_json)


def send(
    loan: Loan,
    message: Annotated[str, typer.Argument(help="Such as promise_to_pay, place_hold, agree_plan, poke.")],
    body: Annotated[str, typer.Argument(help="The message's content, as JSON.")] = "{}",
    as_json: Json = False,
) -> None:
    """Tell a case something: a promise, a plan, a hold, an approval."""
    if message not in UPDATES and message not in SIGNALS:
        raise BadInput(f"message {message!r} is unknown: use one of {', '.join([*UPDATES, 'poke'])}.")
    given = _object(body, "the message's JSON")

    async def main() -> Answer:
        async with ledger() as books, books.pool.acquire() as conn:
            key = await find_loan(conn, loan)
        client = await temporal()
        if message in UPDATES:
            return await _update(client, key, message, _body(message, given))
        handle = client.get_workflow_handle(key.workflow_id)
        await _reach(
            handle.signal(message, *([] if message == "poke" else [{"message_id": f"hand-{uuid4()}", **given}])), key
        )
        return Answer(accepted=True)

    _answered(run(main), as_json)


def _body(message: str, given: dict[str, Any]) -> Any:
    try:
        return UPDATES[message].model_validate(given)
    except ValidationError as error:
        field, fault = first_fault(error)
        raise BadInput(f"{message}, {field or 'the body'}: {fault}.") from None


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise BadInput(f'{where} cannot be read ({error}): quote it, as in \'{{"reason": "dispute"}}\'.') from None
    if not isinstance(given, dict):
        raise BadInput(f"{where} is no JSON object: write it in braces.")
    return given


async def _update(client: "Client", key: LoanKey, name: str, body: Any) -> Answer:
    from temporalio.client import WorkflowUpdateFailedError

    from starters.telling import tell

    handle = client.get_workflow_handle(key.workflow_id)
    try:
        answer: Answer = await _reach(tell(handle, name, body), key)
    except WorkflowUpdateFailedError as error:
        raise BadInput(str(error.cause)) from None
    return answer


async def _reach(call: Any, key: LoanKey) -> Any:
    from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
    from temporalio.service import RPCError, RPCStatusCode

    try:
        return await asyncio.wait_for(call, ANSWERS_WITHIN)
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise BadInput(
            f"loan {key} did not answer within {ANSWERS_WITHIN:g} seconds and may take it in later: `arrears case {key}` shows whether it did, "
            "`arrears healthy cases` whether a worker runs."
        ) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise BadInput(
                f"loan {key} has no running case: if `arrears case {key}` shows it as open, `arrears rebuild {key}` starts it again."
            ) from None
        raise BadInput(f"Temporal did not take the message ({error.message:.100}): try again.") from None


def _answered(answer: Answer, as_json: bool) -> None:
    if as_json:
        refused = {} if answer.accepted else {"error": {"code": "refused", "message": answer.reason}}
        print_json(answer.model_dump(mode="json") | refused)
    elif answer.accepted:
        say_folded(f"Taken. Next: {readable_step(answer.next_step)}." if answer.next_step else "Taken.")
    else:
        say_folded(f"Refused: {answer.reason}")
    if not answer.accepted:
        raise typer.Exit(2)


def report(as_json: Json = False) -> None:
    """Count cases, contacts and money: stage reached, contacts by channel, collected before and after contact and under plan."""

    async def main() -> dict[str, Any]:
        async with ledger() as books, books.pool.acquire() as conn:
            return await portfolio_report(conn, await books.clock.now())

    told = run(main)
    if as_json:
        print_json(told)
        return

    def by_currency(value: Any) -> bool:
        return isinstance(value, dict) and bool(value) and set(value) <= currencies()

    say_rows({n: [money(v, k) for k, v in each.items()] if by_currency(each) else each for n, each in told.items()})
