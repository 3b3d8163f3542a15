import pytest

from heliograph.core.contacts import (
    MOST_FIELDS,
    NAME_CHARS,
    VALUE_CHARS,
    Contact,
    good_contact,
    good_field_name,
    good_group_name,
)
from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.core.reasons import Reason

ADA = Contact(AccountId(1), ContactGroupId(2), ContactId(3), "+27831234567", "Ada")
LONG = "n" * NAME_CHARS


@pytest.mark.parametrize("name", ["Friends", LONG, "Фирма №1", "a'b", "🙂"])
def test_a_group_may_be_called_so(name: str) -> None:
    assert good_group_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", "  ", LONG + "n", "a\nb", "a\0b", "\ud800", "tab\there"])
def test_no_group_may_be_called_so(name: str) -> None:
    assert good_group_name(name) is None


def test_a_contact_at_every_limit_is_kept_as_it_is() -> None:
    fields = {f"{number:0{NAME_CHARS}d}": "v" * VALUE_CHARS for number in range(MOST_FIELDS)}
    wanted = ADA._replace(first_name=LONG, last_name=LONG, fields=fields)
    assert good_contact(wanted) == wanted


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (ADA._replace(msisdn="call me"), Reason.INVALID_RECIPIENT),
        (ADA._replace(msisdn=""), Reason.INVALID_RECIPIENT),
        (ADA._replace(first_name=LONG + "n"), Reason.BAD_CONTACT),
        (ADA._replace(last_name=LONG + "n"), Reason.BAD_CONTACT),
        (ADA._replace(first_name="a\0"), Reason.BAD_CONTACT),
        (ADA._replace(last_name="\udfff"), Reason.BAD_CONTACT),
        (ADA._replace(fields={"a": "v" * (VALUE_CHARS + 1)}), Reason.BAD_CONTACT),
        (ADA._replace(fields={"a": "\ud800b"}), Reason.BAD_CONTACT),
        (ADA._replace(fields={"": "b"}), Reason.BAD_CONTACT),
        (ADA._replace(fields={"a\0": "b"}), Reason.BAD_CONTACT),
        (ADA._replace(fields={LONG + "n": "b"}), Reason.BAD_CONTACT),
        (ADA._replace(fields={"MSISDN": "b"}), Reason.BAD_CONTACT),
        (ADA._replace(fields={str(number): "b" for number in range(MOST_FIELDS + 1)}), Reason.BAD_CONTACT),
    ],
)
def test_what_is_beyond_a_limit_has_a_reason(written: Contact, reason: Reason) -> None:
    assert good_contact(written) is reason


def test_blanks_and_empty_fields_are_not_kept() -> None:
    written = ADA._replace(last_name=" L\u00a0", fields={" Shoe Size ": " 42\n", "town": "  "})
    assert good_contact(written) == ADA._replace(last_name="L", fields={"shoe size": "42"})


def test_a_field_is_not_called_like_what_every_contact_has() -> None:
    assert [good_field_name(each) for each in ("FIRST_NAME", "last_name", "msisdn", "first name", "phone")] == [
        None,
        None,
        None,
        "first name",
        "phone",
    ]
