import pytest

from heliograph.core.money import CREDIT, amount_from_credits, credits_from_amount


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("0", 0),
        ("1", CREDIT),
        (7, 7 * CREDIT),
        ("0.000001", 1),
        ("-0.5", -500_000),
        ("1.50000000", 1_500_000),
        ("0.1", 100_000),
        ("900719925474.000001", 900_719_925_474_000_001),
    ],
)
def test_amounts_are_read_exactly(written: str | int, amount: int) -> None:
    assert amount_from_credits(written) == amount


@pytest.mark.parametrize("written", ["", "1,5", "a lot", "0x10", "1.2.3"])
def test_what_is_no_number_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="not an amount of credits"):
        amount_from_credits(written)


@pytest.mark.parametrize("written", ["0.0000001", "1.0000005", "NaN", "Infinity", "-Infinity"])
def test_what_micro_credits_cannot_express_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="six decimals"):
        amount_from_credits(written)


@pytest.mark.parametrize(
    ("amount", "written"),
    [(0, "0"), (1, "0.000001"), (-1, "-0.000001"), (10 * CREDIT, "10"), (1_200_000, "1.2"), (-1_500_000, "-1.5")],
)
def test_amounts_are_written_without_trailing_zeros(amount: int, written: str) -> None:
    assert credits_from_amount(amount) == written
