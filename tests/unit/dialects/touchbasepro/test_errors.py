import json

import pytest

from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.touchbasepro.errors import WORDS, fault, newer, older, wording

INTERNAL = (
    "An internal error has occurred. We have been notified about it and will restore service functionality "
    "as soon as possible."
)
WAIT = "Rate limit is exceeded.  Try again in 9 seconds."


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_worded_for_both_generations(reason: Reason) -> None:
    status = WORDS[reason].status
    assert 400 <= status <= 599
    new, old = newer(Refusal(reason, 9)), older(Refusal(reason, 9))
    assert new.status == old.status == status
    said, coded = json.loads(new.body), json.loads(old.body)
    assert list(said) == ["status", "message"]
    assert list(coded) == ["Code", "Message"]
    assert said["status"] == status
    assert said["message"]
    assert "{" not in said["message"] + coded["Message"]


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_a_fault_of_a_recipient_with_a_text_for_a_code(reason: Reason) -> None:
    code, name, description = fault(reason)
    assert code.isdigit()
    assert name
    assert description == reason.sentence


def test_no_two_reasons_share_a_code_of_the_first_generation() -> None:
    codes = [json.loads(older(Refusal(reason)).body)["Code"] for reason in Reason]
    assert len(set(codes)) == len(codes)
    assert not set(codes) & {102, 104, 105, *range(144, 150), 156}


@pytest.mark.parametrize(
    ("reason", "status", "message"),
    [
        (Reason.MALFORMED, 400, "The request was not properly formatted."),
        (Reason.NO_RECIPIENT, 400, "The request was not properly formatted."),
        (Reason.NO_TEXT, 400, "The request was not properly formatted."),
        (Reason.UNAUTHORISED, 401, "API key is invalid."),
        (
            Reason.SUSPENDED,
            403,
            "Your account has been suspended! Please check with your account representative for more information.",
        ),
        (Reason.NO_FUNDS, 405, "You don't have enough credits on your account!"),
        (Reason.RATE_LIMITED, 429, WAIT),
        (Reason.OVERLOADED, 429, WAIT),
        (Reason.STORE_UNAVAILABLE, 500, INTERNAL),
        (Reason.INTERNAL, 500, INTERNAL),
    ],
)
def test_printed_errors_are_kept_letter_for_letter(reason: Reason, status: int, message: str) -> None:
    answer = newer(Refusal(reason, 9))
    assert answer.status == status
    assert json.loads(answer.body) == {"status": status, "message": message}


def test_a_wrong_key_has_the_first_generation_s_own_code_and_words() -> None:
    assert older(Refusal(Reason.UNAUTHORISED)).body == b'{"Code":100,"Message":"Provided API key is invalid"}'


@pytest.mark.parametrize("reason", [Reason.RATE_LIMITED, Reason.OVERLOADED])
def test_the_header_says_the_same_seconds_and_never_none(reason: Reason) -> None:
    assert newer(Refusal(reason, 9)).headers == ((b"retry-after", b"9"),)
    assert older(Refusal(reason)).headers == ((b"retry-after", b"1"),)


def test_recipients_faults_are_the_reseller_s_numbers() -> None:
    assert [fault(reason)[0] for reason in (Reason.INVALID_RECIPIENT, Reason.NO_ROUTE, Reason.SENDER_NOT_ALLOWED)] == [
        "25",
        "27",
        "29",
    ]


@pytest.mark.parametrize(
    ("path", "is_newer"),
    [
        ("/sms/messages", True),
        ("/sms/messages/x/status", True),
        ("/sms/message", False),
        ("/sms/message/webhooks", False),
        ("/sms/messagesx", False),
        ("/sms/balance", False),
    ],
)
def test_a_path_has_the_words_of_its_generation(path: str, is_newer: bool) -> None:
    assert wording(path) is (newer if is_newer else older)
