"""Answers that are kept for an `Idempotency-Key`: written with the messages, read when the request is repeated."""

from collections.abc import Sequence

import msgspec

from heliograph.core.ids import MessageId, SubmissionId
from heliograph.core.messages import Accepted, Verdict
from heliograph.core.reasons import reason_numbered


class _Listed(msgspec.Struct, array_like=True):
    """A verdict. reason: its number, 0 for none. What has a default is missing in answers of earlier versions."""

    recipient: str | None
    message_id: int | None
    reason: int
    segments: int
    price: int = 0


class _Answer(msgspec.Struct, array_like=True):
    submission_id: int
    verdicts: list[_Listed]
    sender: str = ""
    send_at_ms: int = 0


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Answer).decode


def remembered(submission_id: SubmissionId, verdicts: Sequence[Verdict], *, sender: str, send_at_ms: int) -> str:
    """An answer to keep."""
    listed = [
        _Listed(recipient, message_id, reason.number if reason else 0, segments, price)
        for recipient, message_id, reason, segments, price in verdicts
    ]
    return _encode(_Answer(submission_id, listed, sender, send_at_ms)).decode()


def replayed(answer: str, available: int) -> Accepted:
    """The answer that was kept. available: what was left then."""
    kept = _decode(answer)
    verdicts = tuple(
        Verdict(
            each.recipient,
            MessageId(each.message_id) if each.message_id else None,
            reason_numbered(each.reason) if each.reason else None,
            each.segments,
            each.price,
        )
        for each in kept.verdicts
    )
    return Accepted(SubmissionId(kept.submission_id), verdicts, available, True, kept.sender, kept.send_at_ms)
