import asyncio
from collections.abc import Mapping

import msgspec
import pytest

from heliograph.dialects.dialect import Answer, Call, Handler
from heliograph.dialects.fields import FieldFault, Written, bag_of, line_of, needed, read, short_of, standing_for
from tests.unit.dialects.world import call_of


class Sample(msgspec.Struct):
    """What the tests ask for."""

    first_name: Written = None
    to: Written | list[Written] = None


def test_the_body_goes_before_the_query() -> None:
    call = call_of(query_string=b"a=1&b=2", body=b"b=3&c=4")
    assert bag_of(call) == {"a": "1", "b": "3", "c": "4"}


@pytest.mark.parametrize("value", [True, 1.5, {"a": "b"}, ["x"], [[]]])
def test_a_value_of_another_type_is_named_in_words(value: object) -> None:
    with pytest.raises(FieldFault, match=r"^The first name must be a string\.$"):
        read({"first_name": value}, Sample)


def test_lists_hold_texts() -> None:
    assert read({"to": ["1", 2]}, Sample).to == ["1", 2]
    with pytest.raises(FieldFault, match=r"^The to must be a string\.$"):
        read({"to": [True]}, Sample)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "The last name field is required."),
        (" \t", "The last name field is required."),
        ("x" * 121, "The last name may not be greater than 120 characters."),
        ("a\0b", "The last name format is invalid."),
        ("a\nb", "The last name format is invalid."),
        ("a\udc00b", "The last name format is invalid."),
    ],
)
def test_a_text_that_is_kept_is_short_and_can_be_seen(value: str | None, sentence: str) -> None:
    with pytest.raises(FieldFault) as raised:
        needed("last_name", value, most=120)
    assert str(raised.value) == sentence


def test_blanks_around_a_value_do_not_count() -> None:
    assert (needed("name", " Ada ", most=3), needed("name", 7, most=1)) == ("Ada", "7")
    assert (line_of("name", None, most=1), short_of("name", " a\nb", most=3)) == ("", "a\nb")
    assert needed("name", "ÄÖ 日本", most=5) == "ÄÖ 日本"


@pytest.mark.parametrize(
    ("headers", "body", "done"),
    [
        ({}, b"_method=put", "put"),
        ({}, b'{"_method":"DELETE"}', "delete"),
        ({b"x-http-method-override": b"PUT"}, b"", "put"),
        ({}, b"", "neither"),
        ({}, b"_method=GET", "neither"),
        ({}, b'{"_method":[]}', "neither"),
    ],
)
def test_a_post_does_what_the_method_does_that_it_names(headers: Mapping[bytes, bytes], body: bytes, done: str) -> None:
    def named(name: str) -> Handler:
        async def handler(_call: Call) -> Answer:
            return Answer(200, name.encode())

        return handler

    override = standing_for({"PUT": named("put"), "DELETE": named("delete")}, named("neither"))
    assert asyncio.run(_answer(override, call_of(headers=headers, body=body))).body == done.encode()


async def _answer(handler: Handler, call: Call) -> Answer:
    return await handler(call)
