"""Writes the reference from the code: commands, messages, tables, settings. `make reference` runs it; a test holds the pages to it."""

import asyncio
import inspect
import re
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import asyncpg
import typer.main
from pydantic import BaseModel

HERE = Path(__file__).parent
MADE = "Made from the code by `make reference`; do not edit."
PLAIN = {str: "text", int: "whole number", bool: "true or false", date: "date", datetime: "time"}


def pages(schema: list[Any]) -> dict[str, str]:
    """Each page by its name; `schema` is what `read_schema` found."""
    return {
        "commands": _commands(),
        "messages": _messages(),
        "tables": _tables(schema),
        "settings": _settings(),
    }


# --- commands ---


def _commands() -> str:
    from arrears.cli import app

    root = typer.main.get_command(app)
    lines = _head(
        "Commands",
        "`arrears COMMAND --help` says the same. Exit 0: done. 1: a check failed. 2: bad use, or a part is down.",
    )
    for name, command in _each_command(root):
        lines += ["", f"## arrears {name}", "", _sentence(command.help)]
        rows = [_parameter(each) for each in command.params if not getattr(each, "hidden", False)]
        shown = [row for row in rows if row[0] != "`--help`"]
        if shown:
            lines += ["", *_table(("argument or option", "what it is", "default"), shown)]
    return _page(lines)


def _each_command(group: Any, before: str = "") -> Iterable[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _each_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _parameter(each: Any) -> tuple[str, str, str]:
    required = "required" if each.required else ""
    default = each.default if each.default not in (None, False, ()) and not each.required else ""
    if each.param_type_name == "argument":
        return f"`{each.name.upper()}`", _sentence(each.help), required or _shown(default)
    value = "" if each.is_flag else f" {each.metavar or _value(each.type_descriptor.annotation)}"
    return f"`{', '.join(each.opts)}{value}`", _sentence(each.help), required or _shown(default)


def _value(kind: Any) -> str:
    return {"str": "TEXT", "Path": "FILE", "int": "NUMBER", "float": "NUMBER"}.get(kind.__name__, kind.__name__.upper())


# --- messages ---


WORKFLOW_IDS = {
    "CollectionCase": "`loan-<lender_id>-<loan_id>`",
    "DelinquencySweep": "`sweep-<lender_id>`, `sweep` for all lenders, or `sweep-loan-<lender_id>-<loan_id>` for one loan that is past due again",
}


def _messages() -> str:
    from activities.contracts.attributes import types
    from workers.fleet import WORKFLOWS

    lines = _head("Messages", "The workflows, what they hear and answer, and the activities that they have done.")
    for workflow in WORKFLOWS:
        lines += _workflow(workflow, getattr(workflow, "__temporal_workflow_definition"))
    lines += [
        "",
        "## Activities",
        "",
        "By task queue; an attempt that takes longer is given up, and those of a sweep go by pages.",
    ]
    lines += _activities()
    attributes = [(f"`{name}`", kind) for name, kind in types().items()]
    lines += ["", "## Search attributes", "", *_table(("name", "type"), attributes)]
    return _page(lines)


def _workflow(workflow: type, defined: Any) -> list[str]:
    """What one workflow begins with, hears and answers."""
    from domain.messages import UPDATES, Answer

    about = f"{_sentence(workflow.__doc__)} Its id is {WORKFLOW_IDS[defined.name]}."
    lines = ["", f"## {defined.name}", "", about]
    for begins in defined.arg_types:
        lines += [
            "",
            f"It begins with {', '.join(f'`{name}`' for name in begins.model_fields)}. {_sentence(begins.__doc__)}",
        ]
    if defined.updates:
        lines += ["", "### Updates", "", "Sent by people and the desk; each waits until the case has absorbed it."]
        lines += ["", "Answer: " + _fields_in_line(Answer) + "."]
    for name, update in defined.updates.items():
        lines += ["", f"#### {name}", "", _sentence(update.description)]
        lines += ["", *_table(("field", "type", "default"), _fields(UPDATES[name]))]
    if defined.signals:
        heard = [(*said, _given(defined.signals[name].arg_types)) for name, said in _described(defined.signals)]
        lines += ["", "### Signals", "", *_table(("signal", "what it says", "fields"), heard)]
    if defined.queries:
        asked = [said for _, said in _described(defined.queries)]
        lines += ["", "### Queries", "", *_table(("query", "what it answers"), asked)]
    return lines


def _given(models: Iterable[type[BaseModel]] | None) -> str:
    """The fields that a handler is given; some models take more, and keep it as it is."""
    return ", ".join(
        _fields_in_line(model) + (", and more" if model.model_config.get("extra") == "allow" else "")
        for model in models or ()
    )


def _activities() -> list[str]:
    """What each task queue offers. Nothing of the world is reached for a description."""
    from activities.contracts import ABSORB, CASES, CONTRACTS, DECIDE, LEDGER_ONLY
    from activities.registry import World, activities_by_queue

    nothing: Any = None
    lines: list[str] = []
    contracts = {DECIDE: LEDGER_ONLY, ABSORB: LEDGER_ONLY, **{action.value: each for action, each in CONTRACTS.items()}}
    attempts = {name: f"{each.start_to_close.total_seconds():.0f} s" for name, each in contracts.items()}
    for queue, offered in activities_by_queue(World(nothing, nothing, nothing, nothing, "")).items():
        lines += ["", f"### {queue}", ""]
        if queue == CASES:
            lines += ["Local: each costs one event, touches only the ledger, and runs with the workflows.", ""]
        rows = []
        for activity in offered:
            name = getattr(activity, "__temporal_activity_definition").name
            rows.append((f"`{name}`", _first_sentence(activity.__doc__), attempts.get(name, "")))
        lines += _table(("activity", "what it does", "one attempt"), rows)
    return lines


def _described(handlers: dict[Any, Any]) -> list[tuple[str, tuple[str, str]]]:
    """Each handler by its name, with its first cells of a table."""
    return [(name, (f"`{name}`", _sentence(each.description))) for name, each in handlers.items() if name is not None]


def _fields(model: type[BaseModel]) -> list[tuple[str, str, str]]:
    return [
        (
            f"`{name}`",
            _kind(each.annotation),
            "required" if each.is_required() else _shown(each.get_default(call_default_factory=True)),
        )
        for name, each in model.model_fields.items()
    ]


def _fields_in_line(model: type[BaseModel]) -> str:
    return ", ".join(f"`{name}` ({_kind(each.annotation)})" for name, each in model.model_fields.items())


def _kind(annotation: Any) -> str:
    if annotation in PLAIN:
        return PLAIN[annotation]
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(map(str, inner))
    if origin in (Union, UnionType):
        return " or ".join(_kind(each) for each in inner if each is not NoneType)
    if origin is tuple:
        return f"list of {_kind(inner[0])}"
    if origin is dict or annotation is dict:
        return "object"
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return (
            "{" + ", ".join(f"{name}: {_kind(each.annotation)}" for name, each in annotation.model_fields.items()) + "}"
        )
    if hasattr(annotation, "__members__"):
        return ", ".join(each.value for each in annotation)
    return {"Decimal": "amount", "Any": "anything"}.get(getattr(annotation, "__name__", ""), str(annotation))


# --- tables ---

SCHEMA = """
select c.relname as name, c.relkind = 'v' as is_view, obj_description(c.oid, 'pg_class') as about, a.attname as column,
    format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as needed, col_description(c.oid, a.attnum) as says,
    coalesce(a.attnum = any(k.conkey), false) as is_key
from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v') and c.relname <> 'schema_migrations'
order by c.relname, a.attnum
"""


async def read_schema(database_url: str) -> list[Any]:
    """Every column of a database that has this release's schema."""
    connection = await asyncpg.connect(database_url)
    try:
        return [dict(row) for row in await connection.fetch(SCHEMA)]
    finally:
        await connection.close()


def _tables(schema: list[Any]) -> str:
    lines = _head(
        "Tables",
        "The ledger in PostgreSQL. Columns of the primary key are marked with *; null is allowed where it says so.",
    )
    names = dict.fromkeys(row["name"] for row in schema)
    for name in names:
        columns = [row for row in schema if row["name"] == name]
        lines += ["", f"## {name}{' (view)' if columns[0]['is_view'] else ''}", "", _sentence(columns[0]["about"]), ""]
        rows = [
            (
                f"`{r['column']}`{'*' if r['is_key'] else ''}",
                r["type"] + ("" if r["needed"] or r["is_view"] else ", null"),
                _sentence(r["says"]),
            )
            for r in columns
        ]
        lines += _table(("column", "type", "what it holds"), rows)
    return _page(lines)


# --- settings ---


def _settings() -> str:
    from workers.settings import Settings

    described = tomllib.loads((HERE / "settings.toml").read_text("utf-8"))
    ours = {f"ARREARS_{name.upper()}": field for name, field in Settings.model_fields.items()}
    if odd := sorted(ours.keys() ^ described["arrears"].keys()):
        raise SystemExit(
            f"docs/reference/settings.toml and workers/settings.py differ in {', '.join(odd)}: describe each setting once."
        )
    lines = _head(
        "Settings",
        "All come from the environment; an empty one is as if it were not set. Each service reads those that it needs.",
    )
    rows = [(f"`{name}`", described["arrears"][name], _shown(field.default)) for name, field in ours.items()]
    lines += ["", *_table(("variable", "what it is", "default"), rows)]
    lines += [
        "",
        "## Of others",
        "",
        "Temporal's and Twilio's own names; Temporal reads more (temporalio.envconfig).",
        "",
    ]
    lines += _table(("variable", "what it is"), [(f"`{name}`", says) for name, says in described["elsewhere"].items()])
    return _page(lines)


# --- how a page looks ---


def _head(title: str, about: str) -> list[str]:
    return [f"# {title}", "", f"<!-- {MADE} -->", "", about]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"

    return [line(head), line("---" for _ in head), *map(line, rows)]


def _sentence(text: str | None) -> str:
    words = " ".join((text or "").split())
    return words if not words or words.endswith(".") else f"{words}."


def _first_sentence(text: str | None) -> str:
    return _sentence(re.split(r"(?<=\.)\s", text or "", maxsplit=1)[0])


def _shown(value: object) -> str:
    return "" if value in (None, "", (), {}) else f"`{value}`"


def _page(lines: list[str]) -> str:
    return "\n".join(line.rstrip() for line in lines) + "\n"


async def main() -> None:
    """Make a database of this release's schema, and write the pages."""
    from ledger.migrate import migrate
    from workers.embedded import EmbeddedPostgres

    with TemporaryDirectory(prefix="arrears-reference-") as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        url = await server.start()
        try:
            await asyncio.to_thread(migrate, url)
            schema = await read_schema(url)
        finally:
            await server.stop()
    for name, text in pages(schema).items():
        (HERE / f"{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
