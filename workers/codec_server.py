"""The codec server: it opens sealed payloads for the Temporal UI and command line, for whoever has the token."""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, RedirectResponse
from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from domain.errors import BadInput

COOKIE = "arrears-codec"
LARGEST_BODY = 16 * 1024 * 1024  # bytes: a page of a history
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Arrears codec</title>
<style>body{{font:16px system-ui;margin:4rem auto;max-width:28rem}}input{{width:100%;padding:.4rem;margin:.5rem 0}}</style>
<h1>Arrears codec</h1><p>{said}</p><form method="post" action="/session"><label>Token
<input name="token" type="password" autocomplete="off" required></label><button>Open payloads in this browser</button></form></html>"""

Turn = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


def create_codec_app(codec: PayloadCodec, *, token: str, origins: Sequence[str]) -> FastAPI:
    """The server as an ASGI application: `POST /encode` and `/decode`, as Temporal's UI and command line ask.

    Args:
        codec: Seals and opens.
        token: What a caller shows, as `Authorization: Bearer TOKEN`, or once in the form at `/`, which leaves a cookie made from it:
            the UI sends cookies, and without a login of its own nothing else. Another token ends every cookie.
        origins: Of the pages that may call, such as the UI's `https://temporal.example.com`.
    """
    app = FastAPI(title="Arrears codec", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["POST"],
        allow_headers=["authorization", "content-type", "x-namespace"],
        allow_credentials=True,
    )

    ticket = hmac.digest(token.encode(), COOKIE.encode(), "sha256").hex()

    def admit(request: Request) -> None:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        by_token = scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
        if not by_token and not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), ticket.encode()):
            raise HTTPException(
                401, "The codec's token is missing or wrong: send it as a bearer token, or enter it at /."
            )

    @app.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE.format(said="Enter the token once; then the Temporal UI shows what payloads say.")

    @app.post("/session")
    async def session(request: Request, token_given: Annotated[str, Form(alias="token")]) -> Response:
        if not hmac.compare_digest(token_given.encode(), token.encode()):
            return HTMLResponse(PAGE.format(said="That is not the token."), 401)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        # Another site's page must not use it, but the UI may stand on another host: a browser takes that with TLS alone.
        answer.set_cookie(COOKIE, ticket, httponly=True, secure=secure, samesite="none" if secure else "lax")
        return answer

    @app.post("/encode")
    async def encode(request: Request) -> Response:
        admit(request)
        return await _turned(request, codec.encode)

    @app.post("/decode")
    async def decode(request: Request) -> Response:
        admit(request)
        return await _turned(request, codec.decode)

    return app


async def _turned(request: Request, turn: Turn) -> Response:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            raise HTTPException(413, f"The body is larger than {LARGEST_BODY} bytes: send fewer payloads at once.")
    try:
        if not bytes(body).lstrip().startswith(b"{"):  # the parser takes an empty list for an empty message
            raise ParseError
        payloads = Parse(bytes(body), Payloads())
        turned = await turn(payloads.payloads)
    except (ParseError, UnicodeDecodeError):
        raise HTTPException(400, 'The body is not {"payloads": [...]} in Temporal\'s JSON form.') from None
    except BadInput as error:
        raise HTTPException(400, str(error)) from None
    return Response(MessageToJson(Payloads(payloads=turned), indent=None), media_type="application/json")
