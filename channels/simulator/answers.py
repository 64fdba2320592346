"""What the other side says back in the same exchange, as TwiML."""

from xml.etree import ElementTree


def said_back(twiml: str | None) -> list[str]:
    """The texts that an answer to an incoming text holds; none where it is no TwiML."""
    try:
        response = ElementTree.fromstring(twiml or "<Response/>")  # noqa: S314 - from Arrears itself, on loopback
    except ElementTree.ParseError:
        return []
    return ["".join(message.itertext()) for message in response.iter("Message")]
