"""Reading JSON bodies the way that callers of many years write them."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

Kind = TypeVar("Kind", bound=msgspec.Struct)

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What reading a body raises when it is not what the endpoint asks for."""


def read_any_case(body: bytes, kind: type[Kind]) -> Kind:
    """Read an object whatever the case of its members' names; raises one of `UNREADABLE`."""
    given = msgspec.json.decode(body)
    if not isinstance(given, Mapping):
        raise msgspec.ValidationError("Expected `object`")
    names = {field.encode_name.lower(): field.encode_name for field in msgspec.structs.fields(kind)}
    return msgspec.convert({names.get(name.lower(), name): value for name, value in given.items()}, kind)
