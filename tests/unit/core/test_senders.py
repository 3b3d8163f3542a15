from dataclasses import replace

import pytest

from heliograph.core.directory import Account, Number, Snapshot
from heliograph.core.events import Audience
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel, Refusal, Submission
from heliograph.core.pricing import card_of
from heliograph.core.reasons import Reason
from heliograph.core.routing import table_of
from heliograph.core.senders import SenderPolicy, is_us_long_code, sender_of

OWNER, STRANGER = AccountId(1), AccountId(2)
SMS, MMS, VOICE = Channel
OURS = Number(msisdn="+13109060901", account_id=OWNER, channels=frozenset({SMS, MMS}), campaign="CW1549")
OFF = Number(msisdn="+27831234567", account_id=OWNER, channels=frozenset())
TOLL_FREE = Number(msisdn="+18885551212", account_id=OWNER, channels=frozenset(Channel))
SHORT = Number(msisdn="12345", account_id=OWNER, channels=frozenset({SMS}))
THEIRS = Number(msisdn="+447700900123", account_id=STRANGER, channels=frozenset(Channel))

ACCOUNT = Account(account_id=OWNER, name="Crane", user="crane", mark="0" * 16)
SUBMISSION = Submission(account_id=OWNER, dialect="any", channel=SMS, text="Good day", recipients=("+27831234567",))
SNAPSHOT = Snapshot(
    revision=1,
    accounts={OWNER: ACCOUNT},
    carriers={},
    webhooks={},
    routing=table_of([], {}),
    rates=card_of([]),
    audience=Audience({}),
    numbers={each.msisdn.removeprefix("+"): each for each in (OURS, OFF, TOLL_FREE, SHORT, THEIRS)},
)
POLICY = SenderPolicy("Heliograph")
REQUIRED = SenderPolicy("Heliograph", needs_campaign=True)


def told(
    sender: str | None,
    *,
    channel: Channel = SMS,
    owns: bool = False,
    account: Account = ACCOUNT,
    policy: SenderPolicy = POLICY,
    snapshot: Snapshot = SNAPSHOT,
) -> str | Reason:
    """The sender, or the reason why not."""
    submission = SUBMISSION._replace(sender=sender, channel=channel, owns_sender=owns)
    answer = sender_of(submission, account, snapshot=snapshot, policy=policy)
    return answer.reason if isinstance(answer, Refusal) else answer


def test_a_sender_that_is_not_named_is_the_account_s_then_the_operator_s() -> None:
    assert told(None) == told("") == "Heliograph"
    assert told(None, account=replace(ACCOUNT, sender="Crane")) == "Crane"
    # The default need not be on the list: the operator chose both.
    assert told(None, account=replace(ACCOUNT, sender="Crane", senders=frozenset({"Stork"}))) == "Crane"


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("Crane", "Crane"),
        ("+27820000000", "27820000000"),
        ("54321", "54321"),
        ("much too long a sender", Reason.INVALID_SENDER),
        ("@", Reason.INVALID_SENDER),
        ("+13109060901", "13109060901"),
        ("13109060901", "13109060901"),
        ("12345", "12345"),
        ("+27831234567", Reason.NUMBER_NOT_ENABLED),
        ("+447700900123", Reason.SENDER_NOT_ALLOWED),
        ("447700900123", Reason.SENDER_NOT_ALLOWED),
    ],
)
def test_who_has_no_list_sends_from_whatever_is_nobody_else_s(written: str, answer: object) -> None:
    assert told(written) == answer


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("Crane", "Crane"),
        ("crane", Reason.SENDER_NOT_ALLOWED),
        ("27820000000", "27820000000"),
        ("+27820000001", Reason.SENDER_NOT_ALLOWED),
        ("+13109060901", "13109060901"),
        # A list makes nobody else's number one's own.
        ("+447700900123", Reason.SENDER_NOT_ALLOWED),
    ],
)
def test_who_has_a_list_sends_from_it_and_from_its_own_numbers(written: str, answer: object) -> None:
    listed = replace(ACCOUNT, senders=frozenset({"Crane", "27820000000", "447700900123"}))
    assert told(written, account=listed) == answer


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("+13109060901", "13109060901"),
        ("12345", "12345"),
        (None, Reason.SENDER_NOT_OWNED),
        ("Crane", Reason.SENDER_NOT_OWNED),
        ("+27820000000", Reason.SENDER_NOT_OWNED),
        ("+447700900123", Reason.SENDER_NOT_OWNED),
        ("+27831234567", Reason.NUMBER_NOT_ENABLED),
        ("much too long a sender", Reason.INVALID_SENDER),
    ],
)
def test_only_own_numbers_where_the_submission_says_so(written: str | None, answer: object) -> None:
    assert told(written, owns=True, account=replace(ACCOUNT, senders=frozenset({"Crane", "27820000000"}))) == answer


def test_an_own_number_sends_what_it_is_enabled_for() -> None:
    assert [told("12345", channel=channel) for channel in (SMS, MMS)] == ["12345", Reason.NUMBER_NOT_ENABLED]
    assert told("+13109060901", channel=VOICE, owns=True) is Reason.NUMBER_NOT_ENABLED


def test_a_default_obeys_the_same_rules() -> None:
    assert told(None, account=replace(ACCOUNT, sender="447700900123")) is Reason.SENDER_NOT_ALLOWED
    assert told(None, policy=SenderPolicy("447700900123")) is Reason.SENDER_NOT_ALLOWED
    assert told(None, account=replace(ACCOUNT, sender="13109060901"), owns=True) == "13109060901"
    assert told(None, account=replace(ACCOUNT, sender="13109060901"), policy=REQUIRED) is Reason.NO_CAMPAIGN


def test_a_us_number_needs_an_approved_campaign_of_its_account_when_the_operator_says_so() -> None:
    approved = replace(SNAPSHOT, campaigns=frozenset({(OWNER, "CW1549")}))
    theirs = replace(SNAPSHOT, campaigns=frozenset({(STRANGER, "CW1549")}))
    assert told("+13109060901", policy=POLICY) == "13109060901"
    assert told("+13109060901", policy=REQUIRED) is Reason.NO_CAMPAIGN
    assert told("+13109060901", policy=REQUIRED, snapshot=theirs) is Reason.NO_CAMPAIGN
    for owns in (False, True):
        for channel in (SMS, MMS):
            assert told("+13109060901", policy=REQUIRED, snapshot=approved, owns=owns, channel=channel) == "13109060901"
    # A number that is nobody's has no campaign either; toll-free numbers, short codes, names and calls need none.
    assert told("+13105550000", policy=REQUIRED, snapshot=approved) is Reason.NO_CAMPAIGN
    assert told("+13105550000", policy=REQUIRED, channel=VOICE) == "13105550000"
    for written in ("+18885551212", "12345", "Crane", "+27820000000"):
        assert told(written, policy=REQUIRED) in (written, written[1:])


@pytest.mark.parametrize(
    ("address", "is_long_code"),
    [
        ("13105551212", True),
        ("18005551212", False),
        ("18335551212", False),
        ("18445551212", False),
        ("18555551212", False),
        ("18665551212", False),
        ("18775551212", False),
        ("18885551212", False),
        ("18225551212", True),
        ("1310555121", False),
        ("131055512123", False),
        ("23105551212", False),
        ("1HELLO WORL", False),
    ],
)
def test_long_codes_of_the_us_plan(address: str, is_long_code: bool) -> None:
    assert is_us_long_code(address) is is_long_code
