"""Drafting: everything that accept decides on a submission before the store is asked. Nothing is changed by it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from heliograph.core.alphabets import NO_LANGUAGES, LanguageTable
from heliograph.core.directory import Account, Snapshot
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import (
    MOST_MEDIA,
    Channel,
    Content,
    Message,
    Refusal,
    Stage,
    Submission,
    Verdict,
)
from heliograph.core.numbers import msisdn_from
from heliograph.core.reasons import Reason
from heliograph.core.replies import may_be_answered
from heliograph.core.room import for_waiting, has_room
from heliograph.core.senders import SenderPolicy, sender_of
from heliograph.net.guard import is_well_formed
from heliograph.pipeline.answers import remembered
from heliograph.pipeline.bodies import Bodies, Body, body_of, differs, is_unicode, with_good_traits
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.share import Share
from heliograph.store import traits
from heliograph.store.hops.accept import AcceptRequest, NewBody, NewMessage
from heliograph.store.hops.stages import StageMove

RETRY_AFTER_S = 5
MOST_URL_CHARS = 2_048
_MOST_PREFIXES = 100_000
_OF_TEXT = frozenset({Reason.INVALID_TEXT, Reason.TEXT_TOO_LONG})
_NO_BODY = Body(None)
_UNKNOWN_NUMBER = Verdict(None, None, Reason.INVALID_RECIPIENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the operator decides for everybody. validity_ms: how long a message may wait for a carrier.

    sender, needs_campaign: see `SenderPolicy`. languages: whose tables may be used for which recipients.
    """

    sender: str
    validity_ms: int
    most_in_memory: int
    most_in_store: int
    needs_campaign: bool = False
    languages: LanguageTable = NO_LANGUAGES


class Lines(Protocol):
    """Where accepted messages go: `dispatch.Dispatch`, or nowhere in a process that only stores them."""

    @property
    def owner(self) -> int:
        """Who holds the messages that are handed over."""
        ...

    @property
    def share(self) -> Share:
        """The carriers whose messages can be handed over."""
        ...

    @property
    def in_memory(self) -> int:
        """How many messages it holds."""
        ...

    def queued_of(self, account_id: AccountId) -> int:
        """How many of an account it holds that are not being submitted."""
        ...

    @property
    def waiting(self) -> int:
        """How many messages wait in the store and are due soon."""
        ...

    def note_waiting(self, messages: int) -> None:
        """So many more wait there, from before they are counted."""
        ...

    def hand_over(self, messages: list[Message]) -> None:
        """Take messages that are committed."""
        ...


class Way(NamedTuple):
    """Where a number's messages go and what a unit costs."""

    plan: tuple[CarrierId, ...]
    price: int


class Draft(NamedTuple):
    """A submission decided on: what to store, what to answer, what to send.

    content: what all recipients get; None when they may get different bodies.
    """

    submission_id: SubmissionId
    content: Content | None
    request: AcceptRequest
    verdicts: tuple[Verdict, ...]
    messages: list[Message]


class Drafting:
    """Decides with the directory's snapshot. One for each process."""

    def __init__(self, desk: Desk, *, lines: Lines, terms: Terms) -> None:
        self._desk = desk
        self._lines = lines
        self._terms = terms
        self._ways: dict[tuple[AccountId, Channel, str], Way] = {}
        self._ways_of: Snapshot | None = None
        self._senders = SenderPolicy(terms.sender, terms.needs_campaign)
        self._defaults: dict[tuple[AccountId, Channel, bool], str | Refusal] = {}
        self._defaults_of: Snapshot | None = None

    def draft(self, submission: Submission) -> Draft | Refusal:
        """What is to become of a submission."""
        snapshot = self._desk.directory.snapshot
        account = snapshot.accounts[submission.account_id]
        refusal = self._refuse_at_once(account, submission)
        if refusal is not None:
            return refusal
        checked = with_good_traits(submission)
        if type(checked) is Refusal:
            return checked
        assert isinstance(checked, Submission)
        submission = checked
        sender = self._sender(snapshot, account, submission)
        if type(sender) is Refusal:
            return sender
        assert isinstance(sender, str)
        now_ms = self._desk.clock.now_ms()
        languages = self._terms.languages
        says: Body | Bodies
        if differs(submission, languages):
            most_bodies = Bodies.most(submission, languages)
            identifiers = self._desk.ids.take(most_bodies + len(submission.recipients), now_ms)
            says = Bodies(submission, iter(identifiers), sender=sender, languages=languages)
        else:
            identifiers = self._desk.ids.take(1 + len(submission.recipients), now_ms)
            says = body_of(submission, submission.text, submission_id=SubmissionId(identifiers[0]), sender=sender)
            if says.reason is not None:
                return Refusal(says.reason, about=says.about)
        draft = self._draft(submission, says, sender=sender, identifiers=identifiers, now_ms=now_ms)
        if not draft.messages and not submission.texts:
            # One text that nobody can get is refused as a whole.
            for verdict in draft.verdicts:
                if verdict.reason in _OF_TEXT:
                    return Refusal(verdict.reason)
        return draft

    def _refuse_at_once(self, account: Account, submission: Submission) -> Refusal | None:
        if account.is_suspended:
            return Refusal(Reason.SUSPENDED)
        if submission.channel not in account.channels:
            return Refusal(Reason.CHANNEL_NOT_ENABLED)
        if not submission.recipients:
            return Refusal(Reason.NO_RECIPIENT)
        if submission.media_urls and not _has_good_media(submission):
            return Refusal(Reason.BAD_MEDIA)
        if not submission.text and not submission.texts and not submission.media_urls:
            return Refusal(Reason.NO_TEXT)
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
        self, submission: Submission, says: Body | Bodies, *, sender: str, identifiers: list[int], now_ms: int
    ) -> Draft:
        snapshot = self._desk.directory.snapshot
        account_id, channel, recipients = submission.account_id, submission.channel, submission.recipients
        send_at_ms = submission.send_at_ms if submission.send_at_ms > now_ms else 0
        waits = send_at_ms > 0 or not self._has_room(account_id, len(recipients))
        verdicts, rows, messages, cost = _decide(
            submission,
            identifiers[-len(recipients) :],
            says=says,
            way_to=self._ways_in(snapshot, account_id, channel),
            expires_at_ms=(send_at_ms or now_ms) + self._terms.validity_ms,
            owner=0 if waits else self._lines.owner,
        )
        share = self._lines.share
        if not share.is_whole and not waits:
            rows = [row if share.holds(row.carrier_id) else row._replace(owner=0) for row in rows]
            waits = not all(row.owner for row in rows)
        content = says.content if type(says) is Body else None
        submission_id, stage, key = SubmissionId(identifiers[0]), submission.stage, submission.idempotency
        request = AcceptRequest(
            account_id, [_row_of(content, send_at_ms)] if content else _bodies_of(messages, send_at_ms),
            submission.dialect, channel, sender, cost, rows, now_ms, waits, key,
            remembered(submission_id, verdicts, sender=sender, send_at_ms=send_at_ms) if key else "",
            may_be_answered(sender, snapshot.numbers),
            submission.media_urls,
            send_at_ms,
            _move(stage, verdicts, len(rows)) if stage else None,
        )  # fmt: skip
        return Draft(submission_id, content, request, tuple(verdicts), messages)

    def _has_room(self, account_id: AccountId, messages: int) -> bool:
        lines, most = self._lines, self._terms.most_in_memory
        in_memory = lines.in_memory
        if in_memory + messages <= for_waiting(most):
            # The usual case does not ask whose they are.
            return True
        return has_room(messages, in_memory=in_memory, of_account=lines.queued_of(account_id), most=most)

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


_Decided = tuple[list[Verdict], list[NewMessage], list[Message], int]


def _decide(
    submission: Submission,
    identifiers: list[int],
    *,
    says: Body | Bodies,
    way_to: Callable[[str], Way],
    expires_at_ms: int,
    owner: int,
) -> _Decided:
    """A verdict for each recipient; rows, messages and cost of those that get one. Who is named twice gets one."""
    account_id, reference = submission.account_id, submission.reference
    seen: dict[str, Verdict] = {}
    verdicts: list[Verdict] = []
    rows: list[NewMessage] = []
    messages: list[Message] = []
    cost = 0
    bodies = says if type(says) is Bodies else None
    content, units, reason, _ = says if type(says) is Body else _NO_BODY
    segments = len(content.segments) if content is not None else 0
    for written, identifier in zip(submission.recipients, identifiers, strict=True):
        recipient = msisdn_from(written)
        if recipient is None:
            verdicts.append(_UNKNOWN_NUMBER)
            continue
        verdict = seen.get(recipient)
        if verdict is None:
            if bodies is not None:
                content, units, reason, _ = bodies.of(len(verdicts), recipient)
                segments = len(content.segments) if content is not None else 0
            plan, price = way_to(recipient)
            if content is None:
                verdict = Verdict(recipient, None, reason)
            elif plan:
                message_id = MessageId(identifier)
                price *= units
                cost += price
                rows.append(
                    NewMessage(
                        account_id, message_id, content.submission_id, recipient, segments, plan[0], price,
                        expires_at_ms, reference, owner,
                    )
                )  # fmt: skip
                messages.append(Message(account_id, message_id, recipient, content, plan, expires_at_ms))
                verdict = Verdict(recipient, message_id, None, segments, price)
            else:
                verdict = Verdict(recipient, None, Reason.NO_ROUTE)
            seen[recipient] = verdict
        verdicts.append(verdict)
    return verdicts, rows, messages, cost


def _row_of(content: Content, send_at_ms: int) -> NewBody:
    return NewBody(content.submission_id, content.text, traits.written(content.traits, send_at_ms))


def _bodies_of(messages: list[Message], send_at_ms: int) -> list[NewBody]:
    """The bodies that messages have, in order."""
    contents = {message.content.submission_id: message.content for message in messages}
    return [_row_of(content, send_at_ms) for content in contents.values()]


def _move(stage: Stage, verdicts: list[Verdict], accepted: int) -> StageMove:
    refused = sum(verdict.message_id is None for verdict in verdicts)
    return StageMove(stage.broadcast_id, stage.after, stage.upto, accepted, refused)


def _has_good_media(submission: Submission) -> bool:
    """Whether these can be files of a message. Whether an address may be called is judged when it is."""
    urls = submission.media_urls
    is_fitting = submission.channel is Channel.MMS and len(urls) <= MOST_MEDIA
    return is_fitting and all(len(url) <= MOST_URL_CHARS and is_unicode(url) and is_well_formed(url) for url in urls)
