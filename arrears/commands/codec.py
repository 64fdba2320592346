"""The codec server, and the making of its keys."""

from typing import Annotated

import typer

from arrears.context import run, say
from domain.errors import BadInput
from workers.settings import settings


def codec(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8888,
    make_key: Annotated[
        str | None, typer.Option("--make-key", metavar="ID", help="Print a new key for ARREARS_CODEC_KEYS, and end.")
    ] = None,
) -> None:
    """Open sealed payloads for the Temporal UI and command line, until stopped."""
    from workers import codec as sealing

    if make_key is not None:
        say(sealing.make_key(make_key))
        return
    found, token = sealing.codec(), settings().codec_token
    if found is None:
        raise BadInput("ARREARS_CODEC_KEYS is not set: nothing is sealed, and there is nothing to open.")
    if not token:
        raise BadInput("ARREARS_CODEC_TOKEN is not set: without it anybody could open payloads.")

    from arrears.serving import serve
    from workers.codec_server import create_codec_app

    app = create_codec_app(found, token=token, origins=origins(settings().codec_origins))
    run(lambda: serve(app, host, port))


def origins(text: str) -> list[str]:
    """The pages that may call, from a list by commas.

    Raises:
        BadInput: it lets in every page.
    """
    named = [each for part in text.split(",") if (each := part.strip())]
    if "*" in named:
        raise BadInput(
            "ARREARS_CODEC_ORIGINS holds *, by which any site could open payloads with the cookie of whoever visits it: "
            "name the address of each Temporal UI, such as https://temporal.example.com."
        )
    return named
