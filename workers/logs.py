"""The log of a process: lines for people, or of JSON for programs. Neither names a person (docs/telemetry.md)."""

import json
import logging
import os
from datetime import UTC, datetime

from domain.errors import BadInput

# What the SDK says of a workflow or an activity, as ids.
OF_A_CASE = ("workflow_id", "run_id", "workflow_type", "activity_type", "activity_id", "attempt", "task_queue")


class JsonLines(logging.Formatter):
    """One JSON object a line: when, how bad, who says it, what; and of which case, by ids."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for source in ("temporal_workflow", "temporal_activity"):
            of_case = getattr(record, source, None)
            if isinstance(of_case, dict):
                told |= {name: of_case[name] for name in OF_A_CASE if name in of_case}
        if record.exc_info:
            # Where it happened and of what kind: an error's own words may quote what a borrower wrote.
            kind, _, tail = record.exc_info
            told["error"] = kind.__name__ if kind else None
            frames = []
            while tail is not None:
                frames.append(f"{tail.tb_frame.f_globals.get('__name__')}:{tail.tb_lineno}")
                tail = tail.tb_next
            told["where"] = frames[-8:]
        return json.dumps(told, ensure_ascii=False, default=str)


def log_to_stderr() -> None:
    """Log as ARREARS_LOG and ARREARS_LOG_FORMAT ask: a level, and `text` or `json`.

    Raises:
        BadInput: there is no such level.
    """
    level = os.environ.get("ARREARS_LOG", "").upper() or "WARNING"
    if level not in logging.getLevelNamesMapping():
        raise BadInput(f"ARREARS_LOG {level!r} is no level: use DEBUG, INFO, WARNING or ERROR.")
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    if os.environ.get("ARREARS_LOG_FORMAT", "").lower() == "json":
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
