"""What is sent: a submission of one body to recipients, the message each recipient gets, and the verdicts.

Hot values are named tuples: the cheapest immutable object there is, and the row of their table at once.
"""

from enum import IntEnum
from typing import NamedTuple

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState
from heliograph.gsm.segments import Encoding, Segment


class Channel(IntEnum):
    """What kind of thing is sent. Numbers are stored."""

    SMS = 1
    MMS = 2
    VOICE = 3


class IdempotencyKey(NamedTuple):
    """The caller's own name for a request, and what its body was."""

    key: str
    body_digest: str


class Traits(NamedTuple):
    """What few bodies have beside their text; stored as one value, and absent for most.

    template_id: of a content template registered with the carriers (India's DLT). language, gender: of the voice that
    reads the text. alphabet: a `gsm.national.Language`, 0 for the default alphabet alone.
    """

    template_id: str = ""
    language: str = ""
    gender: str = ""
    alphabet: int = 0


NO_TRAITS = Traits()

MOST_TEMPLATE_CHARS = 64
"""Characters of a template's id: those of India have 19."""


def is_template_id(written: str) -> bool:
    """Whether a template can be named so: with printable ASCII characters, or not at all."""
    return len(written) <= MOST_TEMPLATE_CHARS and written.isascii() and written.isprintable()


class Stage(NamedTuple):
    """The stretch of a broadcast that a submission expands: behind one place of it, up to another.

    A place is the number of a group in the broadcast and the id of its last contact that was expanded.
    """

    broadcast_id: int
    after: tuple[int, int]
    upto: tuple[int, int]


class Submission(NamedTuple):
    """One sending call as a dialect understood it, before any decision.

    recipients: as the caller wrote them; verdicts come back in this order.
    sender: as written, or None for the account's default. owns_sender: only a number of the account may be it.
    media_urls: addresses of files that go with it (MMS only); they are fetched after the answer.
    reference: the caller's own id; "" says that the caller's dialect has such an id and none was given.
    texts: one for each recipient, instead of `text`, where they differ. send_at_ms: when to send, 0 for at once.
    stage: set when it is a piece of a broadcast.
    """

    account_id: AccountId
    dialect: str
    channel: Channel
    text: str
    recipients: tuple[str | int, ...] | list[str | int]
    sender: str | None = None
    reference: str | None = None
    idempotency: IdempotencyKey | None = None
    media_urls: tuple[str, ...] = ()
    owns_sender: bool = False
    texts: tuple[str, ...] = ()
    send_at_ms: int = 0
    traits: Traits = NO_TRAITS
    stage: Stage | None = None


class Media(NamedTuple):
    """A file that goes with a message. digest: SHA-256 in hexadecimal digits; "" while it has not been fetched."""

    url: str
    digest: str = ""
    content_type: str = ""
    octets: int = 0


class Content(NamedTuple):
    """One body, encoded once for all its recipients. Segment bodies as `gsm.segments` makes them.

    An MMS or a voice message is one segment, whose body carriers do not read: they send text and media, or have the
    text read by the voice of the traits.
    """

    submission_id: SubmissionId
    sender: str
    text: str
    encoding: Encoding
    segments: tuple[Segment, ...]
    channel: Channel = Channel.SMS
    media: tuple[Media, ...] = ()
    traits: Traits = NO_TRAITS

    @property
    def is_complete(self) -> bool:
        """Whether all its media have been fetched."""
        return all(each.digest for each in self.media)


MOST_MEDIA = 10
"""Files that one MMS may have."""

MOST_MMS_CHARS = 5_000
"""Characters of an MMS's text: several times what carriers recommend, and far from what none would take."""

_WHOLE = (Segment(b"", b""),)


def whole_of(
    submission_id: SubmissionId,
    *,
    channel: Channel,
    sender: str,
    text: str,
    media: tuple[Media, ...] = (),
    traits: Traits = NO_TRAITS,
) -> Content:
    """The content of an MMS or of voice: it is not cut, so it counts and leaves as one segment."""
    return Content(submission_id, sender, text, Encoding.BINARY, _WHOLE, channel, media, traits)


class Message(NamedTuple):
    """One body to one recipient, on its way: what a carrier's queue holds.

    plan: carriers in the order in which they are tried. attempts: tries that counted, so far.
    accepted: segments that a carrier has already taken (only of a long message, after a retry or a restart).
    """

    account_id: AccountId
    message_id: MessageId
    recipient: str
    content: Content
    plan: tuple[CarrierId, ...]
    expires_at_ms: int
    attempts: int = 0
    accepted: frozenset[int] = frozenset()


WHOLE = -1
"""Stands for a segment where a carrier takes a long text in one piece."""


class Parcel(NamedTuple):
    """What is handed to a driver to be sent in one piece, and takes one slot of a window.

    segment: of the message; `WHOLE` for all of a message that has several, at a carrier that takes texts whole.
    """

    message: Message
    segment: int


class Verdict(NamedTuple):
    """The answer for one requested recipient: a message, or a reason why there is none.

    recipient: in E.164 form, or None when it is no number.
    segments: how many segments the message has (0 when refused). price: micro-credits for all of them.
    """

    recipient: str | None
    message_id: MessageId | None
    reason: Reason | None = None
    segments: int = 0
    price: int = 0


class Accepted(NamedTuple):
    """A submission was taken: at least looked at, and its good recipients stored.

    sender: the one that is used, a number without plus. send_at_ms: 0 when it is sent at once.
    """

    submission_id: SubmissionId
    verdicts: tuple[Verdict, ...]
    available: int
    replayed: bool = False
    sender: str = ""
    send_at_ms: int = 0


class Overtaken(NamedTuple):
    """A stage of a broadcast was expanded before, or the broadcast is over: nothing was stored or charged."""


class Report(NamedTuple):
    """A message in either direction, as its account sees it. sender, recipient: without plus. price: micro-credits.

    state: `RECEIVED` for one that came in.
    """

    message_id: MessageId
    sender: str
    recipient: str
    text: str
    state: MessageState
    price: int = 0


class Refusal(NamedTuple):
    """A submission was refused as a whole; nothing was stored or charged.

    retry_after_s: seconds to wait, for `RATE_LIMITED` and `OVERLOADED`. price: micro-credits it takes, for `NO_FUNDS`.
    about: what is wrong in this submission, for people, where the reason alone does not say.
    """

    reason: Reason
    retry_after_s: int = 0
    price: int = 0
    about: str = ""

    @property
    def sentence(self) -> str:
        """What happened, for people.

        >>> Refusal(Reason.UNREADABLE_TEXT, about="there is nothing in it to speak").sentence
        'The voice cannot read the text: there is nothing in it to speak.'
        """
        return f"{self.reason.sentence[:-1]}: {self.about}." if self.about else self.reason.sentence
