import pytest

from heliograph.core.directory import Number
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.replies import NOBODY, TALK_MS, Conversation, may_be_answered, owner_of

OWNED = {"27820000000": Number(msisdn="+27820000000", account_id=AccountId(4), channels=frozenset({Channel.MMS}))}


@pytest.mark.parametrize(
    ("sender", "answer"),
    [("27600", True), ("27821111111", True), ("27820000000", False), ("Crane", False), ("", False)],
)
def test_which_senders_are_shared_and_can_be_answered(sender: str, answer: bool) -> None:
    assert may_be_answered(sender, OWNED) is answer


def test_what_comes_to_a_number_is_its_owners_whatever_was_said_there() -> None:
    assert owner_of("27820000000", OWNED, Conversation(AccountId(5), 1), at_ms=2) == 4


def test_on_a_shared_sender_the_last_one_who_wrote_is_answered_for_a_week() -> None:
    talk = Conversation(AccountId(5), 1_000)
    assert owner_of("27600", OWNED, talk, at_ms=1_000 + TALK_MS) == 5
    assert owner_of("27600", OWNED, talk, at_ms=1_001 + TALK_MS) == NOBODY
    assert owner_of("27600", OWNED, None, at_ms=1_000) == NOBODY
