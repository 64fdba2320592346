"""What `arrears verify` costs: seconds, and the peak of its memory, over 10,000 and over 100,000 contacts.

Five texts a loan and a part payment between them, on a PostgreSQL of its own. The permits are really given, by the gate's own `decide`
under the shipped house rules; SQL copies them to every loan. The audit triggers fire, so every chain of hashes is there and is checked.
The proof runs in a process of its own each time, so that its peak is its own.

Run it as `.venv/bin/python benchmarks/verify.py [--contacts N]`.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from activities.gate import shipped
from benchmarks.made_up import NOON, Pool, add_cases, ledger
from domain.gate import ContactRequest, GateFacts, PastContact, Permit, decide
from domain.rulebook import Rulebook
from ledger.permits import keep_rulebooks, record
from ledger.pool import open_pool
from ledger.proof import prove

TEXTS = 5  # for each loan
APART = timedelta(days=4)


def permits(digests: dict[str, str], books: tuple[Rulebook, ...]) -> list[dict[str, Any]]:
    """The permits of the texts to one person, each seeing those before it."""
    request = ContactRequest(channel="sms", purpose="collect")
    past: tuple[PastContact, ...] = ()
    found = []
    for n in range(TEXTS):
        now = NOON + n * APART
        facts = GateFacts(now=now, zones=("Europe/Rome",), owes=True, point_kind="mobile", past=past)
        verdict = decide(request, facts, books)
        assert isinstance(verdict, Permit), verdict
        found.append(record(request, facts, digests, verdict))
        past = (*past, PastContact(at=now, channel="sms", purpose="collect", same_loan=True, same_value=True))
    return found


async def fill(pool: Pool, first: int, last: int) -> None:
    """Loans with their texts, made and answered for by the carrier, and a part payment after the third."""
    await add_cases(pool, first, last)
    books = (shipped()["house"],)
    async with pool.acquire() as conn, conn.transaction():
        given = permits(await keep_rulebooks(conn, books), books)
        await conn.execute(
            """
            insert into entries (lender_id, entry_id, loan_id, kind, amount, currency, value_date, ledger_version, commit_order)
            select 'default', 'E' || n, 'L' || n, 'payment', 10, 'EUR', $3::date, 1, n * 10 + 3 from generate_series($1::int, $2::int) n
            """,
            first,
            last,
            (NOON + 2 * APART).date(),
        )
        await conn.execute(
            """
            insert into outbox (lender_id, loan_id, message, payload, delivered_at)
            select 'default', 'L' || n, 'payment_received', jsonb_build_object('entry_id', 'E' || n), now()
            from generate_series($1::int, $2::int) n
            """,
            first,
            last,
        )
        await conn.execute("update loans set ledger_version = 1 where ledger_version = 0")
        for n, permit in enumerate(given):
            await conn.execute(
                """
                insert into contacts (contact_id, lender_id, loan_id, episode, step_id, ordinal, channel, purpose, party_id, contact_value,
                    state, template, language, body, reference, permit, ledger_version, commit_order, business_date, reserved_at, sending_at,
                    sending_real)
                select 'C' || n || '-' || $3::int, 'default', 'L' || n, 1, 'sms-' || $3, 1, 'sms', 'collect', 'P' || n,
                    '+1' || (201 + n / 100) || '55501' || lpad((n % 100)::text, 2, '0'), 'sending', 'gentle', 'it', repeat('x', 150), n, $4,
                    ($3 > 2)::int, n * 10 + $3 + ($3 > 2)::int, $5::timestamptz::date, $5, $5, now()
                from generate_series($1::int, $2::int) n
                """,
                first,
                last,
                n,
                permit,
                NOON + n * APART,
            )
        await conn.execute(
            """
            update contacts set state = 'sent', carrier_id = 'SM' || contact_id, carrier_status = 'delivered', settled_at = sending_at
            where state = 'sending'
            """
        )
    await pool.execute("analyze")


def peak_mb() -> float:
    """The most memory that this process held since its program began; `ru_maxrss` would count its parent's before that."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found, "this benchmark reads /proc: run it on Linux"
    return round(int(found[1]) / 1024, 1)


async def proof_of(address: str) -> None:
    """Prove, in a process of its own, and print what it took."""
    checks: dict[str, float] = {}
    async with await open_pool(address, size=1) as pool, pool.acquire() as conn:
        began = last = time.perf_counter()

        def done(check: dict[str, Any]) -> None:
            nonlocal last
            checks[check["name"]] = round(time.perf_counter() - last, 2)
            last = time.perf_counter()

        proof = await prove(conn, done=done)
        seconds = time.perf_counter() - began
    contacts = next(c["checked"] for c in proof["checks"] if c["name"] == "permitted")
    print(
        json.dumps(
            {
                "contacts": contacts,
                "ok": proof["ok"],
                "seconds": round(seconds, 2),
                "contacts_per_second": round(contacts / seconds),
                "peak_mb": peak_mb(),
                "checks": checks,
            }
        )
    )


async def measure(contacts: int) -> list[dict[str, Any]]:
    """A tenth of the contacts first, then all of them."""
    results = []
    done = 0
    async with ledger() as (pool, address):
        for loans in (contacts // 10 // TEXTS, contacts // TEXTS):
            await fill(pool, done + 1, loans)
            done = loans
            child = await asyncio.create_subprocess_exec(
                sys.executable, __file__, "--on", address, stdout=asyncio.subprocess.PIPE
            )
            out, _ = await child.communicate()
            results.append(json.loads(out))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--on", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.on:
        asyncio.run(proof_of(given.on))
        return
    results = asyncio.run(measure(given.contacts))
    print(json.dumps(results))
    print(f"{'contacts':>10} {'seconds':>9} {'a second':>9} {'peak MB':>9}  all hold")
    for r in results:
        print(
            f"{r['contacts']:>10,} {r['seconds']:>9} {r['contacts_per_second']:>9,} {r['peak_mb']:>9}  {'yes' if r['ok'] else 'NO'}"
        )


if __name__ == "__main__":
    main()
