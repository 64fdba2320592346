"""The file of a case: complete, the same each time, checkable by itself, and never written over anything else."""

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from domain.errors import BadInput
from ledger.audit import erase
from ledger.export.check import faults, main
from ledger.export.writing import export_case
from tests.ledger.judgements import NAME, NUMBER, a_life
from tests.ledger.samples import KEY, Pool, add_loan

PDF = b"%PDF-1.7 a letter"


@pytest_asyncio.fixture
async def lived(pool: Pool) -> AsyncIterator[Pool]:
    """A case in which something of everything happened."""
    await a_life(pool)
    await pool.execute("insert into letters values ('sent', $1, '')", PDF)
    await pool.execute(
        "insert into holds values ('H', 'default', 'person', 'B-L-1', 'dispute', '{contact}', now(), null, null, 'desk')"
    )
    await pool.execute(
        "insert into inbound (carrier_id, sender, body, received_at) values ('SM9', $1, 'già pagato', now())", NUMBER
    )
    await pool.execute("update contacts set cost = 0.070, minutes = 2 where contact_id = 'sent'")
    yield pool


async def export(pool: Pool, folder: Path) -> dict[str, Any]:
    async with pool.acquire() as conn:
        return await export_case(conn, KEY, folder)


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_the_file_is_complete(lived: Pool, tmp_path: Path) -> None:
    manifest = await export(lived, tmp_path / "file")
    files = content(tmp_path / "file")
    assert set(files) == {"MANIFEST.json", "case.json", "index.html", "check.py", "letters/sent.pdf"}
    assert files["letters/sent.pdf"] == PDF
    assert manifest == json.loads(files["MANIFEST.json"])
    assert manifest["files"] == {n: hashlib.sha256(c).hexdigest() for n, c in files.items() if n != "MANIFEST.json"}
    head = await lived.fetchrow("select seq, encode(hash, 'hex') as hash from audit_heads")
    assert head is not None
    assert manifest["audit_head"] == dict(head)
    case = json.loads(files["case.json"])
    assert [c["contact_id"] for c in case["contacts"]] == ["sent", "refused", "watched"]
    assert case["contacts"][0]["permit"]["facts"]["zones"] == ["Europe/Rome"]
    assert case["contacts"][0]["cost"] == "0.070"
    assert case["instalments"][0]["principal"] == "100"
    assert case["parties"][0]["name"] == NAME
    assert [b["name"] for b in case["rulebooks"]] == ["house"]
    assert [h["hold_id"] for h in case["holds"]] == ["H"]
    assert case["inbound"][0]["body"] == "già pagato"
    assert case["tasks"][0]["outcome"] == "NO_ANSWER"
    assert len(case["audit"]) == head["seq"] == len(await lived.fetch("select from audit"))
    assert len(case["explained"]) == 5


async def test_the_page_reads_alone(lived: Pool, tmp_path: Path) -> None:
    await lived.execute("update parties set name = '<script>alert(1)</script>'")
    await export(lived, tmp_path)
    page = (tmp_path / "index.html").read_text("utf-8")
    for text in (
        "Case of loan L-1",
        "Nobody is contacted before 8 in the morning",
        NUMBER,
        "letters/sent.pdf",
        "house.HOURS",
        "dispute",
    ):
        assert text in page
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "http://" not in page
    assert "https://" not in page


async def test_the_same_ledger_gives_the_same_bytes(lived: Pool, tmp_path: Path) -> None:
    await export(lived, tmp_path / "one")
    await export(lived, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    await lived.execute("update contacts set reason = 'other' where contact_id = 'watched'")
    await export(lived, tmp_path / "two")
    assert content(tmp_path / "one") != content(tmp_path / "two")
    assert faults(tmp_path / "two") == []


async def test_a_stranger_checks_it_without_us(lived: Pool, tmp_path: Path) -> None:
    manifest = await export(lived, tmp_path / "file")
    assert await _alone(tmp_path / "file" / "check.py") == (
        0,
        f"Nothing differs in 4 files. The log ends at link {manifest['audit_head']['seq']}: {manifest['audit_head']['hash']}\n",
    )
    (tmp_path / "file" / "letters" / "sent.pdf").write_bytes(PDF + b" ")
    assert await _alone(tmp_path / "file" / "check.py") == (1, "letters/sent.pdf was changed.\n")


async def _alone(program: Path) -> tuple[int | None, str]:
    """A program's exit code and output, where neither this project nor any package can be imported."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(program), cwd=program.parent.parent, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await started.communicate()
    return started.returncode, out.decode()


async def test_an_erased_content_breaks_nothing(lived: Pool, tmp_path: Path) -> None:
    async with lived.acquire() as conn:
        await erase(conn, KEY)
    await export(lived, tmp_path)
    assert faults(tmp_path) == []


def _seal(folder: Path) -> None:
    """What a careful forger does: name the new hashes in the manifest."""
    manifest = json.loads((folder / "MANIFEST.json").read_text("utf-8"))
    manifest["files"] = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in manifest["files"]}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest), "utf-8")


def _set(**values: Any) -> Callable[[dict[str, Any]], None]:
    def change(case: dict[str, Any]) -> None:
        case["contacts"][0] |= values

    return change


def _in_log(position: int, **values: Any) -> Callable[[dict[str, Any]], None]:
    def change(case: dict[str, Any]) -> None:
        case["audit"][position] |= values

    return change


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (_set(state="failed"), [("row", "sent")]),
        (_set(permit=None), [("row", "sent")]),
        (_set(cost="0.07"), [("row", "sent")]),
        (_set(body="You owe 10.00 EUR."), [("row", "sent")]),
        (lambda case: case["contacts"].pop(0), [("row", "sent")]),
        (lambda case: case["tasks"].clear(), [("row", "L-1.1.call-1.1")]),
        (lambda case: case["events"].append({**case["events"][0], "id": 999}), [("row", "999")]),
        (lambda case: case["audit"].pop(1), [("gap", "3")]),
        (lambda case: case["audit"].pop(0), [("gap", "2")]),
        (lambda case: case["audit"].pop(), [("end", "9"), ("row", "sent")]),
        (_in_log(1, at="2026-03-10T12:00:00.000000Z"), [("hash", "2")]),
        (_in_log(1, salt="00000000-0000-0000-0000-000000000000"), [("content", "2")]),
        (_in_log(1, salt=None, content=None), [("content", "2")]),
        (_in_log(1, previous="00"), [("previous", "2"), ("hash", "2")]),
    ],
)
async def test_a_forged_file_is_named(
    lived: Pool, tmp_path: Path, change: Callable[[dict[str, Any]], None], found: list[tuple[str, str]]
) -> None:
    await export(lived, tmp_path)
    case = json.loads((tmp_path / "case.json").read_text("utf-8"))
    change(case)
    (tmp_path / "case.json").write_text(json.dumps(case), "utf-8")
    assert ("file", "case.json") in [f[:2] for f in faults(tmp_path)]
    _seal(tmp_path)
    assert [f[:2] for f in faults(tmp_path)] == found


async def test_a_chain_of_another_loan_is_named(lived: Pool, tmp_path: Path) -> None:
    await export(lived, tmp_path)
    case = json.loads((tmp_path / "case.json").read_text("utf-8"))
    (tmp_path / "case.json").write_text(json.dumps(case | {"loan_id": "L-2"}), "utf-8")
    _seal(tmp_path)
    assert [f[:2] for f in faults(tmp_path)] == [("previous", "1")]


async def test_a_file_too_many_or_too_few_is_named(lived: Pool, tmp_path: Path) -> None:
    await export(lived, tmp_path)
    (tmp_path / "index.html").unlink()
    (tmp_path / "note.txt").write_text("hello")
    assert [f.detail for f in faults(tmp_path)] == ["index.html is missing", "note.txt is not of this export"]
    assert main([str(tmp_path)]) == 1


def test_a_folder_without_an_export_is_no_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert "holds no export of a case" in capsys.readouterr().err


async def test_nothing_else_is_ever_written_over(lived: Pool, tmp_path: Path) -> None:
    await export(lived, tmp_path / "file")
    for folder, name in (("mine", "thesis.txt"), ("file", "letters/notes.txt"), ("other", "MANIFEST.json")):
        stranger = tmp_path / folder / name
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_text("mine")
        before = content(tmp_path)
        with pytest.raises(BadInput, match=f"holds {name}, which is of no export"):
            await export(lived, tmp_path / folder)
        assert content(tmp_path) == before
    with pytest.raises(BadInput, match="is a file"):
        await export(lived, tmp_path / "mine" / "thesis.txt")


async def test_what_cannot_be_written_leaves_nothing_behind(lived: Pool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        await export(lived, tmp_path / "file" / "below")
    assert content(tmp_path) == {"file": b""}


async def test_a_loan_without_a_case(pool: Pool, tmp_path: Path) -> None:
    await add_loan(pool)
    with pytest.raises(BadInput, match="loan default/L-1 has no case to export"):
        await export(pool, tmp_path / "file")
    assert content(tmp_path) == {}
