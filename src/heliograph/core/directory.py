"""What the operator has set up, as one immutable snapshot that decisions are made from.

A change makes a new snapshot; nothing in one ever changes, so that any thread may read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from heliograph.core.events import Audience, EventKind
from heliograph.core.ids import AccountId, CarrierId, WebhookId
from heliograph.core.messages import Channel
from heliograph.core.pricing import RateCard
from heliograph.core.routing import RoutingTable


class Policy(IntEnum):
    """What to do with a segment whose fate is unknown. Numbers are stored."""

    RESEND = 1
    HOLD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer. `settings` holds what single dialects keep about it, under the dialect's name.

    senders: the ones it may use; empty means any well-formed one. sender: its default, or None for the operator's.
    rate_limit: requests a minute, 0 for no limit of its own, None for the operator's default.
    channels: what it may send.
    mark: 16 hexadecimal digits that end the ids it is shown, so that a mistyped id is not somebody else's.
    """

    account_id: AccountId
    name: str
    user: str
    mark: str
    is_suspended: bool = False
    sender: str | None = None
    senders: frozenset[str] = frozenset()
    rate_limit: int | None = None
    time_zone: str = "UTC"
    has_agreed: bool = True
    channels: frozenset[Channel] = frozenset(Channel)
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """An upstream we submit to.

    url: how it is reached, credentials included. window: unanswered segments allowed on each session.
    throughput: segments a second over all sessions, 0 for no limit. settings: quirks, by driver.
    """

    carrier_id: CarrierId
    name: str
    url: str
    channels: frozenset[Channel]
    window: int = 10
    sessions: int = 1
    throughput: int = 0
    policy: Policy = Policy.RESEND
    is_draining: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A customer's callback. secret: signs deliveries (`whsec_` form). note: why it was switched off.

    name: by which numbers choose it; one without hears of all the account's messages. settings: its dialect's own.
    """

    webhook_id: WebhookId
    account_id: AccountId
    dialect: str
    kind: EventKind
    url: str
    secret: str
    is_active: bool = True
    note: str | None = None
    name: str | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    created_at_ms: int = 0
    modified_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of an account. channels: what may be sent from it and reach it. webhook, campaign: names, or None.

    msisdn: in E.164 form, or the bare digits of a short code.
    """

    msisdn: str
    account_id: AccountId
    channels: frozenset[Channel]
    webhook: str | None = None
    campaign: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that decisions look up. revision: of the store it was read from.

    numbers: by their digits; as they were at `numbers_revision`. campaigns: those that are approved.
    audience: who hears of what.
    """

    revision: int
    accounts: Mapping[AccountId, Account]
    carriers: Mapping[CarrierId, Carrier]
    webhooks: Mapping[WebhookId, Webhook]
    routing: RoutingTable
    rates: RateCard
    audience: Audience
    numbers: Mapping[str, Number] = field(default_factory=dict)
    numbers_revision: int = -1
    campaigns: frozenset[tuple[AccountId, str]] = frozenset()
