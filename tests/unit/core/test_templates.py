from collections.abc import Mapping

import pytest

from heliograph.core.contacts import Contact
from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.core.templates import MergeField, Template, field_name


def contact(first_name: str = "", last_name: str = "", fields: Mapping[str, str] | None = None) -> Contact:
    return Contact(
        AccountId(1), ContactGroupId(2), ContactId(3), "+27831234567", first_name, last_name, fields=fields or {}
    )


ANN = contact("Ann", "Ndlovu", {"order no": "17", "city": "", "shop": "  "})


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("Dear {first_name} {last_name}, {phone}", "Dear Ann Ndlovu, +27831234567"),
        ("{FIRST_NAME}{First Name}{ first  name }{first_Name}", "AnnAnnAnnAnn"),
        ("{order no} {Order_No} {ORDER__NO}", "17 17 17"),
        ("{first_name|friend}", "Ann"),
        ("{nickname|friend}", "friend"),
        ("{nickname | dear friend }", "dear friend"),
        ("{city|our town} {shop|our shop}", "our town our shop"),
        ("a{city}b{shop}c{nickname}d{nickname|}e", "abcde"),
        ("{{first_name}} {{ city | here }}", "Ann here"),
        ("{{{first_name}}}", "{Ann}"),
        ("{{first_name} and {first_name}}", "{Ann and Ann}"),
        ("{a|b|c}", "b|c"),
        ("{msisdn}", "+27831234567"),
        ("{Size (cm)|?} {order #|?}", "? ?"),
        ("100%s of {first_name}%d %", "100%s of Ann%d %"),
    ],
)
def test_what_is_merged(text: str, merged: str) -> None:
    assert Template(text).merge(ANN) == merged


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No field",
        "{}",
        "{ }",
        "{|x}",
        "{{}}",
        "{1}",
        "{_name}",
        '{"first_name": 1}',
        '{"a": {"b": [1, 2]}}',
        "{first_name",
        "first_name}",
        "}first_name{",
        "{first\nname}",
        "{first_name|{}",
        "if (a) { return; }",
        "{{",
        "}}",
        "{a:b}",
    ],
)
def test_what_stays_as_it_is_written(text: str) -> None:
    template = Template(text)
    assert template.merge_fields == ()
    assert template.merge(ANN) == text


def test_a_value_is_put_in_as_it_is() -> None:
    assert Template("{first_name}!").merge(contact("{last_name}%s", "Ndlovu")) == "{last_name}%s!"


def test_what_every_contact_has_wins_over_a_field_of_that_name() -> None:
    assert Template("{first_name|none}").merge(contact(fields={"first_name": "field"})) == "none"


def test_of_two_fields_that_are_one_name_the_first_is_taken() -> None:
    assert Template("{order_no}").merge(contact(fields={"order no": "1", "order_no": "2"})) == "1"


def test_contacts_with_other_fields_may_take_turns() -> None:
    template = Template("{city|-}")
    for turn in range(3_000):
        assert template.merge(contact(fields={"city": str(turn)})) == str(turn)
        assert template.merge(contact(fields={f"field {turn}": "x"})) == "-"


def test_the_fields_of_a_text() -> None:
    assert Template("{A b|c}{{d}}{e").merge_fields == (MergeField("a_b", "c"), MergeField("d", ""))


@pytest.mark.parametrize(
    ("written", "name"), [("First Name", "first_name"), (" e-mail_2. ", "e-mail_2."), ("_x_", "x"), ("ÄRGER", "ärger")]
)
def test_the_one_way_to_write_a_name(written: str, name: str) -> None:
    assert field_name(written) == name


@pytest.mark.parametrize("piece", ["{", "{a", "{{a ", "{a|", "{a |{{b ", "{a" + " " * 50, "{ ", "a|}"])
def test_a_long_text_that_only_begins_fields_is_read_at_once(piece: str) -> None:
    # In tens of milliseconds; a pattern that goes back over what it has read would take minutes.
    text = piece * (200_000 // len(piece))
    assert Template(text).text == text
