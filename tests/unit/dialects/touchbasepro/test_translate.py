import doctest

import pytest

from heliograph.core.events import EventKind
from heliograph.core.ids import MessageId, shown_id
from heliograph.core.messages import Verdict
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState
from heliograph.dialects.touchbasepro import auth, translate
from heliograph.dialects.touchbasepro.translate import (
    KINDS,
    NEWER_WORDS,
    OLDER_WORDS,
    PUSHED,
    message_id_from_api_id,
    message_id_from_number,
    own_id,
    sent_body,
)
from tests.unit.dialects.world import MARK

S = MessageState
OTHER = "ffffffffffffffff"


@pytest.mark.parametrize("module", [auth, translate], ids=lambda module: module.__name__.rpartition(".")[2])
def test_examples_in_docstrings_hold(module: object) -> None:
    attempted = doctest.testmod(module)  # type: ignore[arg-type]  # parametrize gives objects
    assert attempted.failed == 0
    assert attempted.attempted > 0


def test_an_id_is_32_digits_and_comes_back() -> None:
    shown = shown_id(MessageId(2**53 - 1), MARK)
    assert shown == "001fffffffffffff" + MARK
    assert message_id_from_api_id(shown, MARK) == 2**53 - 1


@pytest.mark.parametrize(
    "written",
    [
        shown_id(5, OTHER),
        shown_id(5, MARK)[1:],
        shown_id(5, MARK) + "0",
        shown_id(5, MARK).upper(),
        "0x" + shown_id(5, MARK)[2:],
        "0_0" + shown_id(5, MARK)[3:],
        "f" * 16 + MARK,
        "",
        "٣" * 16 + MARK,
    ],
)
def test_an_id_that_was_never_shown_to_the_account_names_nothing(written: str) -> None:
    assert message_id_from_api_id(written, MARK) is None


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("13", 13),
        (str(2**53 - 1), 2**53 - 1),
        (str(2**53), None),
        ("9" * 5000, None),
        ("-1", None),
        ("٣", None),
        ("", None),
    ],
)
def test_a_number_names_a_message_when_it_can(written: str, found: int | None) -> None:
    assert message_id_from_number(written) == found


@pytest.mark.parametrize(("given", "kept"), [(None, ""), ("", ""), ("a1", "a1"), (17, "17")])
def test_the_caller_s_id_is_kept_as_text(given: str | int | None, kept: str) -> None:
    assert own_id(given) == kept


@pytest.mark.parametrize("state", sorted(set(MessageState) - {S.RECEIVED}))
def test_every_state_of_a_message_sent_has_a_word_in_both_generations(state: MessageState) -> None:
    words = {
        S.SCHEDULED: ("Accepted", "SCHEDULED"),
        S.QUEUED: ("Accepted", "QUEUED"),
        S.SUBMITTING: ("Accepted", "QUEUED"),
        S.HELD: ("Accepted", "QUEUED"),
        S.SUBMITTED: ("Enroute", "SENT_TO_SUPPLIER"),
        S.DELIVERED: ("Delivered", "DEVICE_ACK"),
        S.UNDELIVERED: ("Undelivered", "DELIVERY_FAILURE"),
        S.EXPIRED: ("Expired", "EXPIRED"),
        S.REJECTED: ("Rejected", "ROUTING_ERROR"),
        S.FAILED: ("Undelivered", "DELIVERY_FAILURE"),
        S.CANCELLED: ("Deleted", "DELIVERY_FAILURE"),
        S.UNKNOWN: ("Unknown", "UNKNOWN"),
    }
    assert (OLDER_WORDS[state], NEWER_WORDS[state]) == words[state]
    is_told = state is S.SUBMITTED or state.is_terminal
    assert (PUSHED.get(state) == words[state][0]) is is_told


def test_webhook_types_are_read() -> None:
    assert KINDS == {"MessageStatusUpdate": EventKind.STATUS, "MessageReply": EventKind.REPLY}


def test_verdicts_stand_in_order_with_the_type_that_was_sent() -> None:
    verdicts = [Verdict("+2783123456", MessageId(1)), Verdict(None, None, Reason.INVALID_RECIPIENT)]
    assert sent_body([2783123456, 'c"all'], verdicts, mark=MARK) == (
        b'{"messages":[{"apiMessageId":"000000000000000100c0ffee00c0ffee","accepted":true,"to":2783123456,'
        b'"errorCode":null,"error":null,"errorDescription":null},'
        b'{"apiMessageId":null,"accepted":false,"to":"c\\"all","errorCode":"25","error":"Invalid recipient address",'
        b'"errorDescription":"The recipient is not a phone number."}],'
        b'"errorCode":null,"error":null,"errorDescription":null}'
    )
