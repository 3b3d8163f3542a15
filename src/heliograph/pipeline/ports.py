"""What the pipeline asks of the edges, and what it offers them. `server.py` plugs the two together."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from heliograph.core.directory import Account, Carrier, Webhook
from heliograph.core.events import Event, MediaLink, Reply
from heliograph.core.messages import Accepted, Channel, Content, Media, Parcel, Refusal, Submission
from heliograph.core.outcomes import SubmitOutcome
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.gsm.segments import Encoding


class IncomingMedia(NamedTuple):
    """A file that came with a message. declared: its type by the carrier's word. name: of the file, or ""."""

    content: bytes
    declared: str
    name: str = ""


class Incoming(NamedTuple):
    """A short message from a handset, as a carrier delivered it. sender and recipient: as written, no `+`.

    udh: joins the segments of a long one. An MMS is whole, and has media.
    """

    sender: str
    recipient: str
    encoding: Encoding
    udh: bytes
    body: bytes
    text: str
    channel: Channel = Channel.SMS
    media: tuple[IncomingMedia, ...] = ()


Stored = Callable[[bool], None]
"""Called once it is known whether something was committed: True, or False when the store could not."""


class Inbox(Protocol):
    """Takes what a carrier tells outside of its sessions, on any process."""

    def receive(self, receipts: list[Receipt], stored: Stored) -> None:
        """Hand over receipts; `stored` is called when they may be acknowledged (or must be refused for now)."""
        ...

    def take_in(self, incoming: list[Incoming], stored: Stored) -> None:
        """Hand over incoming messages; as `receive`."""
        ...


class SessionFeed(Protocol):
    """One live session's end of the pipeline. Everything taken is marked in the store before it is handed out.

    Taken parcels hold a slot of the session's window until the outcome reported for them is committed. Parcels
    not reported when the session is closed count as ambiguous.
    """

    @property
    def session_id(self) -> int:
        """Names the session in the store."""
        ...

    async def take(self) -> list[Parcel]:
        """Wait for work, free slots and throughput; returns at least one parcel."""
        ...

    def report(self, outcomes: list[SubmitOutcome]) -> None:
        """Tell what became of taken parcels, in the order in which the carrier answered."""
        ...

    def receive(self, receipts: list[Receipt], stored: Stored) -> None:
        """Hand over receipts; `stored` is called when they may be acknowledged (or must be refused for now)."""
        ...

    def take_in(self, incoming: list[Incoming], stored: Stored) -> None:
        """Hand over incoming messages; as `receive`."""
        ...

    def close(self, why: str) -> None:
        """The session has ended."""
        ...


class Feed(Protocol):
    """A carrier's end of the pipeline: gives each live session its own."""

    def open_session(self) -> SessionFeed:
        """Announce a session that can submit."""
        ...


class Driver(Protocol):
    """Speaks a carrier's protocol. Runs until cancelled; then it ends its sessions in good order."""

    async def run(self) -> None:
        """Connect, bind, submit, receive; reconnect for ever."""
        ...

    def is_bound(self) -> bool:
        """Whether at least one session is up."""
        ...


DriverMaker = Callable[[Carrier, Feed], Driver]
"""Makes the driver for a carrier whose address has a certain scheme."""


class CarrierCall(NamedTuple):
    """A carrier's call of the address that we handed out for it.

    path: what stands behind that address: "", or a slash and more. query: undecoded. headers: names in small letters.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class CallAnswer(NamedTuple):
    """What a carrier that called is answered."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


class Callback(Protocol):
    """Reads what a carrier calls us with."""

    async def called(self, call: CarrierCall) -> CallAnswer:
        """Take it in. Success is answered only for what the store has; 503, or what the protocol has for it, else."""
        ...


class CarrierMemory(Protocol):
    """What a driver that asks a carrier for news must not forget when the process ends. Raises StoreUnavailable."""

    async def unreported(self, most: int) -> list[str]:
        """The carrier's ids of what it took and has not told the end of, as it wrote them; the oldest first."""
        ...

    async def bookmark(self) -> str:
        """What was kept last; "" for nothing."""
        ...

    async def set_bookmark(self, written: str) -> None:
        """Keep how far the carrier was read."""
        ...


CallbackMaker = Callable[[Carrier, Inbox], Callback]
"""Makes the reader of a carrier's calls, for a carrier whose address has a certain scheme."""


class Attachment(NamedTuple):
    """A file as a carrier gets it. name: with its extension."""

    content: bytes
    content_type: str
    name: str


class CannotSend(Exception):
    """A message cannot be made into what the carrier takes; the text says why, for the message's trace."""


class Attachments(Protocol):
    """The files of MMS, fit for a carrier."""

    async def of(self, content: Content, *, most_octets: int, most_side: int = 0) -> list[Attachment]:
        """All files of a message, its pictures made smaller until they are `most_octets` octets together.

        most_side: of a picture, in pixels; 0 for any. Raises CannotSend, or StoreUnavailable.
        """
        ...

    def link(self, media: Media) -> MediaLink:
        """An address under which the original is served for a while."""
        ...


SAMPLE_RATE = 8_000


class Speech(NamedTuple):
    """A text as it is heard: signed 16-bit samples, little-endian, one channel, 8,000 a second."""

    samples: bytes

    @property
    def ms(self) -> int:
        """How long it is."""
        return len(self.samples) * 500 // SAMPLE_RATE


class Speaker(Protocol):
    """Reads texts aloud."""

    async def speak(self, text: str, *, language: str, gender: str) -> Speech:
        """A text in a voice of `core.voice`. Raises CannotSend."""
        ...


class Kept(NamedTuple):
    """A file in the media store. content_type: what it is, whatever it was declared to be."""

    digest: str
    content_type: str
    octets: int


class MediaKeeper(Protocol):
    """Keeps files that came with messages."""

    async def keep(self, octets: bytes, declared: str) -> Kept:
        """Store a file so that it stays; the same one twice is one. Raises OSError or StoreUnavailable."""
        ...


class MediaLinks(Protocol):
    """Makes addresses under which files are served for a while."""

    def link(self, kept: Kept) -> MediaLink:
        """A new one."""
        ...


class EventWriter(Protocol):
    """How a dialect tells events to webhooks."""

    def told(self, webhook: Webhook) -> frozenset[MessageState]:
        """The states that a webhook hears of, `RECEIVED` among them when it hears of incoming messages."""
        ...

    @property
    def most_events(self) -> int:
        """Events in one delivery, at most."""
        ...

    @property
    def linger_s(self) -> float:
        """How long events wait for company, in seconds."""
        ...

    def write(self, events: Sequence[Event | Reply], *, webhook: Webhook, account: Account, at_ms: int) -> bytes:
        """The body of one delivery."""
        ...


class Delivery(NamedTuple):
    """A body that a webhook must be given: the same bytes at every try."""

    delivery_id: int
    webhook: Webhook
    body: bytes
    attempts: int


class DeliveryResult(NamedTuple):
    """What came of one try. status: HTTP status, None when there was no answer. note: for the list of deliveries."""

    status: int | None
    note: str
    retry_after_s: int = 0

    @property
    def is_success(self) -> bool:
        """Any 2xx acknowledges the delivery (Standard Webhooks 1.0)."""
        return self.status is not None and 200 <= self.status < 300


class Deliverer(Protocol):
    """Calls a webhook once. Never raises for what the other end does."""

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One call within its time limit."""
        ...


class Accept(Protocol):
    """The door every dialect submits through."""

    async def submit(self, submission: Submission) -> Accepted | Refusal:
        """Decide and store; returns after the commit."""
        ...
