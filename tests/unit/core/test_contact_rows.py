import pytest

from heliograph.core.contact_rows import (
    MOST_COLUMNS,
    BadTable,
    Columns,
    Rejected,
    columns_from,
    contact_from,
    guarded,
    row_from,
    unguarded,
)
from heliograph.core.contacts import Contact
from heliograph.core.ids import AccountId, ContactGroupId, ContactId

ACCOUNT, GROUP = AccountId(1), ContactGroupId(2)
PLAIN = columns_from(["msisdn", "first_name", "last_name", "town"], {})


def _said(*row: str, columns: Columns = PLAIN) -> Contact | Rejected:
    return contact_from(row, columns, number=7, account_id=ACCOUNT, group_id=GROUP)


@pytest.mark.parametrize(
    "text", ["=1", "+1", "-1", "@a", "\ta", "\rx", "  =1", "'=1", "''-x", "' =", "=cmd|' /C calc'!A0"]
)
def test_a_formula_is_made_a_text_and_comes_back(text: str) -> None:
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "a=1", "'tis", "''", "O'Hara", "1-2", "'"])
def test_other_texts_are_left_alone(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


@pytest.mark.parametrize(
    "name",
    ["phone", "Phone", " MSISDN ", "Phone Number", "mobile_no", "Cell-Phone", "number", "Telephone", "\u00a0GSM"],
)
def test_the_column_of_numbers_is_known_by_many_names(name: str) -> None:
    assert columns_from(["id", name, "forename", "SURNAME"], {}) == Columns(1, 2, 3, ((0, "id"),))


def test_what_is_exactly_ours_comes_before_what_is_like_it() -> None:
    header = ["mobile", "msisdn", "first name", "first_name"]
    assert columns_from(header, {}) == Columns(1, 3, -1, ((0, "mobile"), (2, "first name")))


def test_columns_are_what_the_caller_says() -> None:
    header = ["Handy", "Vorname", "Ort", "intern", "phone"]
    chosen = {"handy": "msisdn", "VORNAME": "first_name", "Ort": "Town", "intern": "", "phone": "landline"}
    assert columns_from(header, chosen) == Columns(0, 1, -1, ((2, "town"), (4, "landline")))


def test_a_column_without_a_name_is_left() -> None:
    assert columns_from(["phone", "", "town"], {}).fields == ((2, "town"),)


@pytest.mark.parametrize(
    ("header", "chosen", "why"),
    [
        (["name", "town"], {}, "No column is called msisdn, number"),
        (["phone", "mobile"], {}, "Both 'phone' and 'mobile' could be the msisdn"),
        (["phone", "town", "Town"], {}, "cannot be the field 'town'"),
        (["phone", "t" * 121], {}, "more than 120 characters"),
        (["phone"], {"town": "city"}, "No column is called 'town'; there are 'phone'"),
        (["phone", "a"], {"a": "first_name", "phone": "first_name"}, "Both"),
        (["phone"] + ["x"] * MOST_COLUMNS, {}, "200 columns, and this has 201"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(header: list[str], chosen: dict[str, str], why: str) -> None:
    with pytest.raises(BadTable, match=why):
        columns_from(header, chosen)


@pytest.mark.parametrize(
    "written", ["+27831234567", "27831234567", "27 83 123-4567", "'+27831234567", "27831234567.0", " +27831234567.00 "]
)
def test_a_number_is_read_as_spreadsheets_write_it(written: str) -> None:
    said = _said(written, "Ada")
    assert said == Contact(ACCOUNT, GROUP, ContactId(0), "+27831234567", "Ada", "", {})


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["2.78e10"], "rounded by a spreadsheet"),
        (["2,78E+10"], "rounded by a spreadsheet"),
        (["", "Ada"], "There is no number"),
        ([], "There is no number"),
        (["call me"], "not a phone number"),
        (["27831234567.5"], "not a phone number"),
        (["0831234567"], "not a phone number"),
        (["+27831234567", "n" * 121], "A name has more than 120"),
        (["+27831234567", "a", "b", "v" * 1001], "A field has more than 1000"),
        (["+27831234567", "a\0"], "cannot be kept"),
    ],
)
def test_a_row_that_is_no_contact_says_why(row: list[str], why: str) -> None:
    said = _said(*row)
    assert isinstance(said, Rejected)
    assert (said.number, said.written) == (7, row[0] if row else "")
    assert why in said.why


def test_more_fields_than_a_contact_may_have_are_rejected() -> None:
    columns = columns_from(["phone", *(f"f{number}" for number in range(51))], {})
    said = _said("+27831234567", *["x"] * 51, columns=columns)
    assert isinstance(said, Rejected)
    assert said.why == "There are more than 50 fields."
    assert isinstance(_said("+27831234567", *["x"] * 50, columns=columns), Contact)


def test_a_contact_is_a_row_of_its_fields() -> None:
    ada = Contact(ACCOUNT, GROUP, ContactId(0), "+27831234567", "Ada", "L", {"town": "Rome", "pet": "cat"})
    assert row_from(ada, ["pet", "shoe", "town"]) == ["+27831234567", "Ada", "L", "cat", "", "Rome"]
