import pytest

from heliograph.core.reasons import Reason, reason_numbered

NUMBERS = {
    "MALFORMED": 100,
    "UNAUTHORISED": 101,
    "SUSPENDED": 102,
    "NO_FUNDS": 103,
    "RATE_LIMITED": 104,
    "NOT_FOUND": 105,
    "METHOD_NOT_ALLOWED": 106,
    "BODY_TOO_LARGE": 107,
    "INVALID_RECIPIENT": 110,
    "INVALID_SENDER": 111,
    "SENDER_NOT_ALLOWED": 112,
    "INVALID_TEXT": 113,
    "TEXT_TOO_LONG": 114,
    "NO_RECIPIENT": 115,
    "TOO_MANY_RECIPIENTS": 116,
    "NO_TEXT": 117,
    "BAD_VOICE": 118,
    "BAD_TIME": 119,
    "NO_ROUTE": 120,
    "CHANNEL_NOT_ENABLED": 121,
    "SENDER_NOT_OWNED": 122,
    "NUMBER_NOT_ENABLED": 123,
    "NO_CAMPAIGN": 124,
    "NOT_AGREED": 125,
    "BAD_MEDIA": 126,
    "NAME_TAKEN": 127,
    "DUPLICATE": 128,
    "EMPTY_GROUP": 129,
    "KEY_REUSED": 130,
    "KEY_IN_USE": 131,
    "BAD_CONTACT": 132,
    "UNREADABLE_TEXT": 133,
    "OVERLOADED": 140,
    "STORE_UNAVAILABLE": 141,
    "INTERNAL": 142,
    "CARRIER_REFUSED": 200,
    "RETRIES_EXHAUSTED": 201,
    "VALIDITY_PASSED": 202,
    "NOT_DELIVERED": 203,
    "NO_RECEIPT": 204,
    "IN_DOUBT": 205,
    "CANCELLED": 206,
    "MEDIA_UNAVAILABLE": 207,
}


def test_stored_numbers_never_change() -> None:
    assert {reason.name: reason.number for reason in Reason} == NUMBERS


def test_numbers_are_unique_and_lead_back_to_their_reason() -> None:
    assert len({reason.number for reason in Reason}) == len(Reason)
    assert [reason_numbered(reason.number) for reason in Reason] == list(Reason)


def test_zero_is_left_for_no_reason() -> None:
    with pytest.raises(KeyError):
        reason_numbered(0)


@pytest.mark.parametrize("reason", Reason)
def test_each_says_in_whole_sentences_what_happened_and_what_to_do(reason: Reason) -> None:
    for text in (reason.sentence, reason.advice):
        assert text[0].isupper()
        assert text.endswith(".")
    assert reason.sentence != reason.advice


def test_no_two_reasons_read_the_same() -> None:
    assert len({reason.sentence for reason in Reason}) == len(Reason)
