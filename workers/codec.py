"""The one place that says how values become payloads: client, worker, replayer and codec server share it.

Where ARREARS_CODEC_KEYS is set, every payload is sealed with AES-256-GCM before it leaves the process: Temporal keeps ciphertext.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    PayloadConverter,
)
from temporalio.exceptions import FailureError

from domain.errors import BadInput
from workers.settings import settings

ENCODING, KEY_ID = "encoding", "key-id"
SEALED = b"binary/encrypted"
NONCE_BYTES, KEY_BYTES = 12, 32
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class KeyRing:
    """Keys by their id. `current` seals; every key of the ring opens, so that an old one stays for as long as cases live."""

    current: str
    keys: Mapping[str, AESGCM]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `id:base64,id:base64`, the current key first; each is 32 bytes.

        Raises:
            BadInput: a key cannot be used. The sentence names its place, never the key.
        """
        keys: dict[str, AESGCM] = {}
        for place, part in enumerate(text.split(","), 1):
            name, _, encoded = part.strip().partition(":")
            where = f"ARREARS_CODEC_KEYS, key {place}"
            if not NAME.fullmatch(name) or name in keys:
                raise BadInput(f"{where}: give each key an id of its own before a colon, such as 2026-11:...")
            try:
                key = base64.b64decode(encoded, validate=True)
            except binascii.Error:
                raise BadInput(
                    f"{where} ({name}) is not base64: make one with `arrears codec --make-key ID`."
                ) from None
            if len(key) != KEY_BYTES:
                raise BadInput(
                    f"{where} ({name}) has {len(key)} bytes, not {KEY_BYTES}: make one with `arrears codec --make-key ID`."
                )
            keys[name] = AESGCM(key)
        return cls(next(iter(keys)), keys)


def make_key(name: str) -> str:
    """A new random key in the form that ARREARS_CODEC_KEYS takes.

    Raises:
        BadInput: the name cannot be a key's id.
    """
    if not NAME.fullmatch(name):
        raise BadInput(f"key id {name!r} cannot be used: take up to 64 letters, digits, dots, dashes and underscores.")
    return f"{name}:{base64.b64encode(AESGCM.generate_key(KEY_BYTES * 8)).decode('ascii')}"


class SealingCodec(PayloadCodec):
    """Seals payloads with the ring's current key, and opens those of any key of the ring. What was never sealed passes as it is."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal each payload, its metadata with it."""
        return _each(self._seal, payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open each sealed payload.

        Raises:
            BadInput: its key is not in the ring, or it is not as it was sealed.
        """
        return _each(self._open, payloads)

    def _seal(self, payload: Payload) -> Payload:
        name, nonce = self._ring.current.encode("ascii"), os.urandom(NONCE_BYTES)
        # The id is sealed with the content: nobody can pass one key's payload off as another's.
        data = self._ring.keys[self._ring.current].encrypt(nonce, payload.SerializeToString(), name)
        return Payload(metadata={ENCODING: SEALED, KEY_ID: name}, data=nonce + data)

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get(ENCODING) != SEALED:
            return payload
        name = payload.metadata.get(KEY_ID, b"")
        key = self._ring.keys.get(name.decode("ascii", "replace"))
        if key is None:
            raise BadInput(
                f"a payload is sealed with key {name.decode('ascii', 'replace')!r}: add it to ARREARS_CODEC_KEYS."
            )
        try:
            plain = key.decrypt(payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:], name)
        except (InvalidTag, ValueError):
            raise BadInput(
                f"a payload cannot be opened with key {name.decode('ascii')!r}: the key is another, or the payload was changed."
            ) from None
        return Payload.FromString(plain)


class OneConverter(CompositePayloadConverter):
    """Pydantic models as JSON, amounts as strings.

    The SDK makes a converter for each case, and two more for each of its steps; each would build its readers of our types anew.
    """

    _shared = PydanticPayloadConverter()

    def __init__(self) -> None:
        super().__init__(*self._shared.converters.values())


def _each(turn: Callable[[Payload], Payload], payloads: Iterable[Payload]) -> list[Payload]:
    return [turn(payload) for payload in payloads]


class WithoutWords(DefaultFailureConverter):
    """Of an error that was not raised to be read, the kind and the place: its words may quote a row, or what a person said.

    A failed attempt is kept in the history even where the next one succeeds.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """As the SDK does, but for the words."""
        super().to_failure(exception, payload_converter, failure)
        if not isinstance(exception, FailureError) and not type(exception).__module__.startswith("temporalio."):
            failure.message = type(exception).__name__


PLAIN = DataConverter(payload_converter_class=OneConverter, failure_converter_class=WithoutWords)


def codec() -> SealingCodec | None:
    """The codec that the environment asks for; None where payloads are not sealed.

    Raises:
        BadInput: a key cannot be used.
    """
    keys = settings().codec_keys
    return SealingCodec(KeyRing.read(keys)) if keys else None


def data_converter() -> DataConverter:
    """Our converter; its payloads are sealed, and the texts of failures with them, where keys are set.

    Raises:
        BadInput: a key cannot be used.
    """
    sealing = codec()
    if sealing is None:
        return PLAIN
    return replace(
        PLAIN,
        payload_codec=sealing,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
