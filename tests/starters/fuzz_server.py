"""What is fuzzed: the API under a real server in a thread, over a ledger with one loan, and a GoCardless for it to ask."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal

import uvicorn

from domain.voice_words import CallBack
from ledger.pool import open_pool
from ledger.secrets import add_secret
from ledger.strategies import publish_shipped
from starters.api import create_app
from tests.ledger.samples import Standing, add_case, add_loan
from tests.starters.far_side import PUBLIC, SECRET, TOKEN

WHSEC, ENDPOINT, FAR_TOKEN = "whsec_" + "f" * 20, "gocardless-" + "f" * 20, "gocardless-token-" + "f" * 20
OWN = "secret-of-the-second-lender"
State = Literal["well", "busy", "away"]


class FarHandler(BaseHTTPRequestHandler):
    """GoCardless's API: an id ends with how it answers."""

    ANSWERS: ClassVar[dict[str, tuple[int, Any]]] = {
        "good": (200, {"payments": {"amount": 1000, "currency": "EUR", "metadata": {"loan_id": "L-1"}}}),
        "nobodys": (200, {"payments": {"amount": 5, "currency": "EUR", "metadata": {}}}),
        "yen": (200, {"payments": {"amount": 1000, "currency": "JPY", "metadata": {"loan_id": "L-1"}}}),
        "odd": (200, {"payments": {"amount": "ten", "currency": "EUR", "metadata": []}}),
        "empty": (200, []),
        "broken": (500, {"error": {}}),
    }

    def do_GET(self) -> None:
        status, content = next(
            (answer for name, answer in self.ANSWERS.items() if self.path.endswith(name)), (404, {"error": {}})
        )
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"{" if self.path.endswith("cut") else json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _gocardless() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FarHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


async def _fill(pool: Any) -> None:
    """A loan with a case, a second lender, and the secrets of both."""
    await add_loan(pool)
    await add_case(pool)
    async with pool.acquire() as conn:
        await publish_shipped(conn)
        await conn.execute(
            "update cases set (strategy, strategy_version) = (select name, version from strategies where name = 'standard')"
        )
        await conn.execute("insert into lenders (lender_id, name) values ('second', 'another lender')")
        await add_secret(conn, "second", "arrears", OWN)
        await add_secret(conn, "default", "stripe", WHSEC)
        await add_secret(conn, "default", "gocardless", ENDPOINT)
        await add_secret(conn, "default", "gocardless_token", FAR_TOKEN)


@contextmanager
def serving(dsn: str, state: State = "well") -> Iterator[str]:
    """The API's address.

    Args:
        dsn: A ledger; an empty one where all is well.
        state: `busy` lets a client ask three times an hour; `away` has a ledger that does not answer, and no secrets.
    """
    server: list[uvicorn.Server] = []

    async def main(far: str) -> None:
        async with await open_pool(dsn) as pool:
            if state == "well":
                await _fill(pool)
            elif state == "away":
                await pool.close()
            app = create_app(
                pool,
                Standing(),
                secrets=[] if state == "away" else [SECRET],
                twilio_token=None if state == "away" else TOKEN,
                public_url=PUBLIC,
                rate_limit="3/hour" if state == "busy" else "",
                call_back=CallBack(business="Lender", person="Ann", number="+12015550100"),
                gocardless_url=far,
            )
            options = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
            server.append(uvicorn.Server(options))
            await server[0].serve()

    with _gocardless() as far:
        thread = threading.Thread(target=lambda: asyncio.run(main(far)), daemon=True)
        thread.start()
        while not (server and server[0].started):
            if not thread.is_alive():
                raise RuntimeError("the API did not start")
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{server[0].servers[0].sockets[0].getsockname()[1]}"
        finally:
            server[0].should_exit = True
            thread.join()
