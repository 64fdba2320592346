"""What the log holds of a whole journey, with every logger at its most talkative: no name, no number, no street, no word of a borrower."""

import json
import logging
from collections.abc import Iterator

import httpx
import pytest

from starters.api import create_app
from tests.scenario import NAME, SENDER, STREET, Scene
from tests.starters.far_side import PUBLIC, SECRET, TOKEN, Carrier, Lender, payment
from tests.workers.test_logs import Lines

PHONE = "+12015550143"
WROTE = "my husband Gennaro died, write to gennaro@example.com"
PERSONAL = (*NAME.split(), PHONE, PHONE[2:], PHONE[-7:], SENDER, STREET, "Tribunali", "Gennaro", "gennaro@example.com")


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(before)
    root.removeHandler(handler)


async def test_the_log_of_a_journey_names_nobody(scene: Scene, lines: Lines) -> None:
    app = create_app(scene.pool, scene.clock, secrets=[SECRET], twilio_token=TOKEN, public_url=PUBLIC)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as http:
        lender, borrower = Lender(http), Carrier(http)
        case = await scene.case((1, "300"), phone=PHONE)
        scene.carrier_does("lost")
        await case.wake()
        scene.carrier_does("refuse", code=21211, status=400)
        await case.wake()
        scene.carrier_is_well()
        await case.until_task("call")
        assert (await borrower.text(WROTE, PHONE, "SM1")).status_code == 200
        refused = await borrower.post("/twilio/sms", {"From": PHONE, "Body": WROTE})
        assert refused.status_code == 400, refused.text
        today = (await scene.today()).isoformat()
        paid = payment(loan_id=case.key.loan_id, amount="300", value_date=today, payer=NAME, reason=f"from {NAME}")
        assert (await lender.post(paid)).status_code == 201
        assert (await lender.post({**paid, "amount": NAME})).status_code == 422
        assert (await lender.post({**paid, "loan_id": "nobody's", "entry_id": "E-2"})).status_code == 201
        await scene.settle()
    logging.getLogger("temporalio.activity").warning("a line of %s", case.key.workflow_id)
    told = [json.dumps(line, ensure_ascii=False) for line in lines.told]
    assert any(case.key.workflow_id in line for line in told), "nothing was logged, so nothing is proven"
    for secret in PERSONAL:
        assert [line[:300] for line in told if secret in line] == [], secret
