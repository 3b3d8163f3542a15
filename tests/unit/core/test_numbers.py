import pytest

from heliograph.core.numbers import SenderKind, Ton, msisdn_from, number_from, sender_from

ALPHANUMERIC, SHORT_CODE, LONG_NUMBER = SenderKind


@pytest.mark.parametrize(
    "written",
    [
        "+27831234567",
        "27831234567",
        27831234567,
        "+27 83 123 4567",
        "27-83-123.4567",
        "(+27) 83/1234567",
        "+27\u00a083\u2010123\u20114567",
        "\t+27831234567 ",
    ],
)
def test_one_number_has_one_form_however_it_is_written(written: str | int) -> None:
    assert msisdn_from(written) == "+27831234567"


@pytest.mark.parametrize(("digits", "is_number"), [(6, False), (7, True), (15, True), (16, False), (40, False)])
def test_seven_to_fifteen_digits_are_a_number(digits: int, is_number: bool) -> None:
    written = "2" * digits
    assert msisdn_from(written) == (f"+{written}" if is_number else None)
    assert msisdn_from(int(written)) == (f"+{written}" if is_number else None)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "+",
        "call me",
        "0831234567",
        "0027831234567",
        "++27831234567",
        "2783+1234567",
        "27831234567x",
        -27831234567,
        0,
    ],
)
def test_what_cannot_be_an_international_number_is_none(written: str | int) -> None:
    assert msisdn_from(written) is None


@pytest.mark.parametrize("written", ["٢٧٨٣١٢٣٤٥٦٧", "２７８３１２３４５６７", "²7831234567"])
def test_digits_of_other_scripts_are_no_digits_here(written: str) -> None:
    assert msisdn_from(written) is None
    assert sender_from(written) is None


@pytest.mark.parametrize(
    ("written", "kind", "address"),
    [
        ("Heliograph", ALPHANUMERIC, "Heliograph"),
        ("  My Shop  ", ALPHANUMERIC, "My Shop"),
        ("A", ALPHANUMERIC, "A"),
        ("ABCDEFGHIJK", ALPHANUMERIC, "ABCDEFGHIJK"),
        ("Blå Øl", ALPHANUMERIC, "Blå Øl"),
        ("4U", ALPHANUMERIC, "4U"),
        ("123", SHORT_CODE, "123"),
        ("001234", SHORT_CODE, "001234"),
        ("1234567", LONG_NUMBER, "1234567"),
        ("+27831234567", LONG_NUMBER, "27831234567"),
        ("27831234567", LONG_NUMBER, "27831234567"),
    ],
)
def test_senders_of_each_kind(written: str, kind: SenderKind, address: str) -> None:
    sender = sender_from(written)
    assert sender is not None
    assert (sender.kind, sender.address) == (kind, address)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "ABCDEFGHIJKL",
        "a@b",
        "Привет",
        "a\nb",
        "a\x00b",
        "12",
        "+12345",
        "0831234567",
        "1234567890123456",
    ],
)
def test_what_no_message_can_come_from_is_none(written: str) -> None:
    assert sender_from(written) is None


@pytest.mark.parametrize(
    ("written", "ton", "npi"),
    [
        ("Heliograph", Ton.ALPHANUMERIC, 0),
        ("12345", Ton.NETWORK_SPECIFIC, 0),
        ("+27831234567", Ton.INTERNATIONAL, 1),
    ],
)
def test_each_kind_has_its_type_and_plan(written: str, ton: Ton, npi: int) -> None:
    sender = sender_from(written)
    assert sender is not None
    assert (sender.ton, sender.npi) == (ton, npi)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+13109060901", "+13109060901"),
        ("1 (310) 906-0901", "+13109060901"),
        ("123", "123"),
        ("12345678", "12345678"),
        ("+1234567", "+1234567"),
        ("+123", None),
        ("12", None),
        ("012345678", None),
        ("Crane", None),
        ("", None),
        ("١٢٣٤٥", None),
    ],
)
def test_numbers_that_an_account_can_own(written: str, number: str | None) -> None:
    assert number_from(written) == number


def test_types_of_number_are_the_standards() -> None:
    assert {ton.name: int(ton) for ton in Ton} == {
        "UNKNOWN": 0,
        "INTERNATIONAL": 1,
        "NETWORK_SPECIFIC": 3,
        "ALPHANUMERIC": 5,
    }
