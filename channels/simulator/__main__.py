"""`python -m channels.simulator`: the simulated carrier as a process of its own."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from channels.simulator.script import Script
from channels.simulator.server import Simulator
from domain.errors import BadInput


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; prints one line of JSON with the address when ready.

    Args:
        argv: The arguments after the program's name; the account's sid and token come from `TWILIO_ACCOUNT_SID` and
            `TWILIO_AUTH_TOKEN` where set, since arguments can be seen by other users of the machine.

    Returns:
        0 after a clean stop, 2 after bad use or when the port is taken.
    """
    parser = argparse.ArgumentParser(prog="python -m channels.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="where to listen; any free port if 0")
    parser.add_argument("--account-sid", default=os.environ.get("TWILIO_ACCOUNT_SID") or "AC" + "0" * 32)
    parser.add_argument("--state-file", type=Path, help="keep messages here over a restart")
    parser.add_argument("--inbound-url", help="where replies are posted")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds between the steps of a delivery")
    parser.add_argument("--script", type=Path, help="scripted borrowers, TOML or JSON")
    options = parser.parse_args(argv)
    try:
        simulator = Simulator(
            port=options.port,
            account_sid=options.account_sid,
            auth_token=os.environ.get("TWILIO_AUTH_TOKEN") or "simulator",
            state_file=options.state_file,
            inbound_url=options.inbound_url,
            latency=options.latency,
            script=Script.load(options.script) if options.script else None,
        )
        asyncio.run(_run(simulator))
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(f"The carrier simulator cannot start on port {options.port}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


async def _run(simulator: Simulator) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    url = await simulator.start()
    print(json.dumps({"ready": True, "simulator": url}), flush=True)
    try:
        await stop.wait()
    finally:
        await simulator.stop()


if __name__ == "__main__":
    sys.exit(main())
