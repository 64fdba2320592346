"""The simulated carrier itself: Twilio's addresses, the control addresses under `/_simulator`, and its clockwork."""

import asyncio
import socket
from collections import Counter
from pathlib import Path
from typing import Literal

from aiohttp import web

from channels.simulator import control, twilio_api, voice_api
from channels.simulator.answers import said_back
from channels.simulator.callbacks import Callbacks
from channels.simulator.messages import Message, MessageLog
from channels.simulator.script import Fault, Script
from channels.simulator.voice import Call, Switchboard

_HOST = "127.0.0.1"


class Simulator:
    """A carrier on loopback.

    Attributes:
        account_sid: The account it serves; nobody else is let in.
        auth_token: The account's secret; callbacks are signed with it.
        inbound_url: Where replies are posted; without it they are remembered and go nowhere.
        latency: Real seconds between the steps of a delivery.
        script: What the borrowers do.
        messages: What was taken and what came back.
        calls: The calls that were taken.
    """

    def __init__(
        self,
        port: int | socket.socket = 0,
        account_sid: str = "AC" + "0" * 32,
        auth_token: str = "simulator",  # noqa: S107
        state_file: Path | None = None,
        inbound_url: str | None = None,
        latency: float = 0.05,
        script: Script | None = None,
    ) -> None:
        """Nothing runs yet.

        Args:
            port: Where it listens; any free port if 0. Or the socket that listens already.
            account_sid: The account it serves.
            auth_token: The account's secret.
            state_file: Where messages are kept over a restart (JSON lines); in memory only if None.
            inbound_url: Where replies are posted.
            latency: Real seconds between the steps of a delivery.
            script: What the borrowers do.
        """
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.inbound_url = inbound_url
        self.latency = latency
        self.script = script or Script()
        self.messages = MessageLog(None)
        self.calls = Switchboard(account_sid)
        self._port = port
        self._state_file = state_file
        self._requests: Counter[tuple[str, str]] = Counter()
        self._faults_shown: Counter[tuple[str, int]] = Counter()
        self._stopping = asyncio.Event()
        self._callbacks: Callbacks | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> str:
        """Listen, and take up the deliveries that were under way when the state file was written.

        Returns:
            The base address, as `ARREARS_TWILIO_BASE_URL` wants it.

        Raises:
            OSError: The port is taken, or the state file cannot be written.
        """
        self.messages = MessageLog(self._state_file)
        self._stopping.clear()
        app = web.Application()
        twilio_api.add_routes(app, self)
        voice_api.add_routes(app, self)
        control.add_routes(app, self)
        # Hanging requests end with the connection that waits for them.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        try:
            if isinstance(self._port, socket.socket):
                await web.SockSite(runner, self._port, backlog=1024).start()
            else:
                await web.TCPSite(runner, _HOST, self._port, backlog=1024).start()
        except OSError:
            await runner.cleanup()
            self.messages.close()
            raise
        self._runner = runner
        self._callbacks = Callbacks(self.auth_token)
        for message in self.messages:
            if not message.settled:
                self._callbacks.in_background(self._deliver(message))
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Hang up, drop what is under way and close the file; doing it twice does no harm."""
        self._stopping.set()
        if self._callbacks is not None:
            await self._callbacks.close()
            self._callbacks = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self.messages.close()

    async def stopped(self) -> None:
        """Wait until the simulator stops; this is how a request hangs."""
        await self._stopping.wait()

    def fault_for(self, number: str, at: Literal["send", "look_up"] = "send") -> Fault | None:
        """What befalls this request about a message for this number; counts as shown."""
        behaviour = self.script.behaviour(number)
        self._requests[number, at] += 1
        faults: list[Fault] = [behaviour.fault] if behaviour.fault else []
        faults += behaviour.faults
        for place, fault in enumerate(faults):
            spent = fault.times is not None and self._faults_shown[number, place] >= fault.times
            if fault.at != at or spent:
                continue
            if self.script.chance(number, at, self._requests[number, at], place).random() < fault.share:
                self._faults_shown[number, place] += 1
                return fault
        return None

    def play(self, script: Script) -> None:
        """Follow this script from now on; faults count from nothing."""
        self.script = script
        self._requests.clear()
        self._faults_shown.clear()

    def reset(self) -> None:
        """Forget messages and script."""
        self.messages.clear()
        self.calls.clear()
        self.play(Script())

    async def accept(self, message: Message) -> None:
        """Take a message, and deliver it by and by; a first report that comes early is out before this returns."""
        self.messages.put(message)
        if self._callbacks is None:
            return
        if self.script.behaviour(message.to).receipts.early:
            message = message.moved_to("sent")
            self.messages.put(message)
            await self._report(message)
        self._callbacks.in_background(self._deliver(message))

    def ring(self, call: Call) -> None:
        """Take a call, and play it by and by."""
        if self._callbacks is not None:
            self.calls.place(call, self.script, self._callbacks, self.latency)

    def receive(self, number: str, to: str, text: str) -> Message:
        """Take a text message from a borrower, and post it to `inbound_url` by and by.

        Args:
            number: The borrower's number.
            to: The number it is sent to.
            text: What it says.
        """
        message = Message(direction="inbound", to=to, sender=number, body=text, status="received")
        self.messages.put(message)
        if self.inbound_url is not None and self._callbacks is not None:
            form = {
                "AccountSid": self.account_sid,
                "ApiVersion": "2010-04-01",
                "Body": text,
                "From": number,
                "MessageSid": message.sid,
                "NumMedia": "0",
                "NumSegments": "1",
                "SmsMessageSid": message.sid,
                "SmsSid": message.sid,
                "SmsStatus": "received",
                "To": to,
            }
            self._callbacks.in_background(self._hear_back(self._callbacks, self.inbound_url, message, form))
        return message

    async def _hear_back(self, callbacks: Callbacks, url: str, heard: Message, form: dict[str, str]) -> None:
        """Hand over a text that came in, and take what is said back in the same exchange."""
        for body in said_back(await callbacks.post(url, form)):
            self.messages.put(
                Message(direction="outbound-reply", to=heard.sender, sender=heard.to, body=body, status="delivered")
            )

    async def _deliver(self, message: Message) -> None:
        behaviour = self.script.behaviour(message.to)
        ordinal = self.messages.ordinal(message)
        late: list[Message] = []
        steps = ("sent", behaviour.delivery) if message.status == "queued" else (behaviour.delivery,)
        for status in steps:
            await asyncio.sleep(self.latency)
            if self.messages.get(message.sid) is None:
                return  # forgotten by a reset
            message = message.moved_to(status, behaviour.error_code if status == behaviour.delivery else None)
            self.messages.put(message)
            if behaviour.receipts.order == "in_order":
                await self._report(message)
            else:
                late.append(message)
        if behaviour.receipts.order == "shuffled":
            self.script.chance("order", message.to, ordinal).shuffle(late)
        for state in reversed(late):
            await self._report(state)
        if behaviour.delivery != "delivered":
            return
        for reply in behaviour.replies:
            if reply.after == ordinal:
                await asyncio.sleep(reply.delay_seconds)
                self.receive(message.to, message.sender, reply.text)

    async def _report(self, message: Message) -> None:
        if message.callback is None or self._callbacks is None:
            return
        receipts = self.script.behaviour(message.to).receipts
        if receipts.lost:
            # By the number and how many it got, not by the id, which is never the same twice.
            about = (message.to, self.messages.ordinal(message), message.status)
            if self.script.chance("receipt", *about).random() < receipts.lost:
                return
        form = {
            "AccountSid": self.account_sid,
            "ApiVersion": "2010-04-01",
            "From": message.sender,
            "MessageSid": message.sid,
            "MessageStatus": message.status,
            "SmsSid": message.sid,
            "SmsStatus": message.status,
            "To": message.to,
        }
        if message.error_code is not None:
            form["ErrorCode"] = str(message.error_code)
        for _ in range(receipts.repeat):
            await self._callbacks.post(message.callback, form)
