"""Bodies: what the recipients of a submission get, each encoded once, and what it counts as."""

from collections.abc import Iterator
from typing import NamedTuple

from heliograph.core import voice
from heliograph.core.ids import SubmissionId, segment_reference
from heliograph.core.messages import MOST_MMS_CHARS, Channel, Content, Media, Submission, whole_of
from heliograph.core.reasons import Reason
from heliograph.gsm.alphabet import NotInAlphabet
from heliograph.gsm.segments import TooLong, split

_MOST_CHARS = {Channel.MMS: MOST_MMS_CHARS, Channel.VOICE: voice.MOST_CHARS}


class Body(NamedTuple):
    """A content, or why there is none.

    units: what its price is counted in: segments, one MMS, started half minutes of voice.
    """

    content: Content | None
    units: int = 0
    reason: Reason | None = None


def body_of(submission: Submission, text: str, *, submission_id: SubmissionId, sender: str) -> Body:
    """Encode a text as a submission wants it sent."""
    if not text and not submission.media_urls:
        return Body(None, reason=Reason.NO_TEXT)
    if "\0" in text:
        return Body(None, reason=Reason.INVALID_TEXT)
    channel, traits = submission.channel, submission.traits
    if channel is not Channel.SMS:
        return _whole(submission, text, submission_id=submission_id, sender=sender)
    try:
        encoding, segments = split(text, reference=segment_reference(submission_id))
    except TooLong:
        return Body(None, reason=Reason.TEXT_TOO_LONG)
    except NotInAlphabet:
        return Body(None, reason=Reason.INVALID_TEXT)
    return Body(Content(submission_id, sender, text, encoding, segments, channel, (), traits), len(segments))


def _whole(submission: Submission, text: str, *, submission_id: SubmissionId, sender: str) -> Body:
    """The body of an MMS or of voice."""
    channel = submission.channel
    if len(text) > _MOST_CHARS[channel]:
        return Body(None, reason=Reason.TEXT_TOO_LONG)
    if not is_unicode(text):
        return Body(None, reason=Reason.INVALID_TEXT)
    media = tuple(map(Media, submission.media_urls))
    traits = submission.traits
    content = whole_of(submission_id, channel=channel, sender=sender, text=text, media=media, traits=traits)
    return Body(content, voice.units_of(text) if channel is Channel.VOICE else 1)


class Bodies:
    """The bodies of a submission whose recipients get different texts. identifiers: one for each text, rising."""

    __slots__ = ("_identifiers", "_made", "_sender", "_submission")

    def __init__(self, submission: Submission, identifiers: Iterator[int], *, sender: str) -> None:
        self._submission = submission
        self._identifiers = identifiers
        self._sender = sender
        self._made: dict[str, Body] = {}

    def of(self, text: str) -> Body:
        """The body with a text."""
        body = self._made.get(text)
        if body is None:
            identifier = SubmissionId(next(self._identifiers))
            body = body_of(self._submission, text, submission_id=identifier, sender=self._sender)
            self._made[text] = body
        return body


def is_unicode(text: str) -> bool:
    """Whether a text can be written at all: a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
