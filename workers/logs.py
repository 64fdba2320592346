"""The log of a process: lines for people at a terminal, or of JSON for programs. What is logged names nobody (docs/telemetry.md)."""

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from traceback import walk_tb

from domain.errors import BadInput

# What the SDK says of a workflow or an activity, as ids.
OF_A_CASE = ("workflow_id", "run_id", "workflow_type", "activity_type", "activity_id", "attempt", "task_queue")

# How the answer of a server ended, of all that Temporal's core says of an error.
GRPC_CODE = re.compile(r"\b(?:status|code): '?([A-Za-z ]+)")

# Loops of events, asyncio's and the workflows', say what was lost in one line, and then its repr, which quotes the error.
LOOPS = ("asyncio", "temporalio.worker._workflow_instance")
CALLS = 8  # of those that led to an error, the last


class TextLines(logging.Formatter):
    """A line for people: how bad, who says it, what; and of an error its kind and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with one more for an error and each call that led to it."""
        lines = [f"{record.levelname} {record.name}: {record.getMessage()}"]
        if error := _error_of(record):
            kind, where = error
            lines += [f"  {kind}", *(f"    {frame}" for frame in where)]
        return "\n".join(lines)


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how bad, who says it, what; of which case, by ids; and as part of which trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= _of_which_case(record)
        told |= _of_which_trace()
        if error := _error_of(record):
            told["error"], told["where"] = error
        return json.dumps(told, ensure_ascii=False, default=str)


def _error_of(record: logging.LogRecord) -> tuple[str, list[str]] | None:
    """The kind of an error, and the calls that led to it, down to where it was raised: its own words may quote what a borrower wrote."""
    kind, _, tail = record.exc_info or (None, None, None)
    if kind is None:
        return None
    calls = [f"{frame.f_globals.get('__name__')}:{line} in {frame.f_code.co_name}" for frame, line in walk_tb(tail)]
    return kind.__name__, calls[-CALLS:]


def _of_which_case(record: logging.LogRecord) -> dict[str, object]:
    """The ids of the workflow or activity that speaks; whatever logs inside an activity has its ids."""
    for source in ("temporal_workflow", "temporal_activity"):
        told = getattr(record, source, None)
        if isinstance(told, dict):
            return {name: told[name] for name in OF_A_CASE if name in told}
    if (said := getattr(record, "temporal_log", None)) is not None:
        return _said_by_core(said.fields)
    if "temporalio.activity" not in sys.modules:  # too long to load for a command that does without
        return {}
    from temporalio import activity

    if not activity.in_activity():
        return {}
    info = activity.info()
    return {name: getattr(info, name) for name in OF_A_CASE if hasattr(info, name)} | {"run_id": info.workflow_run_id}


def ids_alone(record: logging.LogRecord) -> bool:
    """A filter for the lines of Temporal's core, which come without their fields: those that name a case go behind the message.

    The rest stays out. A workflow task that failed comes with the failure, and its words quote what the case was told.
    """
    kept = _said_by_core(record.temporal_log.fields)  # type: ignore[attr-defined] # the SDK puts it there
    if kept:
        record.msg = f"{record.msg} ({', '.join(f'{name}={value}' for name, value in kept.items())})"
    return True


def first_line_alone(record: logging.LogRecord) -> bool:
    """A filter for what a loop of events says: its first line, up to where it quotes what it was about."""
    record.msg, record.args = re.split(r"[(<\n]", record.getMessage(), maxsplit=1)[0].rstrip(), None
    return True


def _said_by_core(fields: dict[str, object]) -> dict[str, object]:
    kept = {name: fields[name] for name in OF_A_CASE if name in fields}
    code = GRPC_CODE.search(str(fields.get("error", "")))
    return kept | ({"answer": code[1].strip()} if code else {})


def _of_which_trace() -> dict[str, object]:
    """The id of the trace under way, where there is one."""
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return {"trace_id": trace.format_trace_id(context.trace_id)} if context.is_valid else {}


def log_to_stderr() -> None:
    """Log as ARREARS_LOG and ARREARS_LOG_FORMAT ask: a level, and `text` or `json`.

    Raises:
        BadInput: there is no such level.
    """
    level = os.environ.get("ARREARS_LOG", "").upper() or "WARNING"
    if level not in logging.getLevelNamesMapping():
        raise BadInput(f"ARREARS_LOG {level!r} is no level: use DEBUG, INFO, WARNING or ERROR.")
    as_json = os.environ.get("ARREARS_LOG_FORMAT", "").lower() == "json"
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else TextLines())
    logging.basicConfig(level=level, handlers=[handler])
    for name in LOOPS:
        logging.getLogger(name).addFilter(first_line_alone)
