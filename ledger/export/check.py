"""Checks the exported file of a case: `python check.py [FOLDER]`. It needs Python and nothing else: no database, no network.

Every file must have the hash that MANIFEST.json names, the audit log must be one unbroken chain up to the hash that MANIFEST.json
names, and contacts, tasks and journal must stand as the log saw them last. Exit 0 if so, 1 if something differs, 2 if this is no export.

To know that nobody wrote a new file with a new chain, compare the last hash of the chain, which this prints, with one that you were
given on another day or by another hand.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

MANIFEST, CASE, FORMAT = "MANIFEST.json", "case.json", "arrears case 1"


class Link(NamedTuple):
    """One link of a chain; hashes in hex, `at` in UTC as `2026-03-02T12:00:00.000000Z`."""

    seq: int
    at: str
    kind: str
    subject: str
    content_hash: str
    previous: str
    hash: str


class Fault(NamedTuple):
    """What does not hold: what kind of fault, at which link, row or file, and one sentence."""

    kind: str
    id: str
    detail: str


def sha256(text: str) -> str:
    """The SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def first_previous(lender_id: str, loan_id: str) -> str:
    """What a loan's first link takes for the hash before it, so that no chain passes for another loan's."""
    return sha256(f"{lender_id}\n{loan_id}")


def link_hash(link: Link) -> str:
    """The hash that a link must have."""
    return sha256("\n".join((link.previous, str(link.seq), link.at, link.kind, link.subject, link.content_hash)))


def content_hash(salt: str, content: str) -> str:
    """The hash that a content must have, its salt a UUID in its usual form."""
    return sha256(salt + content)


def link_faults(link: Link, before: Link | None, first: str) -> Iterator[Fault]:
    """What is wrong between a link and the one before it; `first` is what the first link of this loan takes for one."""
    expected = before.seq + 1 if before else 1
    if link.seq != expected:
        missing = str(expected) if link.seq == expected + 1 else f"{expected} to {link.seq - 1}"
        yield Fault("gap", str(link.seq), f"link {missing} of the log is missing before link {link.seq}")
    elif link.previous != (before.hash if before else first):
        where = f"link {before.seq}" if before else "this loan"
        yield Fault("previous", str(link.seq), f"link {link.seq} of the log does not continue {where}")
    if link.hash != link_hash(link):
        yield Fault("hash", str(link.seq), f"link {link.seq} of the log ({link.kind} {link.subject}) was changed")


def content_faults(link: Link, salt: str | None, content: str | None, erased: bool) -> Iterator[Fault]:
    """What is wrong with a link's content; one that was erased is not."""
    what = f"the content of link {link.seq} of the log ({link.kind} {link.subject})"
    if salt is None or content is None:
        if not erased:
            yield Fault("content", str(link.seq), f"{what} is gone, and was never erased")
    elif content_hash(salt, content) != link.content_hash:
        yield Fault("content", str(link.seq), f"{what} was changed")


def end_faults(last: Link | None, head_seq: int, head_hash: str) -> Iterator[Fault]:
    """What is wrong at the end of a chain that is said to end at `head_seq` with `head_hash`."""
    ends = last.seq if last else 0
    if ends != head_seq:
        yield Fault("end", str(ends), f"the log ends at link {ends} and should end at link {head_seq}")
    elif last is not None and last.hash != head_hash:
        yield Fault("end", str(ends), f"the log ends at link {ends} with another hash than its head has")


def faults(folder: Path) -> list[Fault]:
    """Everything in an export that differs.

    Raises:
        ValueError: the folder holds no export, in one sentence.
    """
    manifest = _read(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValueError(f"{folder} holds no export of a case: its {MANIFEST} is missing or of another kind.")
    found = list(_file_faults(folder, manifest["files"]))
    case = _read(folder / CASE)
    if isinstance(case, dict):
        found += _chain_faults(case, manifest["audit_head"])
        found += _row_faults(case)
    return found


def _read(path: Path) -> Any:
    try:
        # Numbers as they are written: an amount is compared as text, never as a float.
        return json.loads(path.read_text("utf-8"), parse_float=str)
    except (OSError, ValueError):
        return None


def _file_faults(folder: Path, listed: Mapping[str, str]) -> Iterator[Fault]:
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {MANIFEST}
    for name in sorted(present | set(listed)):
        if name not in listed:
            if "__pycache__" not in name:
                yield Fault("file", name, f"{name} is not of this export")
        elif name not in present:
            yield Fault("file", name, f"{name} is missing")
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != listed[name]:
            yield Fault("file", name, f"{name} was changed")


def _chain_faults(case: Mapping[str, Any], head: Mapping[str, Any]) -> Iterator[Fault]:
    first, before = first_previous(case["lender_id"], case["loan_id"]), None
    for row in case["audit"]:
        link = Link(*(row[name] for name in Link._fields))
        yield from link_faults(link, before, first)
        yield from content_faults(link, row["salt"], row["content"], row["erased_at"] is not None)
        before = link
    yield from end_faults(before, head["seq"], head["hash"])


def _row_faults(case: Mapping[str, Any]) -> Iterator[Fault]:
    """Rows of the file that stand otherwise than the log saw them last."""
    for kind, table, key in (
        ("contact", "contacts", "contact_id"),
        ("task", "tasks", "task_id"),
        ("event", "events", "id"),
    ):
        seen = _last_seen(kind, case["audit"])
        rows = {str(row[key]): row for row in case[table]}
        for subject in sorted(rows.keys() | seen.keys()):
            if subject not in seen:
                yield Fault("row", subject, f"{kind} {subject} is not in the log")
            elif subject not in rows:
                yield Fault("row", subject, f"{kind} {subject} is in the log and not in the file")
            elif seen[subject] is not None:
                changed = [n for n, v in seen[subject].items() if n != "permit_digest" and rows[subject].get(n) != v]
                if changed:
                    names = ", ".join(sorted(changed))
                    yield Fault("row", subject, f"{kind} {subject} differs from what the log saw last: {names}")


def _last_seen(kind: str, links: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the log saw last of each row, with its last permit; None where that was erased."""
    seen: dict[str, Any] = {}
    for link in links:
        if link["kind"] == kind:
            content = json.loads(link["content"], parse_float=str) if link["content"] else None
            if content is not None and content.get("permit_digest") and "permit" not in content:
                content |= {"permit": (seen.get(link["subject"]) or {}).get("permit")}
                if content["permit"] is None:  # the link that had it was erased
                    del content["permit"]
            seen[link["subject"]] = content
    return seen


def main(arguments: list[str]) -> int:
    """Check a folder, the one of this file where none is named; say what differs."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        found = faults(folder)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for fault in found:
        sys.stdout.write(f"{fault.detail}.\n")
    if found:
        return 1
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    head = manifest["audit_head"]
    sys.stdout.write(
        f"Nothing differs in {len(manifest['files'])} files. The log ends at link {head['seq']}: {head['hash']}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
