"""The fields of a call as a framework reads them which many vendors use (Laravel), and its sentences about wrong ones.

JSON or form and the query are one bag, in which the body's values count; blanks around a value do not, and a blank
value is none. A form may name the method that it stands for.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from heliograph.dialects.dialect import Answer, Call, Handler
from heliograph.dialects.parameters import Bag, read_body, read_query

Written = str | int | None
"""A text, or a number in its place, as callers of many languages write it."""
Kind = TypeVar("Kind", bound=msgspec.Struct)
_PLACE = re.compile(r"\$\.(\w+)")


class FieldFault(Exception):
    """A field is not what it must be; says so in the framework's sentence, with the field's name in words."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"The {name.replace('_', ' ')} {fault}.")


def bag_of(call: Call) -> Bag:
    """All parameters but those in the path."""
    return {**read_query(call.query_string), **read_body(call.headers, call.body)}


def read(bag: Bag, kind: type[Kind]) -> Kind:
    """The parameters that are listed in a kind; raises FieldFault for a value of another type.

    >>> class Sample(msgspec.Struct):
    ...     first_name: Written = None
    >>> read({"first_name": "Ada", "more": 1}, Sample)
    Sample(first_name='Ada')
    """
    try:
        return msgspec.convert(bag, kind)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise FieldFault(place[1] if place else "request", "must be a string") from None


def text_of(value: Written) -> str:
    """A value without blanks around it; "" for none."""
    return "" if value is None else str(value).strip()


def needed(name: str, value: Written, *, most: int) -> str:
    """A line of at most so many characters that must be there; raises FieldFault."""
    text = line_of(name, value, most=most)
    if not text:
        raise FieldFault(name, "field is required")
    return text


def line_of(name: str, value: Written, *, most: int) -> str:
    """A line of at most so many characters, "" for none; raises FieldFault, for signs that nobody sees too."""
    text = short_of(name, value, most=most)
    if not text.isprintable():
        raise FieldFault(name, "format is invalid")
    return text


def short_of(name: str, value: Written, *, most: int) -> str:
    """A text of at most so many characters, "" for none; raises FieldFault."""
    text = text_of(value)
    if len(text) > most:
        raise FieldFault(name, f"may not be greater than {most} characters")
    return text


def standing_for(handlers: Mapping[str, Handler], otherwise: Handler) -> Handler:
    """A POST that does what the method does which it names in `_method`, or in a header."""

    async def override(call: Call) -> Answer:
        """What the method in `_method` does."""
        wanted = str(bag_of(call).get("_method") or call.header(b"x-http-method-override"))
        return await handlers.get(wanted.upper(), otherwise)(call)

    return override


def date_from(at_ms: int) -> str:
    """A time to the second.

    >>> date_from(1_635_161_357_123)
    '2021-10-25T11:29:17.000000Z'
    """
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
