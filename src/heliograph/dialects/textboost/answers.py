"""Good answers."""

import msgspec

from heliograph.dialects.dialect import REPLAYED, Answer
from heliograph.dialects.textboost import wire

_encode = msgspec.json.Encoder().encode


def done(data: object, message: str | None = None, *, is_replay: bool = False) -> Answer:
    """A good answer in its envelope."""
    return Answer(200, _encode(wire.Success(message=message, data=data)), REPLAYED if is_replay else ())
