import pytest

from heliograph.core.reasons import Reason, reason_numbered


def test_numbers_are_unique_and_lead_back_to_their_reason() -> None:
    assert len({reason.number for reason in Reason}) == len(Reason)
    assert [reason_numbered(reason.number) for reason in Reason] == list(Reason)


def test_zero_is_left_for_no_reason() -> None:
    with pytest.raises(KeyError):
        reason_numbered(0)


def test_refusals_count_from_100_and_bad_ends_from_200() -> None:
    assert {reason.number // 100 for reason in Reason} == {1, 2}
    assert {reason.name for reason in Reason if reason.number >= 200} == {
        "CARRIER_REFUSED",
        "RETRIES_EXHAUSTED",
        "VALIDITY_PASSED",
        "NOT_DELIVERED",
        "NO_RECEIPT",
        "IN_DOUBT",
        "CANCELLED",
    }


@pytest.mark.parametrize("reason", Reason)
def test_each_says_in_whole_sentences_what_happened_and_what_to_do(reason: Reason) -> None:
    for text in (reason.sentence, reason.advice):
        assert text[0].isupper()
        assert text.endswith(".")
    assert reason.sentence != reason.advice


def test_no_two_reasons_read_the_same() -> None:
    assert len({reason.sentence for reason in Reason}) == len(Reason)
