"""A small world behind the dialects: in memory, decided with core's own functions, with a clock that tests move."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from heliograph.core.directory import Account, Number, Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, IdSource, MessageId, SubmissionId, WebhookId
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.core.messages import Accepted, Channel, Refusal, Submission, Verdict
from heliograph.core.money import CREDIT
from heliograph.core.numbers import msisdn_from
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState
from heliograph.dialects.bulkvs.endpoints import BULKVS
from heliograph.dialects.dialect import Dialect, Services
from heliograph.dialects.http import application
from heliograph.dialects.limiter import RateLimiter
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO
from heliograph.gsm.segments import TooLong, count_segments

KEY = "49|" + "k" * 40
MARK = "00c0ffee00c0ffee"
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
    """One account's exchange. failing: raised by the next submit instead of an answer. barred: without a route."""

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
        fresh = dict.fromkeys(number for number in numbers if number is not None and number not in self.barred)
        price = len(fresh) * segments * CREDIT
        if price > self.funds.available:
            return Refusal(Reason.NO_FUNDS)
        self.funds = post(self.funds, PostingKind.HOLD, price)
        made = {number: MessageId(self.ids.next(self.clock.now_ms())) for number in fresh}
        for number, message_id in made.items():
            self.stored[message_id] = StoredMessage(message_id, number, submission.text, submission.reference, segments)
        verdicts = tuple(
            Verdict(number, made[number], None, segments)
            if number in made
            else Verdict(number, None, Reason.NO_ROUTE if number else Reason.INVALID_RECIPIENT)
            for number in numbers
        )
        return Accepted(SubmissionId(self.ids.next(self.clock.now_ms())), verdicts, self.funds.available)

    # Accounts

    async def balance(self, account_id: AccountId) -> Balance:
        return self.funds if account_id == self.account.account_id else Balance()


@dataclass
class FakeMessages:
    """`services.messages` of the world."""

    world: World

    async def show(self, account_id: AccountId, message_id: MessageId) -> StoredMessage | None:
        return self.world.stored.get(message_id) if account_id == self.world.account.account_id else None


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
        clock=world.clock,
        limiter=RateLimiter(world.clock, default=default_limit),
        public_url=public_url,
    )


class Caller:
    """Calls an application in a world as a server would."""

    def __init__(
        self, world: World, *, dialects: Sequence[Dialect] = (TOUCHBASEPRO, BULKVS), **options: object
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
