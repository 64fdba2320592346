"""Answers that say what is wrong: problem+json (RFC 9457), whatever goes wrong."""

import logging
from http import HTTPStatus
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from ledger.pool import LEDGER_AWAY

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
TITLES = {status.value: status.phrase for status in HTTPStatus} | {498: "Token Invalid"}
# What others hold for a while; the database is well.
HELD = (asyncpg.LockNotAvailableError, asyncpg.TransactionRollbackError)
AGAIN = "send it again, what is known changes nothing"
UNUSABLE = "a value cannot be kept as it was given: remove what is no plain text or number."
SOON = {"Retry-After": "5"}


class Problem(BaseModel):
    """What is wrong with a request, or with us."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Refused(Exception):
    """Ends a request with a problem; `detail` is one sentence for the sender."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


class ProblemResponse(JSONResponse):
    """A problem as an answer."""

    media_type = MEDIA_TYPE


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """The answer with this status and sentence."""
    content = Problem(title=TITLES[status], status=status, detail=detail).model_dump()
    return ProblemResponse(content, status_code=status, headers=headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These problems, as OpenAPI describes them."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": TITLES[status], "content": content} for status in statuses}


def add_problems(app: FastAPI) -> None:
    """Let every error of this app end as a problem."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_exception_handler(asyncpg.DataError, _unusable)
    for error in LEDGER_AWAY:
        app.add_exception_handler(error, _database_away)
    for held in HELD:
        app.add_exception_handler(held, _held)
    app.add_exception_handler(TimeoutError, _late)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problem(error.status, error.detail, error.headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers) if error.headers else None
    match error.status_code:
        case 404:
            detail = "nothing is at this address: /openapi.json lists what there is."
        case 405:
            detail = f"{request.method} is not possible here: the header Allow names what is."
        case _:
            detail = str(error.detail)
    return problem(error.status_code, detail, headers)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return problem(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}.")


async def _gone(_: Request, error: Exception) -> Response:
    return problem(400, "the connection ended before the body did: send it again.")


async def _unusable(_: Request, error: Exception) -> Response:
    return problem(422, UNUSABLE)


async def _database_away(_: Request, error: Exception) -> Response:
    log.warning("the database did not answer: %s", type(error).__name__)
    return problem(503, f"the ledger cannot be reached: {AGAIN}.", SOON)


async def _late(_: Request, error: Exception) -> Response:
    log.warning("the database was too late")
    return problem(503, f"the ledger does not answer in time, or all connections to it are busy: {AGAIN}.", SOON)


async def _held(_: Request, error: Exception) -> Response:
    log.warning("a loan is held: %s", type(error).__name__)
    return problem(503, f"another change holds this loan, such as a tape that is being taken in: {AGAIN}.", SOON)


async def _unforeseen(_: Request, error: Exception) -> Response:
    return problem(500, "something is wrong on our side: send it again later.")
