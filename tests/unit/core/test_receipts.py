import pytest

from heliograph.core.receipts import fits, match_key


@pytest.mark.parametrize("written", ["b8be19", "B8BE19", "00b8be19", " b8be19 ", "b8-be-19", "0000-B8BE19\n"])
def test_one_id_has_one_key_however_it_is_written(written: str) -> None:
    assert match_key(written, is_hex=False) == "b8be19"


@pytest.mark.parametrize("written", ["75bcd15", "75BCD15", "0075bcd15", "75-BCD15", "0x75bcd15"])
def test_a_hexadecimal_id_has_the_key_of_its_decimal_twin(written: str) -> None:
    assert match_key(written, is_hex=True) == match_key("123456789", is_hex=False) == "123456789"


def test_an_id_of_zeros_only_is_zero_in_both_forms() -> None:
    assert match_key("0000", is_hex=False) == match_key("0000", is_hex=True) == "0"


def test_an_id_that_is_not_hexadecimal_after_all_stays_as_it_is() -> None:
    assert match_key("Q-77", is_hex=True) == match_key("Q-77", is_hex=False) == "q77"


def test_different_ids_stay_different() -> None:
    assert match_key("10", is_hex=False) != match_key("1", is_hex=False)
    assert match_key("10", is_hex=True) == "16"


def test_ids_of_65_characters_and_far_beyond_keep_every_digit() -> None:
    longest = "9" * 65
    assert match_key(longest, is_hex=False) == longest
    assert match_key(f"{int(longest):x}", is_hex=True) == longest
    assert match_key("f" * 10_000, is_hex=True) == "f" * 10_000


@pytest.mark.parametrize(
    "addresses",
    [
        ("27831234567", "Heliograph"),
        ("Heliograph", "27831234567"),
        ("0831234567", "12345"),
        ("", "831234567"),
        ("", ""),
    ],
)
def test_a_receipt_that_names_the_recipient_or_nobody_fits(addresses: tuple[str, str]) -> None:
    assert fits("+27831234567", addresses)


@pytest.mark.parametrize(
    "addresses", [("27831234568", "Heliograph"), ("Heliograph", ""), ("234567", ""), ("278312345670", "12345")]
)
def test_a_receipt_about_somebody_else_does_not_fit(addresses: tuple[str, str]) -> None:
    assert not fits("+27831234567", addresses)


def test_the_shortest_number_is_compared_without_its_plus() -> None:
    assert fits("+1234567", ("1234567", ""))
