"""What is told of one thing that the gate judged: when, to whom, on which facts, by which rules, and what came of it."""

from datetime import datetime
from typing import Any, NamedTuple

from domain.gate import STOPPED
from ledger.explain.facts import facts_in_words
from ledger.explain.judged import Judged, Rule
from ledger.explain.words import Words, utc


class Part(NamedTuple):
    """A part of an account: its label and its paragraphs."""

    label: str
    lines: list[str]


class Account(NamedTuple):
    """An account of one judgement, for people; `verdict` is permit, shadow, defer, forbid or none."""

    id: str
    verdict: str
    title: str
    parts: list[Part]


def account(judged: Judged, words: Words) -> Account:
    """Tell it; a name is never told, and of a number only its last two digits."""
    verdict = _verdict(judged)
    parts = [
        ("when", [_when(judged, words)]),
        ("to", _to(judged, words)),
        ("facts", _facts(judged, words)),
        (verdict if verdict in {"defer", "forbid"} else "permit", _rules(judged, words)),
        ("until", _until(judged, words)),
        ("result", _result(judged, words)),
        ("text", [judged.row["body"]] if judged.kind == "contact" and judged.row["body"] else []),
        ("carrier", _carrier(judged, words)),
        ("record", _record(judged, words)),
    ]
    told = [Part(words.say("labels", label), lines) for label, lines in parts if lines]
    return Account(judged.id, verdict, words.say("titles", verdict, what=_what(judged, words)), told)


def _verdict(judged: Judged) -> str:
    kept = judged.verdict
    if kept.get("shadow"):
        return "shadow"
    usual = {"deferred": "defer", "forbidden": "forbid", "shadowed": "shadow"}
    return str(kept.get("verdict") or usual.get(judged.kind, "none"))


def _what(judged: Judged, words: Words) -> str:
    request = judged.seen.request if judged.seen else None
    if request is None and judged.kind != "contact":
        return str(judged.row["kind"] if judged.kind == "task" else judged.row["data"].get("step") or judged.id)
    channel = request.channel if request else judged.row["channel"]
    purpose = request.purpose if request else judged.row["purpose"]
    section = "task" if judged.kind == "task" else "contact"
    return words.say("what", section, channel=words.say("channels", channel), purpose=words.say("purposes", purpose))


def _when(judged: Judged, words: Words) -> str:
    zones = judged.seen.facts.zones if judged.seen else ()
    return _moment(judged.at, zones, words, "facts", "when")


def _moment(at: datetime, zones: tuple[str, ...], words: Words, section: str, name: str) -> str:
    if not zones:
        return words.say(section, f"{name}_utc", utc=utc(at))
    return words.say(section, name, local=words.local(at, zones[0]), zone=zones[0], utc=utc(at))


def _to(judged: Judged, words: Words) -> list[str]:
    if judged.seen is None and judged.kind != "contact":
        return []
    who = words.say("roles", judged.seen.facts.party.role if judged.seen else "borrower")
    value = judged.row["contact_value"] if judged.kind == "contact" else None
    return [words.say("values", _kind_of(value), who=who, digits=(value or "")[-2:])]


def _kind_of(value: str | None) -> str:
    if value is None:
        return "none"
    return "number" if value.removeprefix("+").isdigit() else "email" if "@" in value else "address"


def _facts(judged: Judged, words: Words) -> list[str]:
    seen = judged.seen
    if seen is None:
        return [words.say("facts", "old")] if judged.permit.get("facts") else []
    return facts_in_words(seen.request, seen.facts, seen.books, seen.owed, words)


def _rules(judged: Judged, words: Words) -> list[str]:
    """The rules that spoke; in a permit those of the engine in one sentence, for they are asked of every contact."""
    rules = judged.rules
    if judged.verdict.get("verdict") != "permit":
        return [_rule(r, judged, words) for r in rules]
    always = [r.id for r in rules if r.status == "core"]
    told = [words.say("record", "always", rules=words.several(always))] if always else []
    return [*told, *(_rule(r, judged, words) for r in rules if r.status != "core")]


def _rule(rule: Rule, judged: Judged, words: Words) -> str:
    written = "; ".join(part for part in (rule.id, rule.citation, words.say("statuses", rule.status)) if part)
    told = f"{rule.says} ({written})" if rule.says else f"({written})"
    if rule.until is None or rule.id == STOPPED:
        return told
    zones = judged.seen.facts.zones if judged.seen else ()
    return f"{told} {_moment(rule.until, zones, words, 'record', 'alone')}"


def _until(judged: Judged, words: Words) -> list[str]:
    if STOPPED in judged.verdict.get("rules", []):
        return [words.say("record", "released")]
    until = judged.verdict.get("until")
    if not until:
        return []
    zones = judged.seen.facts.zones if judged.seen else ()
    return [_moment(datetime.fromisoformat(until), zones, words, "record", "all")]


def _result(judged: Judged, words: Words) -> list[str]:
    row = judged.row
    if judged.kind == "task":
        told = [words.say("states", "handed_out", task=row["task_id"])]
        return [*told, words.say("states", "answered", outcome=row["outcome"])] if row["outcome"] else told
    if judged.kind != "contact":
        return [words.say("states", "not_made")]
    told = [words.say("states", row["state"], reason=row["reason"] or "")]
    return [*told, words.say("states", "answered", outcome=row["outcome"])] if row["outcome"] else told


def _carrier(judged: Judged, words: Words) -> list[str]:
    if judged.kind != "contact":
        return []
    row = judged.row
    took = "took_call" if row["channel"] == "voice" else "took"
    said: list[tuple[str, dict[str, Any]]] = [
        (took, {"id": row["taken_as"]}),
        *(("also", {"id": other}) for other in row["also_taken_as"]),
        ("status", {"status": row["carrier_status"]}),
        ("error", {"code": row["error_code"]}),
    ]
    told = [words.say("carrier", name, **values) for name, values in said if next(iter(values.values())) is not None]
    return told + _registered(judged, words)


def _registered(judged: Judged, words: Words) -> list[str]:
    """Under which ids the sender and the text stand in the register of the person's country, and which are missing."""
    known = judged.registered
    if known is None:
        return []
    ids = [f"{name} {known[name]}" for name in ("entity", "sender", "template") if known[name] is not None]
    missing = list(known["missing"])
    told = [words.say("carrier", "registered", registry=known["registry"], ids=words.several(ids))] if ids else []
    if missing:
        told.append(words.say("carrier", "missing", registry=known["registry"], needs=words.several(missing)))
    return told


def _record(judged: Judged, words: Words) -> list[str]:
    permit = judged.permit
    said = [words.say("record", "version", version=judged.version)] if judged.version is not None else []
    if "engine" in permit:
        said.append(words.say("record", "engine", engine=permit["engine"]))
    if isinstance(permit.get("rulebooks"), dict):
        said += [words.say("record", "book", name=n, digest=d[:12]) for n, d in permit["rulebooks"].items()]
    return [words.several(said)] if said else []
