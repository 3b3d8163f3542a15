"""One ordinary message and its standing, for tests to vary, and all that can happen to it."""

from hypothesis import strategies as st

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import Content, Message
from heliograph.core.reasons import Reason
from heliograph.core.standing import Doubted, Ended, Fact, Reported, Requeued, Standing, Taken
from heliograph.core.states import Charge, MessageState
from heliograph.gsm.segments import Encoding, Segment

FIRST, SECOND, THIRD = CarrierId(1), CarrierId(2), CarrierId(3)
CONTENT = Content(SubmissionId(1), "Heliograph", "hello", Encoding.GSM7, (Segment(b"", b"hello"),))
MESSAGE = Message(
    account_id=AccountId(1),
    message_id=MessageId(1),
    recipient="+27831234567",
    content=CONTENT,
    plan=(FIRST, SECOND),
    expires_at_ms=1_000_000,
)
STANDING = Standing(
    account_id=AccountId(1),
    message_id=MessageId(1),
    state=MessageState.SUBMITTING,
    segments=1,
    accepted=0,
    delivered=0,
    charge=Charge.HELD,
    attempts=0,
    carrier_id=FIRST,
    reason=0,
    price=5,
    recipient="+27831234567",
    reference=None,
)

_CARRIERS = st.integers(1, 3).map(CarrierId)
_REPORTED = [
    MessageState.DELIVERED,
    MessageState.UNDELIVERED,
    MessageState.EXPIRED,
    MessageState.REJECTED,
    MessageState.UNKNOWN,
]
_ENDS = [
    Ended(MessageState.REJECTED, Reason.CARRIER_REFUSED),
    Ended(MessageState.FAILED, Reason.RETRIES_EXHAUSTED),
    Ended(MessageState.EXPIRED, Reason.VALIDITY_PASSED),
    Ended(MessageState.CANCELLED, Reason.CANCELLED),
    Ended(MessageState.UNKNOWN, Reason.NO_RECEIPT),
]
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.just(Taken()),
    st.sampled_from(_ENDS),
    st.builds(Requeued, _CARRIERS, st.booleans(), st.sampled_from([0, 1000])),
    st.just(Doubted()),
    st.builds(Reported, st.sampled_from(_REPORTED), st.booleans()),
)
"""Any fact, fitting or not."""


def message_of(account: int, number: int, *, expires_at_ms: int = MESSAGE.expires_at_ms) -> Message:
    """One of many messages of an account."""
    return MESSAGE._replace(account_id=AccountId(account), message_id=MessageId(number), expires_at_ms=expires_at_ms)
