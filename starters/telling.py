"""Tells a case something and waits for its answer."""

import asyncio
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from domain.messages import Answer

TRIES = 8
FIRST_PAUSE = 0.1
"""Seconds before the second try; each later pause is twice as long, the last about six seconds."""


async def tell(handle: WorkflowHandle[Any, Any], message: str, body: Any, message_id: str | None = None) -> Answer:
    """Send an update and return what the case answered.

    In the moment in which a case begins a new run the server may hand an update back undelivered. It is sent again under the same id,
    which the ledger absorbs once.

    Raises:
        RPCError: the case is not there, or Temporal is away.
        WorkflowUpdateFailedError: the case is closed.
    """
    message_id = message_id or str(uuid4())
    for tried in range(TRIES):
        try:
            answer: Answer = await handle.execute_update(message, body, id=message_id, result_type=Answer)
            break
        except RPCError as error:
            if error.status is not RPCStatusCode.FAILED_PRECONDITION or tried == TRIES - 1:
                raise
            await asyncio.sleep(FIRST_PAUSE * 2**tried)
    return answer
