"""The command `arrears`: it ties the parts together, and holds nothing of its own."""

import logging
import os
import sys
from contextlib import suppress
from traceback import walk_tb

import asyncpg
import typer
from typer.exceptions import TyperException

from arrears.commands import (
    cases,
    codec,
    control,
    erase,
    explain,
    intake,
    money,
    operate,
    reconcile,
    recover,
    reopen,
    rules,
    secrets,
    services,
    strategies,
    terms,
    watching,
)
from arrears.context import print_json
from domain.errors import BadInput
from workers.logs import log_to_stderr

log = logging.getLogger(__name__)
SERVICES = {"up", "demo", "worker", "relay", "api", "codec"}  # their log is all that tells what happened
app = typer.Typer(
    name="arrears",
    help="Collects delinquent loans: each one a durable case.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
strategy_app = typer.Typer(help="Strategies: published once, never changed.", no_args_is_help=True)
secret_app = typer.Typer(help="Secrets of lenders and their payment processors.", no_args_is_help=True)
rules_app = typer.Typer(help="Contact rules and where they are written.", no_args_is_help=True)
suspense_app = typer.Typer(help="Money whose loan is not known yet.", no_args_is_help=True)
app.add_typer(strategy_app, name="strategy")
app.add_typer(rules_app, name="rules")
app.add_typer(secret_app, name="secret")
app.add_typer(suspense_app, name="suspense")

for function in (
    services.up,
    services.demo,
    intake.intake,
    intake.entries,
    intake.recalls,
    intake.balances,
    money.entry,
    money.money,
    reconcile.reconcile,
    operate.sweep,
    reopen.reopen,
    cases.case,
    cases.tasks,
    cases.outcome,
    cases.send,
    explain.why,
    control.verify,
    cases.report,
    control.stop,
    control.go,
    watching.shadow,
    watching.feed,
    terms.terms,
    watching.alerts,
    services.worker,
    services.relay,
    services.api,
    codec.codec,
    operate.healthy,
    operate.migrate,
    operate.register,
    operate.replay,
    operate.rebuild,
    erase.erase,
    recover.recover,
    intake.sample,
):
    app.command()(function)
strategy_app.command("publish")(strategies.publish)
strategy_app.command("list")(strategies.list_)
strategy_app.command("show")(strategies.show)
suspense_app.command("list")(money.list_)
suspense_app.command("match")(money.match)
rules_app.command("list")(rules.list_)
rules_app.command("show")(rules.show)
rules_app.command("check")(rules.check)
rules_app.command("choose")(rules.choose)
secret_app.command("add")(secrets.add)
secret_app.command("list")(secrets.list_)
secret_app.command("retire")(secrets.retire)


def main() -> None:
    """Run a command. Exit 0 done, 1 a check failed, 2 bad use, unknown loan, or a part is down."""
    code = _run()
    with suppress(OSError):  # whoever read the output is gone
        sys.stdout.flush()
        sys.stderr.flush()
    # Threads of Temporal's client may still report something, which aborts an interpreter that is taking itself down.
    os._exit(code)


def _run() -> int:
    try:
        log_to_stderr()
        code: int | None = app(prog_name="arrears", standalone_mode=not _for_a_program())
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except TyperException as error:
        return _refused("bad_use", _misuse(error))
    except BadInput as error:
        return _refused(error.code, str(error))
    except asyncpg.DataError:
        return _refused("bad_use", "a value given is too large, or no plain text, for the ledger to keep: correct it.")
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        return _refused("internal", _unforeseen(error))
    return code or 0


def _for_a_program() -> bool:
    return "--json" in sys.argv


def _misuse(error: TyperException) -> str:
    """Why the command line cannot be understood; people see from the library itself how a command is used."""
    context = getattr(error, "ctx", None)
    how = context.command_path if context else "arrears"
    return f"{error.format_message().rstrip('.')}: see `{how} --help`."


def _refused(code: str, message: str) -> int:
    """Say why the command was not carried out, to the program or the person who called it."""
    if _for_a_program():
        print_json({"error": {"code": code, "message": message}})
    else:
        sys.stderr.write(f"{message}\n")
    return 2


def _unforeseen(error: Exception) -> str:
    """An error that nobody expected: of what kind, and where; its own words may quote a person."""
    if set(sys.argv[1:2]) & SERVICES or log.isEnabledFor(logging.INFO):
        log.error("This should not have happened.", exc_info=error)
    frames = [frame for frame in walk_tb(error.__traceback__) if "site-packages" not in frame[0].f_code.co_filename]
    frame, line = frames[-1]
    where = f"{frame.f_globals.get('__name__')}:{line}"
    return (
        f"{type(error).__name__} at {where} is a mistake of ours: report this line, with ARREARS_LOG=INFO more of it."
    )
