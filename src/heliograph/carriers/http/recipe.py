"""What a recipe says, read and checked: `recipe_file.py` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from heliograph.carriers.http.lookups import Condition, Lookup, Lookups
from heliograph.carriers.http.templates import Template, Tree
from heliograph.core.messages import MOST_MEDIA, Channel
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState

ANY: Final = "*"
"""Among the words of a state: every word that is not listed."""


class Authentication(NamedTuple):
    """How a carrier knows us: basic, bearer, fields (of every call, with these names) or none."""

    kind: str = "none"
    user: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A call that we make. body: json, form, or query for fields that stand in the address and no body.

    narrow, wide: further fields of a text in the GSM alphabet, and of any other. idempotency: the header for a name of
    ours under which the carrier knows a call that it had before; "" when there is none.
    """

    method: str
    path: Template
    body: str = "query"
    headers: Mapping[str, Template] = field(default_factory=dict)
    fields: Mapping[str, Tree] = field(default_factory=dict)
    narrow: Mapping[str, Tree] = field(default_factory=dict)
    wide: Mapping[str, Tree] = field(default_factory=dict)
    idempotency: str = ""


class Rule(NamedTuple):
    """What an answer means when the conditions hold.

    verdict: submitted, refused, deferred, throttled, unavailable or in doubt. id, detail: where they stand.
    """

    conditions: tuple[Condition, ...]
    verdict: str
    id: Lookups = ()
    detail: Lookups = ()
    after_ms: int = 0
    tries: int = 0
    reason: Reason = Reason.CARRIER_REFUSED


class Sending(NamedTuple):
    """How messages of a channel are sent, and what answers mean: the first rule that fits.

    detail: where an answer says why, unless a rule knows better. most_media: files that one may have.
    """

    form: Form
    rules: tuple[Rule, ...]
    detail: Lookups = ()
    most_media: int = MOST_MEDIA


class Receipts(NamedTuple):
    """Where a receipt says what. states: by the carrier's word; None for news on the way."""

    id: Lookups
    state: Lookups
    states: Mapping[str, MessageState | None]
    error: Lookups = ()
    addresses: tuple[Lookups, ...] = ()


class Coming(NamedTuple):
    """Where a message from a handset says what. id: tells a repetition from another message that reads the same."""

    sender: Lookups
    recipient: Lookups
    text: Lookups = ()
    media: Lookup | None = None
    id: Lookups = ()


class Reader(NamedTuple):
    """How a call is read whose conditions hold. each: where the list stands, if one call tells of several things.

    status, text: what is answered once all is stored.
    """

    conditions: tuple[Condition, ...]
    reads: Receipts | Coming
    each: Lookup | None = None
    status: int = 200
    text: str = ""


class Preparation(NamedTuple):
    """A call that is made before anything is sent, such as one that sets a webhook up at the carrier.

    known: the call that lists what there is already, where the list is, and what one must be for nothing to be made.
    """

    form: Form
    known: Form | None = None
    each: Lookup | None = None
    conditions: tuple[Condition, ...] = ()


class Polling(NamedTuple):
    """How receipts and messages are asked for, at a carrier that does not tell of them.

    single: the call about one message, and item where its answer has it. list: the call that gives a page of what there
    is, newest first, and each where the list stands. pages: how many are read at a time, at most. The wait between two
    rounds grows from every_s to longest_s while there is no news.
    """

    single: Form
    item: Lookup
    receipts: Receipts
    list: Form | None = None
    each: Lookup | None = None
    incoming: Coming | None = None
    incoming_when: tuple[Condition, ...] = ()
    pages: int = 4
    every_s: int = 5
    longest_s: int = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All of it. name: of the file."""

    name: str
    authentication: Authentication
    sending: Mapping[Channel, Sending]
    readers: tuple[Reader, ...] = ()
    preparations: tuple[Preparation, ...] = ()
    polling: Polling | None = None

    @property
    def channels(self) -> frozenset[Channel]:
        """What a carrier with this recipe carries."""
        return frozenset(self.sending)
