"""Accept: decide on a submission, store what passes, answer after the commit.

The decisions are `core`'s; what is stored, held and answered belongs to one transaction. Messages that fit in
memory are handed to dispatch as soon as they are committed; the others wait in the store.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import msgspec

from heliograph.core.directory import Account, Snapshot
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId, segment_reference
from heliograph.core.messages import (
    MOST_MEDIA,
    MOST_MMS_CHARS,
    Accepted,
    Channel,
    Content,
    Media,
    Message,
    Refusal,
    Submission,
    Verdict,
    mms_of,
)
from heliograph.core.numbers import msisdn_from
from heliograph.core.reasons import FORBIDDING, Reason, reason_numbered
from heliograph.core.replies import may_be_answered
from heliograph.core.senders import SenderPolicy, sender_of
from heliograph.gsm.alphabet import NotInAlphabet
from heliograph.gsm.segments import TooLong, split
from heliograph.net.guard import is_well_formed
from heliograph.pipeline.desk import Desk
from heliograph.store.engine import ask
from heliograph.store.hops.accept import (
    ACCEPT,
    AcceptRequest,
    AcceptResult,
    KeyReused,
    NewMessage,
    NotEnough,
    Replay,
    Stored,
)

RETRY_AFTER_S = 5
MOST_URL_CHARS = 2_048
_MOST_PREFIXES = 100_000
_UNKNOWN_NUMBER = Verdict(None, None, Reason.INVALID_RECIPIENT)

_answers = msgspec.json.Encoder()
_read_answer = msgspec.json.Decoder(tuple[int, list[tuple[str | None, int | None, int, int]]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the operator decides for everybody. validity_ms: how long a message may wait for a carrier.

    sender, needs_campaign: see `SenderPolicy`.
    """

    sender: str
    validity_ms: int
    most_in_memory: int
    most_in_store: int
    needs_campaign: bool = False


class Lines(Protocol):
    """Where accepted messages go: `dispatch.Dispatch`, or nowhere in a process that only stores them."""

    @property
    def owner(self) -> int:
        """Who holds the messages that are handed over."""
        ...

    @property
    def in_memory(self) -> int:
        """How many messages it holds."""
        ...

    @property
    def waiting(self) -> int:
        """How many messages wait in the store."""
        ...

    def hand_over(self, messages: list[Message]) -> None:
        """Take messages that are committed."""
        ...


class Way(NamedTuple):
    """Where a number's messages go and what a segment costs."""

    plan: tuple[CarrierId, ...]
    price: int


class Acceptance:
    """The door of every dialect. One for each process."""

    def __init__(
        self,
        desk: Desk,
        *,
        lines: Lines,
        terms: Terms,
    ) -> None:
        self._directory = desk.directory
        self._writer = desk.writer
        self._ids = desk.ids
        self._clock = desk.clock
        self._lines = lines
        self._terms = terms
        self._tally = desk.tally
        self._ways: dict[tuple[AccountId, Channel, str], Way] = {}
        self._ways_of: Snapshot | None = None
        self._senders = SenderPolicy(terms.sender, terms.needs_campaign)
        self._defaults: dict[tuple[AccountId, Channel, bool], str | Refusal] = {}
        self._defaults_of: Snapshot | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[tuple[AccountId, str]] = set()

    async def submit(self, submission: Submission) -> Accepted | Refusal:
        """Decide, store, answer. Raises StoreUnavailable when nothing can be stored."""
        key = submission.idempotency and (submission.account_id, submission.idempotency.key)
        if key:
            if key in self._running:
                return Refusal(Reason.KEY_IN_USE)
            self._running.add(key)
        try:
            answer = await self._submit(submission)
            if type(answer) is Refusal:
                self._tally.refused[answer.reason] += 1
            return answer
        finally:
            if key:
                self._running.discard(key)

    async def _submit(self, submission: Submission) -> Accepted | Refusal:
        draft = self.draft(submission)
        if _may_be_stale(draft) and await self._directory.is_stale():
            await self._directory.load()
            draft = self.draft(submission)
        if type(draft) is Refusal:
            return draft
        assert isinstance(draft, Draft)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        result = await ask(self._writer, ACCEPT, draft.request, loop=self._loop)
        return self._answer(draft, result)

    def _answer(self, draft: "Draft", result: AcceptResult) -> Accepted | Refusal:
        match result:
            case Stored(available=available):
                self._tally.submissions += 1
                self._tally.accepted += len(draft.messages)
                if not draft.request.waits:
                    self._lines.hand_over(draft.messages)
                return Accepted(draft.request.submission_id, draft.verdicts, available)
            case NotEnough():
                return Refusal(Reason.NO_FUNDS)
            case Replay(answer=answer, available=available):
                return _replayed(answer, available)
            case KeyReused():
                return Refusal(Reason.KEY_REUSED)

    # Deciding --------------------------------------------------------------------------------------------------

    def draft(self, submission: Submission) -> "Draft | Refusal":
        """Everything that is decided before the store is asked; nothing is changed by it."""
        snapshot = self._directory.snapshot
        account = snapshot.accounts[submission.account_id]
        now_ms = self._clock.now_ms()
        refusal = self._refuse_at_once(account, submission)
        if refusal is not None:
            return refusal
        sender = self._sender(snapshot, account, submission)
        if type(sender) is Refusal:
            return sender
        assert isinstance(sender, str)
        identifiers = self._ids.take(1 + len(submission.recipients), now_ms)
        content = _content(submission, SubmissionId(identifiers[0]), sender)
        if type(content) is Refusal:
            return content
        assert isinstance(content, Content)
        return self._draft(snapshot, submission, content, identifiers, now_ms)

    def _refuse_at_once(self, account: Account, submission: Submission) -> Refusal | None:
        if account.is_suspended:
            return Refusal(Reason.SUSPENDED)
        if submission.channel not in account.channels:
            return Refusal(Reason.CHANNEL_NOT_ENABLED)
        if not submission.recipients:
            return Refusal(Reason.NO_RECIPIENT)
        if submission.media_urls and not _has_good_media(submission):
            return Refusal(Reason.BAD_MEDIA)
        if not submission.text and not submission.media_urls:
            return Refusal(Reason.NO_TEXT)
        if "\0" in submission.text:
            return Refusal(Reason.INVALID_TEXT)
        if self._lines.waiting >= self._terms.most_in_store:
            return Refusal(Reason.OVERLOADED, RETRY_AFTER_S)
        return None

    def _sender(self, snapshot: Snapshot, account: Account, submission: Submission) -> str | Refusal:
        """The address of the sender to use (a number without plus); a default is found out once for a snapshot."""
        if submission.sender is not None:
            return sender_of(submission, account, snapshot=snapshot, policy=self._senders)
        if self._defaults_of is not snapshot:
            self._defaults_of, self._defaults = snapshot, {}
        place = (account.account_id, submission.channel, submission.owns_sender)
        known = self._defaults.get(place)
        if known is None:
            known = sender_of(submission, account, snapshot=snapshot, policy=self._senders)
            self._defaults[place] = known
        return known

    def _draft(
        self, snapshot: Snapshot, submission: Submission, content: Content, identifiers: list[int], now_ms: int
    ) -> "Draft":
        account_id, reference = submission.account_id, submission.reference
        expires_at_ms = now_ms + self._terms.validity_ms
        segments = len(content.segments)
        waits = self._lines.in_memory + len(submission.recipients) > self._terms.most_in_memory
        owner = 0 if waits else self._lines.owner
        seen: dict[str, Verdict] = {}
        verdicts: list[Verdict] = []
        rows: list[NewMessage] = []
        messages: list[Message] = []
        cost = 0
        way_to = self._ways_in(snapshot, account_id, submission.channel)
        for written, identifier in zip(submission.recipients, identifiers[1:], strict=True):
            recipient = msisdn_from(written)
            if recipient is None:
                verdicts.append(_UNKNOWN_NUMBER)
                continue
            verdict = seen.get(recipient)
            if verdict is None:
                plan, price = way_to(recipient)
                if plan:
                    message_id = MessageId(identifier)
                    price *= segments
                    cost += price
                    rows.append(
                        NewMessage(
                            account_id, message_id, content.submission_id, recipient, segments, plan[0], price,
                            expires_at_ms, reference, owner,
                        )
                    )  # fmt: skip
                    messages.append(Message(account_id, message_id, recipient, content, plan, expires_at_ms))
                    verdict = Verdict(recipient, message_id, None, segments)
                else:
                    verdict = Verdict(recipient, None, Reason.NO_ROUTE)
                seen[recipient] = verdict
            verdicts.append(verdict)
        request = AcceptRequest(
            account_id, content.submission_id, submission.dialect, submission.channel, content.sender, content.text,
            cost, rows, now_ms, waits, submission.idempotency,
            _remembered(content.submission_id, verdicts) if submission.idempotency else "",
            may_be_answered(content.sender, snapshot.numbers),
            media=tuple(submission.media_urls),
        )  # fmt: skip
        return Draft(content, request, tuple(verdicts), messages)

    def _ways_in(self, snapshot: Snapshot, account_id: AccountId, channel: Channel) -> Callable[[str], Way]:
        """A look-up of route and price that remembers what it found for a prefix."""
        if self._ways_of is not snapshot or len(self._ways) > _MOST_PREFIXES:
            self._ways_of, self._ways = snapshot, {}
        ways = self._ways
        end = 1 + max(snapshot.routing.longest, snapshot.rates.longest)

        def way_to(recipient: str) -> Way:
            place = (account_id, channel, recipient[1:end])
            way = ways.get(place)
            if way is None:
                plan = snapshot.routing.plan(channel, recipient)
                way = ways[place] = Way(plan, snapshot.rates.price(account_id, channel, recipient))
            return way

        return way_to


class Draft(NamedTuple):
    """A submission decided on: what to store, what to answer, what to send."""

    content: Content
    request: AcceptRequest
    verdicts: tuple[Verdict, ...]
    messages: list[Message]


def _content(submission: Submission, submission_id: SubmissionId, sender: str) -> Content | Refusal:
    """What every recipient gets."""
    text = submission.text
    if submission.channel is Channel.MMS:
        return _mms(submission, submission_id, sender)
    try:
        encoding, segments = split(text, reference=segment_reference(submission_id))
    except TooLong:
        return Refusal(Reason.TEXT_TOO_LONG)
    except NotInAlphabet:
        return Refusal(Reason.INVALID_TEXT)
    return Content(submission_id, sender, text, encoding, segments, submission.channel)


def _mms(submission: Submission, submission_id: SubmissionId, sender: str) -> Content | Refusal:
    text = submission.text
    if len(text) > MOST_MMS_CHARS:
        return Refusal(Reason.TEXT_TOO_LONG)
    if not _is_unicode(text):
        return Refusal(Reason.INVALID_TEXT)
    return mms_of(submission_id, sender=sender, text=text, media=tuple(map(Media, submission.media_urls)))


def _has_good_media(submission: Submission) -> bool:
    """Whether these can be files of a message. Whether an address may be called is judged when it is."""
    urls = submission.media_urls
    is_fitting = submission.channel is Channel.MMS and len(urls) <= MOST_MEDIA
    return is_fitting and all(len(url) <= MOST_URL_CHARS and _is_unicode(url) and is_well_formed(url) for url in urls)


def _is_unicode(text: str) -> bool:
    """Whether a text can be written at all: a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_CHANGEABLE = FORBIDDING | {Reason.SUSPENDED}


def _may_be_stale(draft: Draft | Refusal) -> bool:
    """Whether a "no" could turn into a "yes" by what was set up a moment ago."""
    if type(draft) is Refusal:
        return draft.reason in _CHANGEABLE
    assert isinstance(draft, Draft)
    return not draft.messages and any(verdict.reason is Reason.NO_ROUTE for verdict in draft.verdicts)


def _remembered(submission_id: SubmissionId, verdicts: Sequence[Verdict]) -> str:
    listed = [
        (verdict.recipient, verdict.message_id, verdict.reason.number if verdict.reason else 0, verdict.segments)
        for verdict in verdicts
    ]
    return _answers.encode((submission_id, listed)).decode()


def _replayed(answer: str, available: int) -> Accepted:
    submission_id, listed = _read_answer.decode(answer)
    verdicts = tuple(
        Verdict(
            recipient, MessageId(message_id) if message_id else None, reason_numbered(number) if number else None, count
        )
        for recipient, message_id, number, count in listed
    )
    return Accepted(SubmissionId(submission_id), verdicts, available, replayed=True)
