"""Who may send from what: whatever is set up and asked, nobody sends from a number of somebody else."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.directory import Account, Number, Snapshot
from heliograph.core.events import Audience
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel, Submission
from heliograph.core.numbers import sender_from
from heliograph.core.pricing import card_of
from heliograph.core.routing import table_of
from heliograph.core.senders import SenderPolicy, is_us_long_code, sender_of

OWNER, STRANGER = AccountId(1), AccountId(2)
# Few of each, so that they meet.
ADDRESSES = ["13105551212", "13105551213", "18885551212", "27831234567", "12345", "1234567"]
WRITTEN = [*ADDRESSES, *(f"+{each}" for each in ADDRESSES), "+1 (310) 555-1212", "Crane", "Heliograph", "", "no@sender"]
CAMPAIGNS = ["CW1", "CW2"]

_channels = st.frozensets(st.sampled_from(Channel))
_campaigns = st.none() | st.sampled_from(CAMPAIGNS)
_numbers = st.dictionaries(
    st.sampled_from(ADDRESSES), st.tuples(st.sampled_from([OWNER, STRANGER]), _channels, _campaigns)
)
_approved = st.frozensets(st.tuples(st.sampled_from([OWNER, STRANGER]), st.sampled_from(CAMPAIGNS)))
_accounts = st.builds(
    Account,
    account_id=st.just(OWNER),
    name=st.just("Crane"),
    user=st.just("crane"),
    mark=st.just("0" * 16),
    sender=st.none() | st.sampled_from(["Crane", *ADDRESSES]),
    senders=st.frozensets(st.sampled_from(["Crane", *ADDRESSES])),
)
_submissions = st.builds(
    Submission,
    account_id=st.just(OWNER),
    dialect=st.just("any"),
    channel=st.sampled_from(Channel),
    text=st.just("Good day"),
    recipients=st.just(("+27831234567",)),
    sender=st.none() | st.sampled_from(WRITTEN) | st.text(max_size=12),
    owns_sender=st.booleans(),
)
_policies = st.builds(SenderPolicy, st.sampled_from(["Heliograph", *ADDRESSES]), st.booleans())
_snapshots = st.builds(
    lambda numbers, approved: Snapshot(
        revision=1,
        accounts={},
        carriers={},
        webhooks={},
        routing=table_of([], {}),
        rates=card_of([]),
        audience=Audience({}),
        numbers={
            digits: Number(msisdn=f"+{digits}", account_id=whose, channels=channels, campaign=campaign)
            for digits, (whose, channels, campaign) in numbers.items()
        },
        campaigns=approved,
    ),
    _numbers,
    _approved,
)


@given(_submissions, _accounts, _snapshots, _policies)
def test_what_may_be_sent_from(
    submission: Submission, account: Account, snapshot: Snapshot, policy: SenderPolicy
) -> None:
    address = sender_of(submission, account, snapshot=snapshot, policy=policy)
    if not isinstance(address, str):
        return
    number = snapshot.numbers.get(address)
    # Never from another account's number, never from one that is not enabled.
    if number is not None:
        assert number.account_id == OWNER
        assert submission.channel in number.channels
    # Never from what is not owned, where the submission asks for an own number.
    assert number is not None or not submission.owns_sender
    # Never from what is neither the default, nor listed, nor owned.
    if submission.sender and account.senders and number is None:
        assert address in account.senders
    # Never for a campaign that is not approved.
    if policy.needs_campaign and is_us_long_code(address) and submission.channel is not Channel.VOICE:
        assert number is not None
        assert (OWNER, number.campaign) in snapshot.campaigns
    # Always what was written, or a default.
    wanted = sender_from(submission.sender or account.sender or policy.sender)
    assert wanted is not None
    assert wanted.address == address


@given(_submissions, _accounts, _snapshots)
def test_an_own_number_that_is_enabled_is_never_refused(
    submission: Submission, account: Account, snapshot: Snapshot
) -> None:
    sender = sender_from(submission.sender or account.sender or "Heliograph")
    number = snapshot.numbers.get(sender.address) if sender else None
    if sender is None or number is None or number.account_id != OWNER or submission.channel not in number.channels:
        return
    assert sender_of(submission, account, snapshot=snapshot, policy=SenderPolicy("Heliograph")) == sender.address
