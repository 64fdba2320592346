"""The orders that workers are given: each stays until somebody has carried it out to its end, as in Temporal's history."""

from typing import Any

from activities.contracts import Order

_TABLE = """
create table chaos_orders (
    place   bigint generated always as identity primary key,
    loan_id text not null unique,
    body    jsonb not null,
    begun   boolean not null default false,
    done    boolean not null default false
)
"""


async def make_table(pool: Any) -> None:
    """Beside the ledger's own tables."""
    await pool.execute(_TABLE)


async def give(pool: Any, order: Order) -> None:
    """A loan has one order at a time."""
    await pool.execute(
        """
        insert into chaos_orders (loan_id, body) values ($1, $2)
        on conflict (loan_id) do update set body = excluded.body, done = false
        """,
        order.case.loan_id,
        order.model_dump(mode="json"),
    )


async def forget_all(pool: Any) -> None:
    """A new day begins."""
    await pool.execute("truncate chaos_orders")


async def waiting(pool: Any, most: int) -> list[Order]:
    """Orders that are not carried out, oldest first."""
    rows = await pool.fetch("select body from chaos_orders where not done order by place limit $1", most)
    return [Order.model_validate(row["body"]) for row in rows]


async def how_many_wait(pool: Any) -> int:
    """Orders that are not carried out."""
    count: int = await pool.fetchval("select count(*) from chaos_orders where not done")
    return count


async def begin(pool: Any, order: Order) -> None:
    """Somebody begins with it."""
    await pool.execute("update chaos_orders set begun = true where loan_id = $1", order.case.loan_id)


async def done(pool: Any, order: Order) -> None:
    """It came to its end."""
    await pool.execute("update chaos_orders set done = true where loan_id = $1", order.case.loan_id)


async def begun(pool: Any) -> list[str]:
    """Loans whose orders somebody has begun with: where a payment meets a contact."""
    return [r["loan_id"] for r in await pool.fetch("select loan_id from chaos_orders where begun and not done")]
