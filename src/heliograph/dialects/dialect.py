"""What a dialect is: a table of endpoints with their documentation, and words for whatever goes wrong.

Also what an endpoint is given (`Call`), what it returns (`Answer`), and what it may ask of the floors below.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

from heliograph.core.broadcasts import Broadcast
from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.directory import Account, Number, Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId, ContactId, MessageId, WebhookId
from heliograph.core.ledger import Balance
from heliograph.core.listing import Listing
from heliograph.core.messages import IdempotencyKey, Refusal, Report, Submission
from heliograph.core.states import MessageState
from heliograph.dialects.limiter import RateLimiter
from heliograph.net.clock import Clock
from heliograph.pipeline.ports import Accept, EventWriter

Header = tuple[bytes, bytes]
"""A header line: its name in small letters, and its value."""

REPLAYED: tuple[Header, ...] = ((b"idempotent-replayed", b"true"),)
"""Marks an answer that was given before to the same request."""

LONGEST_KEY = 255
"""Characters of an `Idempotency-Key` that is kept as it is; of a longer one a digest is kept."""


class Directory(Protocol):
    """Who an API key belongs to."""

    def cached(self, api_key: str) -> Account | None:
        """The account of a key that was asked for lately."""
        ...

    async def account_for_key(self, api_key: str) -> Account | None:
        """The account of a key; asks the store when need be."""
        ...


class Webhooks(Protocol):
    """An account's webhooks: `services.webhooks`."""

    async def add(self, account_id: AccountId, *, dialect: str, kind: EventKind, url: str) -> Webhook:
        """Make one."""
        ...

    async def list(self, account_id: AccountId, dialect: str | None = None) -> Sequence[Webhook]:
        """All of them, or those of one dialect."""
        ...

    async def show(self, account_id: AccountId, webhook_id: WebhookId) -> Webhook | None:
        """One of them."""
        ...

    async def change(
        self, account_id: AccountId, webhook_id: WebhookId, *, url: str | None = None, is_active: bool | None = None
    ) -> Webhook | None:
        """Change what is not None; returns what became of it."""
        ...

    async def remove(self, account_id: AccountId, webhook_id: WebhookId) -> bool:
        """Whether there was one to remove."""
        ...

    async def named(self, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
        """The one with a name, whatever the case of its letters."""
        ...

    async def put(
        self, account_id: AccountId, *, dialect: str, name: str, url: str, settings: Mapping[str, object]
    ) -> Webhook | Refusal:
        """Make the one with a name (of kind `REPLY`), or change its address and the settings that are named here.

        NOT_AGREED, SUSPENDED, or NAME_TAKEN when there is one whose name differs only in the case of its letters.
        """
        ...

    async def remove_named(self, account_id: AccountId, *, dialect: str, name: str) -> Webhook | None:
        """Remove the one with a name, whatever the case of its letters, from the account and from numbers that name it.

        Returns what it was; None when there was none.
        """
        ...


class Numbers(Protocol):
    """An account's numbers: `services.numbers`. msisdn: with plus."""

    async def of_account(self, account_id: AccountId) -> Sequence[Number]:
        """All of them, in the order of their digits."""
        ...

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
        """Change what is not None; "" for no webhook or no campaign. Returns what became of the number.

        NOT_FOUND when the account has no such number, webhook or campaign; NOT_AGREED, SUSPENDED.
        """
        ...

    async def release(self, account_id: AccountId, msisdn: str) -> bool:
        """Take a number from the account; False when it has no such number."""
        ...


class CampaignView(Protocol):
    """What an account may see of a campaign of its own."""

    @property
    def tcr(self) -> str:
        """Its id at the registry."""
        ...

    @property
    def brand(self) -> str:
        """Whose it is."""
        ...

    @property
    def is_approved(self) -> bool:
        """Whether its numbers may send for it."""
        ...

    @property
    def numbers(self) -> int:
        """How many of the account's numbers are in it."""
        ...

    @property
    def created_at_ms(self) -> int:
        """When it was registered with us."""
        ...


class Campaigns(Protocol):
    """An account's campaigns: `services.campaigns`."""

    async def of_account(self, account_id: AccountId) -> Sequence[CampaignView]:
        """All of them, in the order of their ids."""
        ...


class Contacts(Protocol):
    """An account's address book: `services.contacts`.

    NOT_FOUND for a group or contact that the account does not have; DUPLICATE for a name or number that is there
    already; SUSPENDED. page: from 1.
    """

    async def groups(self, account_id: AccountId, *, page: int, per_page: int) -> Listing[ContactGroup]:
        """Its groups, newest first."""
        ...

    async def add_group(self, account_id: AccountId, name: str) -> ContactGroup | Refusal:
        """Make a group."""
        ...

    async def group(self, account_id: AccountId, group_id: ContactGroupId) -> ContactGroup | None:
        """One of them."""
        ...

    async def rename_group(
        self, account_id: AccountId, group_id: ContactGroupId, *, name: str
    ) -> ContactGroup | Refusal:
        """Give a group another name."""
        ...

    async def remove_group(self, account_id: AccountId, group_id: ContactGroupId) -> bool:
        """Remove a group with its contacts; whether there was one."""
        ...

    async def contacts(
        self, account_id: AccountId, group_id: ContactGroupId, *, page: int, per_page: int
    ) -> Listing[Contact] | None:
        """Those of a group, newest first; None when there is no such group."""
        ...

    async def add(self, contact: Contact) -> Contact | Refusal:
        """Add a contact to its group; its id and times are found here."""
        ...

    async def contact(
        self, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId
    ) -> Contact | None:
        """One of a group."""
        ...

    async def change(self, contact: Contact) -> Contact | Refusal:
        """Give the contact with this id the values that are here."""
        ...

    async def remove(self, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId) -> bool:
        """Remove a contact; whether there was one."""
        ...


class Broadcasts(Protocol):
    """Submissions to contact groups: `services.broadcasts`."""

    async def start(
        self, submission: Submission, groups: Sequence[ContactGroupId], *, name: str
    ) -> Broadcast | Refusal:
        """Begin to send a submission (which names no recipients itself) to all contacts of groups.

        NOT_FOUND for a group, EMPTY_GROUP when none of them has a contact, and whatever the submission alone is refused
        for; with an `Idempotency-Key` that was used before, the broadcast that was begun then.
        """
        ...

    async def show(self, account_id: AccountId, broadcast_id: BroadcastId) -> Broadcast | None:
        """One of them."""
        ...


class MessageView(Protocol):
    """What an account may see of a message of its own."""

    @property
    def message_id(self) -> MessageId:
        """Its id."""
        ...

    @property
    def state(self) -> MessageState:
        """Where it stands."""
        ...

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def reference(self) -> str | None:
        """See `Submission.reference`."""
        ...


class Messages(Protocol):
    """An account's messages: `services.messages`."""

    async def show(self, account_id: AccountId, message_id: MessageId) -> MessageView | None:
        """One of them."""
        ...


class Reports(Protocol):
    """An account's messages in both directions: `services.messages`."""

    async def report(self, account_id: AccountId, message_id: MessageId) -> Report | None:
        """One of them."""
        ...

    async def reports(self, account_id: AccountId, *, page: int, per_page: int) -> Listing[Report]:
        """All of them, newest first. page: from 1. The total is not counted beyond 100,000."""
        ...


class Accounts(Protocol):
    """An account's credits: `services.accounts`."""

    async def balance(self, account_id: AccountId) -> Balance:
        """Where they are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What endpoints may use.

    public_url: for links we hand out, without a slash at the end; None for the host that the caller asked.
    """

    accept: Accept
    directory: Directory
    webhooks: Webhooks
    messages: Messages
    accounts: Accounts
    numbers: Numbers
    campaigns: Campaigns
    contacts: Contacts
    broadcasts: Broadcasts
    reports: Reports
    clock: Clock
    limiter: RateLimiter
    public_url: str | None = None


class Answer(NamedTuple):
    """What is sent back; a body is JSON. headers: beside those of type, length and origin."""

    status: int
    body: bytes = b""
    headers: tuple[Header, ...] = ()


class Call(NamedTuple):
    """One authenticated request.

    headers: by name in small letters. places: what stood in the places of the path template.
    path: of an endpoint without places as its table has it: the same request is the same wherever it is mounted.
    """

    account: Account
    services: Services
    headers: Mapping[bytes, bytes]
    body: bytes = b""
    query_string: bytes = b""
    places: Mapping[str, str] = {}
    path: str = ""
    scheme: str = "http"
    mount: str = ""

    def header(self, name: bytes) -> str | None:
        """A header's value; None when it is missing or blank."""
        value = self.headers.get(name)
        return (value.decode("latin-1").strip() or None) if value else None

    @property
    def idempotency(self) -> IdempotencyKey | None:
        """The caller's own name for this request, and what it asks for. None when the header is missing or blank."""
        key = self.header(b"idempotency-key")
        if key is None:
            return None
        if len(key) > LONGEST_KEY:
            key = sha256(key.encode()).hexdigest()
        asked = b"%s?%s\n%s" % (self.path.encode(), self.query_string, self.body)
        return IdempotencyKey(key, sha256(asked).hexdigest())

    @property
    def query(self) -> Mapping[str, str]:
        """The query; of a repeated name the last."""
        return dict(self._pairs())

    def asked(self, name: str) -> list[str]:
        """Every value that a name has in the query, without blank ones."""
        return [value for given, value in self._pairs() if given == name and value.strip()]

    def _pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query_string.decode("latin-1"), keep_blank_values=True)

    @property
    def public_url(self) -> str:
        """Where the caller reaches us, without a slash at the end."""
        return self.services.public_url or f"{self.scheme}://{self.header(b'host') or 'localhost'}"

    @property
    def address(self) -> str:
        """What the caller asked, as a link, without its query and a slash at the end."""
        path = self.path if self.places else self.mount + self.path
        return self.public_url + path.removesuffix("/")


Handler = Callable[[Call], Awaitable[Answer]]


class Credentials(NamedTuple):
    """What a caller shows. user: must be the account's, unless the dialect knows none."""

    api_key: str
    user: str | None = None


Wording = Callable[[Refusal, Account | None], Answer]
"""Puts a refusal into a dialect's words, as the account wants them; None when it is not known who asks."""


class Possible(NamedTuple):
    """An answer that an endpoint documents. kind: of its body, or None for an empty one."""

    description: str
    kind: object = None
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path. path: may hold places like `{id}`. answers: by HTTP status. request: type of the body.

    query, request_headers: names that mean something here. mounts: where it is served, when that is not everywhere
    where its dialect is. takes_head: whether HEAD is a GET whose body nobody wants; not when GET does something.
    """

    method: str
    path: str
    handler: Handler
    name: str
    summary: str
    answers: Mapping[int, Possible]
    request: object = None
    request_headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    takes_head: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A body that we send to webhooks. kind: its type."""

    name: str
    summary: str
    kind: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """An HTTP interface as one vendor defined it.

    roots: a path that begins so is this dialect's, even one that the table lacks. mounts: what the paths of the table
    follow, the one that is documented first. any_case: whether paths are the same in capital and small letters.
    credentials: finds what the caller shows in headers and query string; credentials_in_body: in headers and body,
    where nothing else shows any.
    wording: the words that hold for a path, mount included. unknown_key: those for credentials that are nobody's, by
    mount and headers, where they differ from those for none. tells_limit: whether every answer says how many requests
    the account has left. events: None when it has no webhooks. request_headers: that a browser may send.
    schemes: ways to authenticate, in OpenAPI's terms.
    """

    name: str
    title: str
    roots: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    credentials: Callable[[Mapping[bytes, bytes], bytes], Credentials | None]
    wording: Callable[[str], Wording]
    events: EventWriter | None = None
    mounts: tuple[str, ...] = ("",)
    any_case: bool = False
    credentials_in_body: Callable[[Mapping[bytes, bytes], bytes], Credentials | None] | None = None
    unknown_key: Callable[[str, Mapping[bytes, bytes]], Answer] | None = None
    tells_limit: bool = False
    request_headers: tuple[str, ...] = ()
    schemes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pushes: tuple[Push, ...] = ()
