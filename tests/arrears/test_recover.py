"""What `arrears recover` refuses; tests/starters/test_recovery.py and tests/restore have what it does."""

import pytest
from typer.testing import CliRunner

from arrears.cli import app
from domain.errors import BadInput


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "TWILIO_ACCOUNT_SID is not set: recover asks the carrier what went out, so give its account."),
        (("--since", "tomorrow"), "--since 'tomorrow' is no time: write it as 2026-11-24T02:00:00Z."),
    ],
)
def test_it_says_what_it_needs(arguments: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(app, ["recover", *arguments])
    assert isinstance(result.exception, BadInput)
    assert str(result.exception) == says
