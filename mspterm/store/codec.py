"""Domain values to bytes and back (msgpack), for the columns that hold whole values."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_decoders: dict[type, msgspec.msgpack.Decoder[object]] = {}


def pack(value: object) -> bytes:
    return _encoder.encode(value)


def unpack(data: bytes, into: type[T]) -> T:
    """The value of type `into`. Raises msgspec.ValidationError where an older format is found."""
    # Kept: making one means looking through all of a type's fields.
    decoder = _decoders.get(into)
    if decoder is None:
        decoder = _decoders[into] = msgspec.msgpack.Decoder(into)
    value = decoder.decode(data)
    assert isinstance(value, into)
    return value
