"""Writes the file of a case into a folder: all of it or nothing."""

import hashlib
import json
import shutil
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from domain.errors import BadInput
from domain.loan import LoanKey
from ledger.export.check import CASE, FORMAT, MANIFEST
from ledger.export.gathering import gather, head, letters
from ledger.export.page import page


async def export_case(conn: Any, key: LoanKey, folder: Path) -> dict[str, Any]:
    """Write the file of a case into a folder, in the place of an older export; its manifest.

    Raises:
        BadInput: the loan has no case, or the folder holds something else or cannot be written.
    """
    folder = _free(folder)
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute(
            "set local timezone = 'UTC'"
        )  # rows as JSON are compared with the audit log, which writes times so
        case, pdfs, ends = await gather(conn, key), await letters(conn, key), await head(conn, key)
    contents = {
        CASE: _json(case),
        "index.html": page(case, ends, sorted(pdfs)).encode(),
        "check.py": (files("ledger") / "export" / "check.py").read_bytes(),
        **{f"letters/{contact_id}.pdf": pdf for contact_id, pdf in pdfs.items()},
    }
    manifest = {
        "format": FORMAT,
        "lender_id": key.lender_id,
        "loan_id": key.loan_id,
        "audit_head": ends,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(contents.items())},
    }
    try:
        _put(folder, contents | {MANIFEST: _json(manifest)})
    except OSError as error:
        raise BadInput(f"--export {folder} cannot be written ({error.strerror}): choose another folder.") from None
    return manifest


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def _free(folder: Path) -> Path:
    """The folder's full name, if nothing stands in it that is not of an export: nothing else is ever deleted."""
    folder = folder.resolve()
    if not folder.exists():
        return folder
    if not folder.is_dir():
        raise BadInput(f"--export {folder} is a file: name a folder that is new or empty.")
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}
    strangers = sorted(present - _listed(folder))
    if strangers:
        raise BadInput(
            f"--export {folder} holds {strangers[0]}, which is of no export: name a folder that is new or empty."
        )
    return folder


def _listed(folder: Path) -> set[str]:
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        return {MANIFEST, *manifest["files"]} if manifest["format"] == FORMAT else set()
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _put(folder: Path, contents: dict[str, bytes]) -> None:
    """Write beside it, then take its place."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        new, old = beside / "new", beside / "old"
        for name, content in contents.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_bytes(content)
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(beside)
