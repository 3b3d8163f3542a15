"""A small world behind the dialects: in memory, decided with core's own functions, with a clock that tests move."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from heliograph.core.broadcasts import Broadcast, BroadcastState
from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.directory import Account, Number, Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import (
    AccountId,
    BroadcastId,
    ContactGroupId,
    ContactId,
    IdSource,
    MessageId,
    SubmissionId,
    WebhookId,
)
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.core.listing import Listing
from heliograph.core.messages import Accepted, Channel, Refusal, Report, Submission, Verdict
from heliograph.core.money import CREDIT
from heliograph.core.numbers import msisdn_from, sender_from
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState
from heliograph.dialects.bulkvs.endpoints import BULKVS
from heliograph.dialects.dialect import Call, Dialect, Services
from heliograph.dialects.http import application
from heliograph.dialects.limiter import RateLimiter
from heliograph.dialects.textboost.endpoints import TEXTBOOST
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO
from heliograph.gsm.segments import TooLong, count_segments

KEY = "49|" + "k" * 40
MARK = "00c0ffee00c0ffee"
OPERATOR = "Heliograph"
"""Sends for whom no sender is named."""
NOW_MS = 1_795_000_000_000
OWN_NUMBER = "+13109060901"


@dataclass
class FakeClock:
    """Time that stands still until a test moves it."""

    wall_ms: int = NOW_MS
    seconds: float = 0.0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class StoredMessage:
    """What became of one accepted recipient."""

    message_id: MessageId
    recipient: str
    text: str
    reference: str | None
    segments: int
    state: MessageState = MessageState.QUEUED
    sender: str = ""
    price: int = 0


@dataclass
class StoredCampaign:
    """A campaign of the account."""

    tcr: str
    brand: str
    is_approved: bool
    numbers: int = 0
    created_at_ms: int = 1_613_492_615_000


@dataclass
class World:
    """One account's exchange. failing: raised by the next submit instead of an answer. barred: without a route.

    groups, contacts, broadcasts: by their ids, of whatever account.
    """

    account: Account
    clock: FakeClock = field(default_factory=FakeClock)
    funds: Balance = field(default_factory=Balance)
    stored: dict[MessageId, StoredMessage] = field(default_factory=dict)
    kept: dict[WebhookId, Webhook] = field(default_factory=dict)
    numbers: dict[str, Number] = field(default_factory=dict)
    campaigns: list[StoredCampaign] = field(default_factory=list)
    barred: frozenset[str] = frozenset()
    failing: Exception | None = None
    refusing: Refusal | None = None
    submissions: list[Submission] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answers: dict[str, tuple[str, Accepted]] = field(default_factory=dict)
    ids: IdSource = field(default_factory=lambda: IdSource(0))
    groups: dict[int, ContactGroup] = field(default_factory=dict)
    contacts: dict[int, Contact] = field(default_factory=dict)
    broadcasts: dict[int, Broadcast] = field(default_factory=dict)
    channels: frozenset[Channel] = frozenset(Channel)

    # Directory

    def cached(self, api_key: str) -> Account | None:
        return self.account if api_key == KEY else None

    async def account_for_key(self, api_key: str) -> Account | None:
        self.asked.append(api_key)
        return None

    # Accept

    async def submit(self, submission: Submission) -> Accepted | Refusal:
        self.submissions.append(submission)
        if self.failing is not None:
            raise self.failing
        reason = self._against(submission)
        if reason is not None:
            return Refusal(reason)
        if self.refusing is not None:
            return self.refusing
        named = submission.idempotency
        if named is not None and named.key in self.answers:
            digest, accepted = self.answers[named.key]
            same = digest == named.body_digest
            return accepted._replace(replayed=True) if same else Refusal(Reason.KEY_REUSED)
        accepted_or_not = self._take(submission)
        if named is not None and isinstance(accepted_or_not, Accepted):
            self.answers[named.key] = (named.body_digest, accepted_or_not)
        return accepted_or_not

    @property
    def standing(self) -> Reason | None:
        """Why the account may not change its webhooks and numbers, if it may not."""
        if self.account.is_suspended:
            return Reason.SUSPENDED
        return None if self.account.has_agreed else Reason.NOT_AGREED

    def _against(self, submission: Submission) -> Reason | None:
        if self.account.is_suspended:
            return Reason.SUSPENDED
        if not submission.recipients:
            return Reason.NO_RECIPIENT
        if not submission.text and not submission.media_urls:
            return Reason.NO_TEXT
        if submission.owns_sender and f"+{submission.sender}" not in self.numbers:
            return Reason.SENDER_NOT_OWNED
        if submission.sender is not None and sender_from(submission.sender) is None:
            return Reason.INVALID_SENDER
        if submission.sender and self.account.senders and submission.sender not in self.account.senders:
            return Reason.SENDER_NOT_ALLOWED
        if any(not url.startswith("http") for url in submission.media_urls):
            return Reason.BAD_MEDIA
        if "\0" in submission.text:
            return Reason.INVALID_TEXT
        try:
            count_segments(submission.text)
        except TooLong:
            return Reason.TEXT_TOO_LONG
        return None

    def _take(self, submission: Submission) -> Accepted | Refusal:
        segments = 1 if submission.channel is Channel.MMS else count_segments(submission.text)[1]
        numbers = [msisdn_from(written) for written in submission.recipients]
        has_carrier = submission.channel in self.channels
        good = (number for number in numbers if number is not None and number not in self.barred and has_carrier)
        fresh, each = dict.fromkeys(good), segments * CREDIT
        price = len(fresh) * each
        if price > self.funds.available:
            return Refusal(Reason.NO_FUNDS, price=price)
        sender = (submission.sender or self.account.sender or OPERATOR).removeprefix("+")
        send_at_ms = submission.send_at_ms if submission.send_at_ms > self.clock.now_ms() else 0
        state = MessageState.SCHEDULED if send_at_ms else MessageState.QUEUED
        self.funds = post(self.funds, PostingKind.HOLD, price)
        made = {number: MessageId(self.ids.next(self.clock.now_ms())) for number in fresh}
        for number, message_id in made.items():
            self.stored[message_id] = StoredMessage(
                message_id, number, submission.text, submission.reference, segments, state, sender, each
            )
        verdicts = tuple(
            Verdict(number, made[number], None, segments, each)
            if number in made
            else Verdict(number, None, Reason.NO_ROUTE if number else Reason.INVALID_RECIPIENT)
            for number in numbers
        )
        submission_id = SubmissionId(self.ids.next(self.clock.now_ms()))
        return Accepted(submission_id, verdicts, self.funds.available, sender=sender, send_at_ms=send_at_ms)

    # Accounts

    async def balance(self, account_id: AccountId) -> Balance:
        return self.funds if account_id == self.account.account_id else Balance()


@dataclass
class FakeMessages:
    """`services.messages` of the world."""

    world: World

    async def show(self, account_id: AccountId, message_id: MessageId) -> StoredMessage | None:
        return self.world.stored.get(message_id) if account_id == self.world.account.account_id else None

    async def report(self, account_id: AccountId, message_id: MessageId) -> Report | None:
        message = await self.show(account_id, message_id)
        return None if message is None else report_of(message)

    async def reports(self, account_id: AccountId, *, page: int, per_page: int) -> Listing[Report]:
        mine = account_id == self.world.account.account_id
        return listing_of([report_of(each) for each in self.world.stored.values() if mine], page, per_page)


def report_of(message: StoredMessage) -> Report:
    return Report(message.message_id, message.sender, message.recipient[1:], message.text, message.state, message.price)


Item = TypeVar("Item")


def listing_of(items: Sequence[Item], page: int, per_page: int) -> Listing[Item]:
    """A page of what is kept in the order in which it came; the newest first."""
    newest = list(reversed(items))
    return Listing(newest[(page - 1) * per_page : page * per_page], len(newest))


@dataclass
class FakeContacts:
    """`services.contacts` of the world."""

    world: World

    async def groups(self, account_id: AccountId, *, page: int, per_page: int) -> Listing[ContactGroup]:
        return listing_of(self._groups(account_id), page, per_page)

    def _groups(self, account_id: AccountId) -> list[ContactGroup]:
        return [group for group in self.world.groups.values() if group.account_id == account_id]

    async def add_group(self, account_id: AccountId, name: str) -> ContactGroup | Refusal:
        if self.world.account.is_suspended:
            return Refusal(Reason.SUSPENDED)
        if name in {group.name for group in self._groups(account_id)}:
            return Refusal(Reason.DUPLICATE)
        now_ms = self.world.clock.now_ms()
        group_id = ContactGroupId(self.world.ids.next(now_ms))
        group = self.world.groups[group_id] = ContactGroup(account_id, group_id, name, 0, now_ms, now_ms)
        return group

    async def group(self, account_id: AccountId, group_id: ContactGroupId) -> ContactGroup | None:
        group = self.world.groups.get(group_id)
        return group if group is not None and group.account_id == account_id else None

    async def rename_group(
        self, account_id: AccountId, group_id: ContactGroupId, *, name: str
    ) -> ContactGroup | Refusal:
        group = await self.group(account_id, group_id)
        if group is None:
            return Refusal(Reason.NOT_FOUND)
        if name in {each.name for each in self._groups(account_id) if each is not group}:
            return Refusal(Reason.DUPLICATE)
        renamed = self.world.groups[group_id] = group._replace(name=name)
        return renamed

    async def remove_group(self, account_id: AccountId, group_id: ContactGroupId) -> bool:
        if await self.group(account_id, group_id) is None:
            return False
        del self.world.groups[group_id]
        return True

    async def contacts(
        self, account_id: AccountId, group_id: ContactGroupId, *, page: int, per_page: int
    ) -> Listing[Contact] | None:
        if await self.group(account_id, group_id) is None:
            return None
        return listing_of(self._contacts(group_id), page, per_page)

    def _contacts(self, group_id: ContactGroupId) -> list[Contact]:
        return [contact for contact in self.world.contacts.values() if contact.group_id == group_id]

    async def add(self, contact: Contact) -> Contact | Refusal:
        if await self.group(contact.account_id, contact.group_id) is None:
            return Refusal(Reason.NOT_FOUND)
        now_ms = self.world.clock.now_ms()
        contact_id = ContactId(self.world.ids.next(now_ms))
        return self._keep(contact._replace(contact_id=contact_id, created_at_ms=now_ms, modified_at_ms=now_ms))

    def _keep(self, contact: Contact) -> Contact | Refusal:
        others = (each for each in self._contacts(contact.group_id) if each.contact_id != contact.contact_id)
        if contact.msisdn in {each.msisdn for each in others}:
            return Refusal(Reason.DUPLICATE)
        self.world.contacts[contact.contact_id] = contact
        return contact

    async def contact(
        self, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId
    ) -> Contact | None:
        contact = self.world.contacts.get(contact_id)
        return contact if contact and (contact.account_id, contact.group_id) == (account_id, group_id) else None

    async def change(self, contact: Contact) -> Contact | Refusal:
        known = await self.contact(contact.account_id, contact.group_id, contact_id=contact.contact_id)
        if known is None:
            return Refusal(Reason.NOT_FOUND)
        return self._keep(contact._replace(modified_at_ms=self.world.clock.now_ms()))

    async def remove(self, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId) -> bool:
        known = await self.contact(account_id, group_id, contact_id=contact_id)
        return known is not None and self.world.contacts.pop(contact_id, None) is not None


@dataclass
class FakeBroadcasts:
    """`services.broadcasts` of the world, which expands nothing."""

    world: World

    async def start(
        self, submission: Submission, groups: Sequence[ContactGroupId], *, name: str
    ) -> Broadcast | Refusal:
        account_id, now_ms = submission.account_id, self.world.clock.now_ms()
        if self.world.refusing is not None:
            return self.world.refusing
        known = FakeContacts(self.world)
        if None in [await known.group(account_id, group_id) for group_id in groups]:
            return Refusal(Reason.NOT_FOUND)
        if not {contact.group_id for contact in self.world.contacts.values()} & set(groups):
            return Refusal(Reason.EMPTY_GROUP)
        broadcast = Broadcast(
            account_id=account_id,
            broadcast_id=BroadcastId(self.world.ids.next(now_ms)),
            name=name,
            dialect=submission.dialect,
            channel=submission.channel,
            sender=submission.sender,
            text=submission.text,
            traits=submission.traits,
            media_urls=submission.media_urls,
            groups=tuple(groups),
            send_at_ms=submission.send_at_ms,
            state=BroadcastState.SCHEDULED if submission.send_at_ms else BroadcastState.RUNNING,
            created_at_ms=now_ms,
        )
        self.world.submissions.append(submission)
        self.world.broadcasts[broadcast.broadcast_id] = broadcast
        return broadcast

    async def show(self, account_id: AccountId, broadcast_id: BroadcastId) -> Broadcast | None:
        broadcast = self.world.broadcasts.get(broadcast_id)
        return broadcast if broadcast is not None and broadcast.account_id == account_id else None


@dataclass
class FakeWebhooks:
    """`services.webhooks` of the world."""

    world: World

    async def add(self, account_id: AccountId, *, dialect: str, kind: EventKind, url: str) -> Webhook:
        webhook_id = WebhookId(max(self.world.kept, default=30) + 1)
        made_ms = self.world.clock.now_ms()
        webhook = Webhook(
            webhook_id=webhook_id,
            account_id=account_id,
            dialect=dialect,
            kind=kind,
            url=url,
            secret="whsec_x",
            created_at_ms=made_ms,
        )
        self.world.kept[webhook_id] = webhook
        return webhook

    async def list(self, account_id: AccountId, dialect: str | None = None) -> Sequence[Webhook]:
        return [each for each in self.world.kept.values() if each.account_id == account_id and each.dialect == dialect]

    async def show(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        webhook = self.world.kept.get(webhook_id)
        return webhook if webhook is not None and webhook.account_id == account_id else None

    async def change(
        self, account_id: AccountId, webhook_id: WebhookId, *, url: str | None = None, is_active: bool | None = None
    ) -> Webhook | None:
        webhook = await self.show(account_id, webhook_id)
        if webhook is None:
            return None
        active = webhook.is_active if is_active is None else is_active
        changed = self.world.kept[webhook_id] = replace(webhook, url=url or webhook.url, is_active=active)
        return changed

    async def remove(self, account_id: AccountId, webhook_id: WebhookId) -> bool:
        return self.world.kept.pop(webhook_id, None) is not None

    async def named(self, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
        for webhook in await self.list(account_id, dialect):
            if (webhook.name or "").casefold() == name.casefold():
                return webhook
        return None

    async def put(
        self, account_id: AccountId, *, dialect: str, name: str, url: str, settings: Mapping[str, object]
    ) -> Webhook | Refusal:
        reason = self.world.standing
        known = await self.named(account_id, dialect=dialect, name=name)
        if reason is None and known is not None and known.name != name:
            reason = Reason.NAME_TAKEN
        if reason is not None:
            return Refusal(reason)
        webhook = known or await self.add(account_id, dialect=dialect, kind=EventKind.REPLY, url=url)
        saved = self.world.kept[webhook.webhook_id] = replace(
            webhook,
            name=name,
            url=url,
            settings={**webhook.settings, **settings},
            modified_at_ms=self.world.clock.now_ms(),
        )
        return saved

    async def remove_named(self, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
        webhook = await self.named(account_id, dialect=dialect, name=name)
        if webhook is not None:
            del self.world.kept[webhook.webhook_id]
        return webhook


@dataclass
class FakeNumbers:
    """`services.numbers` of the world."""

    world: World

    async def of_account(self, account_id: AccountId) -> Sequence[Number]:
        return [number for _, number in sorted(self.world.numbers.items()) if number.account_id == account_id]

    async def assign(
        self,
        account_id: AccountId,
        msisdn: str,
        *,
        sms: bool | None = None,
        mms: bool | None = None,
        webhook: str | None = None,
        campaign: str | None = None,
    ) -> Number | Refusal:
        number = self.world.numbers.get(msisdn)
        if number is None:
            return Refusal(Reason.NOT_FOUND)
        if self.world.standing is not None:
            return Refusal(self.world.standing)
        channels = set(number.channels)
        for channel, wanted in ((Channel.SMS, sms), (Channel.MMS, mms)):
            if wanted is not None:
                channels = channels | {channel} if wanted else channels - {channel}
        changed = self.world.numbers[msisdn] = replace(
            number,
            channels=frozenset(channels),
            webhook=number.webhook if webhook is None else webhook or None,
            campaign=number.campaign if campaign is None else campaign or None,
        )
        return changed

    async def release(self, account_id: AccountId, msisdn: str) -> bool:
        return self.world.numbers.pop(msisdn, None) is not None


@dataclass
class FakeCampaigns:
    """`services.campaigns` of the world."""

    world: World

    async def of_account(self, account_id: AccountId) -> Sequence[StoredCampaign]:
        return self.world.campaigns


def account_of(
    *,
    is_suspended: bool = False,
    has_agreed: bool = True,
    rate_limit: int | None = None,
    sender: str | None = None,
    senders: frozenset[str] = frozenset(),
    settings: Mapping[str, Mapping[str, object]] | None = None,
) -> Account:
    """The account whose key is `KEY`."""
    return Account(
        account_id=AccountId(7),
        name="shop",
        user="shop",
        mark=MARK,
        is_suspended=is_suspended,
        has_agreed=has_agreed,
        rate_limit=rate_limit,
        sender=sender,
        senders=senders,
        settings=settings or {},
    )


def world_with(account: Account | None = None, *, credits: int = 100) -> World:
    """A world whose account has been granted credits, and has one number."""
    account = account or account_of()
    world = World(account, funds=post(Balance(), PostingKind.GRANT, credits * CREDIT))
    channels = frozenset({Channel.SMS, Channel.MMS})
    world.numbers[OWN_NUMBER] = Number(msisdn=OWN_NUMBER, account_id=account.account_id, channels=channels)
    return world


def basic(user: str = "shop", key: str = KEY) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


def services_of(world: World, *, default_limit: int = 0, public_url: str | None = None) -> Services:
    """What endpoints are given in a world."""
    return Services(
        accept=world,
        directory=world,
        webhooks=FakeWebhooks(world),
        messages=FakeMessages(world),
        accounts=world,
        numbers=FakeNumbers(world),
        campaigns=FakeCampaigns(world),
        contacts=FakeContacts(world),
        broadcasts=FakeBroadcasts(world),
        reports=FakeMessages(world),
        clock=world.clock,
        limiter=RateLimiter(world.clock, default=default_limit),
        public_url=public_url,
    )


def call_of(
    world: World | None = None,
    *,
    headers: Mapping[bytes, bytes] | None = None,
    body: bytes = b"",
    query_string: bytes = b"",
) -> Call:
    """An authenticated request, for what is tried without the edge."""
    world = world or world_with()
    return Call(world.account, services_of(world), headers or {}, body, query_string)


class Caller:
    """Calls an application in a world as a server would."""

    def __init__(
        self, world: World, *, dialects: Sequence[Dialect] = (TOUCHBASEPRO, BULKVS, TEXTBOOST), **options: object
    ) -> None:
        self.world = world
        services = services_of(world, public_url="https://sms.example")
        self.app = application(dialects, services, **options)  # type: ignore[arg-type]  # a test's own options

    async def __call__(
        self,
        method: str,
        target: str,
        body: bytes | Sequence[bytes] = b"",
        *,
        headers: Mapping[str, str] | None = None,
        key: str | None = KEY,
    ) -> "Reply":
        """key: sent as Bearer, unless None. A body in pieces arrives in as many events."""
        given = {"host": "sms.example", **(headers or {})}
        if key is not None:
            given["authorization"] = f"Bearer {key}"
        path, _, query = target.partition("?")
        pieces = [body] if isinstance(body, bytes) else list(body)
        events = [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
            for number, piece in enumerate(pieces, 1)
        ]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "scheme": "https",
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items()],
        }
        sent: list[Mapping[str, object]] = []

        async def receive() -> dict[str, object]:
            return events.pop(0) if events else {"type": "http.disconnect"}

        async def send(event: Mapping[str, object]) -> None:
            sent.append(event)

        await self.app(scope, receive, send)
        return reply_from(sent)


@dataclass(frozen=True)
class Reply:
    """What came back; status 0 when nothing did."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def reply_from(sent: Sequence[Mapping[str, object]]) -> Reply:
    """The answer in two sends; the length must be the body's."""
    if not sent:
        return Reply(0, {}, b"")
    start, end = sent
    lines = start["headers"]
    assert isinstance(lines, list)
    headers = {name.decode(): value.decode("latin-1") for name, value in lines}
    assert len(headers) == len(lines), "a header was sent twice"
    status, body = start["status"], end["body"]
    assert isinstance(status, int)
    assert isinstance(body, bytes)
    return Reply(status, headers, body)
