"""Rows as one JSON parameter: a statement for a whole batch instead of one for each row."""

from collections.abc import Iterable, Sequence

import msgspec

_encoder = msgspec.json.Encoder()


def rows(values: Sequence[object] | Iterable[object]) -> str:
    """The parameter for `json_each(?)`: an array whose elements are arrays of columns (or single values)."""
    return _encoder.encode(values).decode()
