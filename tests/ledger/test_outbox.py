from datetime import timedelta

from domain.loan import LoanKey
from ledger import outbox
from ledger.outbox import OutboxRow
from tests.ledger.samples import KEY, Pool

OTHER = LoanKey("default", "L-2")


async def test_in_order_by_loan(pool: Pool) -> None:
    async with pool.acquire() as conn:
        assert await outbox.backlog(conn) == (0, timedelta(0))
        for n, key in enumerate([OTHER, KEY, OTHER, KEY]):
            await outbox.add(conn, key, "ledger_changed", {"n": n})
        assert await outbox.waiting_loans(conn, 10) == [OTHER, KEY]
        assert await outbox.waiting_loans(conn, 1) == [OTHER]
        async with conn.transaction():
            rows = await outbox.take(conn, OTHER)
            assert [(r.message, r.payload["n"]) for r in rows] == [("ledger_changed", 0), ("ledger_changed", 2)]
            await outbox.delivered(conn, [r.id for r in rows], "signalled")
        assert await outbox.waiting_loans(conn, 10) == [KEY]
        waiting, oldest = await outbox.backlog(conn)
        assert waiting == 2
        assert oldest > timedelta(0)


async def test_relays_side_by_side_do_not_share_a_loan(pool: Pool) -> None:
    async with pool.acquire() as one, pool.acquire() as two:
        await outbox.add(one, KEY, "ledger_changed", {})
        await outbox.add(one, OTHER, "ledger_changed", {})
        async with one.transaction():
            assert len(await outbox.take(one, KEY)) == 1
            async with two.transaction():
                assert await outbox.take(two, KEY) == []
                assert len(await outbox.take(two, OTHER)) == 1
        async with two.transaction():
            again: list[OutboxRow] = await outbox.take(two, KEY)  # the first relay gave up: nothing was lost
        assert len(again) == 1
