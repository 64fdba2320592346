"""What the embedded stack makes of an environment that names a carrier, wholly or in part."""

import socket
from pathlib import Path

import pytest

from arrears import stack
from channels.simulator import Simulator


@pytest.fixture
def simulator(tmp_path: Path) -> Simulator:
    return Simulator(port=socket.socket(), state_file=tmp_path / "simulator.jsonl", inbound_url="http://api/twilio/sms")


@pytest.mark.parametrize("sid", ["", "AC7"])
def test_who_calls_back_signs_with_the_token_that_is_checked(
    monkeypatch: pytest.MonkeyPatch, simulator: Simulator, sid: str
) -> None:
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", sid)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "from-the-environment")
    worker = stack._worker_environment("dsn", "temporal", "api", simulator, "http://simulator")
    assert stack._carrier_token(simulator) == worker["TWILIO_AUTH_TOKEN"]
    assert (worker["TWILIO_AUTH_TOKEN"] == simulator.auth_token) is (sid == "")
