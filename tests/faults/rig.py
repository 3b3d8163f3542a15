"""A whole exchange on loopback, a carrier and a customer beside it, and what must hold after any fault."""

import asyncio
import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from heliograph.carriers.kinds import KINDS
from heliograph.core.directory import Policy
from heliograph.core.events import EventKind
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.webhooks import Webhooks
from heliograph.store.opening import open_store
from heliograph.testing.cut_wire import CutWire
from heliograph.testing.receiver import Call, Receiver
from heliograph.testing.served import Reply, Requests, Served
from tests.faults.commands import Commands
from tests.stories import lasting

WINDOW = 10
GRANT = 100_000
STORY_S = 90
QUIET_S = 45
LOOK_S = 0.05

SHORT = "Your code is 4711"
LONG = "A long message has several segments, and each of them is sent, counted and paid for. " * 3
SEGMENTS = {SHORT: 1, LONG: 2, "Hello": 1}
ENDS = {"delivered", "undelivered", "expired", "rejected", "failed", "cancelled", "unknown"}
TROUBLE = (OSError, EOFError)

_DELIVERED = re.compile(rb'"Number":"(\d+)","Status":"Delivered"')


live = lasting(STORY_S)


async def until(is_so: Callable[[], bool], *, seconds: float = 20.0) -> None:
    """Wait for something that happens in another process."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 (another process sets no event of ours)
            await asyncio.sleep(LOOK_S)


@dataclass(slots=True)
class Customer:
    """Sends until it is told to stop, and remembers exactly who was accepted.

    refused: replies that were no 202. writes_long: whether a load has long messages among the others.
    """

    rig: "Rig"
    accepted: dict[str, str] = field(default_factory=dict)
    refused: list[Reply] = field(default_factory=list)
    tried: dict[str, str] = field(default_factory=dict)
    writes_long: bool = True

    def fresh(self, text: str, count: int) -> list[str]:
        """Numbers that nobody has written to yet, none of which has a fate of its own."""
        start = len(self.tried)
        numbers = [f"2783{start + place:07d}" for place in range(count)]
        self.tried.update(dict.fromkeys(numbers, text))
        return numbers

    async def send(self, count: int, *, text: str = SHORT, key: str = "") -> Reply:
        """One request in a connection of its own."""
        return await self.send_to(self.fresh(text, count), text=text, key=key)

    async def send_to(self, numbers: list[str], *, text: str = SHORT, key: str = "") -> Reply:
        """The same, to numbers of one's own choice."""
        self.tried.update(dict.fromkeys(numbers, text))
        async with Requests(self.rig.served.port, self.rig.api_key) as requests:
            return await self.request(requests, numbers, text, key=key)

    async def request(self, requests: Requests, numbers: list[str], text: str, *, key: str = "") -> Reply:
        """One request on an open connection."""
        reply = await requests.send(numbers, text, key=key)
        if reply.status != 202:
            self.refused.append(reply)
            return reply
        for each in reply.json()["messages"]:
            assert each["accepted"]
            self.accepted[each["to"]] = text
        return reply

    async def load(self, most: int, *, at_once: int = 4) -> None:
        """Send to so many recipients over several connections; comes back early when the server is gone."""

        async def worker(number: int) -> None:
            try:
                async with Requests(self.rig.served.port, self.rig.api_key) as requests:
                    turn = number
                    while len(self.tried) < most:
                        text = LONG if self.writes_long and turn % 5 == 0 else SHORT
                        await self.request(requests, self.fresh(text, 4 if turn % 3 == 0 else 1), text)
                        turn += 1
            except TROUBLE:
                return

        await asyncio.gather(*(worker(number) for number in range(at_once)))


class Account(NamedTuple):
    """What `heliograph account show` says of the credits."""

    available: int
    held: int
    captured: int


@dataclass(slots=True)
class Rig:
    """Everything that takes part in a story.

    wire, hooks: what the exchange believes to be the carrier, and the webhook.
    """

    served: Served
    centre: MessageCentre
    wire: CutWire
    hooks: CutWire
    receiver: Receiver
    api_key: str
    policy: Policy
    database: str = ""
    customer: Customer = field(init=False)
    commands: Commands = field(init=False)

    def __post_init__(self) -> None:
        self.commands = Commands(self.served.data, self.database)
        # What becomes of a long message in doubt is a story of its own.
        self.customer = Customer(self, writes_long=self.policy is Policy.RESEND)

    # What the others have seen -------------------------------------------------------------------------------------

    def submits(self) -> Counter[tuple[str, bytes]]:
        """How often the carrier took each segment."""
        return Counter((each.pdu.destination_addr, each.pdu.short_message) for each in self.centre.received)

    def carried(self) -> set[str]:
        """Recipients of whom the carrier has every segment."""
        distinct = Counter(recipient for recipient, _ in self.submits())
        return {recipient for recipient, count in distinct.items() if count == SEGMENTS[self.customer.tried[recipient]]}

    def told(self) -> set[str]:
        """Recipients who were called delivered by the webhook."""
        return {number.decode() for call in self.receiver.calls for number in _DELIVERED.findall(call.body)}

    async def hear_replies(self, number: str) -> None:
        """The customer has a number, and a webhook that hears of replies."""
        await self.commands.run("number", "add", "acme", f"+{number}")
        about = ("--dialect", "touchbasepro", "--type", "MessageReply")
        await self.commands.run("webhook", "add", "acme", f"{self.receiver.url}/replies", *about)

    def replies(self) -> list[str]:
        """Texts that the webhook was told as replies; a call that was repeated counts once."""
        calls = {call.headers["webhook-id"]: call for call in self.receiver.calls if call.path == "/replies"}
        return [event["Message"] for call in calls.values() for event in self.events_of(call)]

    def events_of(self, call: Call) -> list[dict[str, str]]:
        """The events that one call of the webhook told."""
        events: list[dict[str, str]] = json.loads(call.body)["Events"]
        return events

    async def messages(self) -> list[dict[str, Any]]:
        """All messages, as the command line lists them."""
        listed = await self.commands.run("message", "list", "--limit", "100000")
        documents: list[dict[str, Any]] = listed["messages"]
        return documents

    async def account(self) -> Account:
        """The credits."""
        document = await self.commands.run("account", "show", "acme")
        return Account(document["available"], document["held"], document["captured"])

    # What must hold ------------------------------------------------------------------------------------------------

    async def quiet(self, *, seconds: float = QUIET_S) -> list[dict[str, Any]]:
        """Wait until nothing can happen any more; all messages as they stand then."""
        async with asyncio.timeout(seconds):
            while True:
                if self._is_told():
                    documents = await self.messages()
                    if self._is_told() and all(document["state"] in {*ENDS, "held"} for document in documents):
                        return documents
                await asyncio.sleep(LOOK_S)

    def _is_told(self) -> bool:
        """Whether every receipt was acknowledged, and the webhook has heard of everybody the carrier knows."""
        return not self.centre.waiting and self.carried() <= self.told()

    async def settle(self, *, seconds: float = QUIET_S) -> "Outcome":
        """Wait until all is quiet, end the server in good order and count."""
        try:
            await self.quiet(seconds=seconds)
        except TimeoutError:
            raise AssertionError(f"not quiet:\n{await self._standing()}") from None
        assert await self.served.stop() == 0
        documents, account, audit = await asyncio.gather(self.messages(), self.account(), self.commands.run("audit"))
        assert audit["is_clean"], audit["findings"]
        held = {document["recipient"].lstrip("+") for document in documents if document["state"] == "held"}
        self._check_money(documents, account)
        twice = {each: count - 1 for each, count in self.submits().items() if count > 1}
        lost = set(self.customer.accepted) - self.carried() - held
        return Outcome(
            lost=lost,
            untold=self.carried() - self.told(),
            twice=sum(twice.values()),
            held=len(held),
            states=Counter(document["state"] for document in documents),
        )

    def _check_money(self, documents: list[dict[str, Any]], account: Account) -> None:
        """Every message is paid once at most, and what is paid is what was carried."""
        per_recipient = Counter(document["recipient"].lstrip("+") for document in documents)
        assert set(per_recipient.values()) <= {1}
        assert set(per_recipient) <= set(self.customer.tried)
        paid = Counter[str]()
        for document in documents:
            recipient = document["recipient"].lstrip("+")
            assert document["price"] == SEGMENTS[self.customer.tried[recipient]]
            paid[document["charge"]] += document["price"]
            if recipient in self.carried() and document["state"] != "held":
                assert document["charge"] == "captured", document
        assert account == Account(GRANT - paid["held"] - paid["captured"], paid["held"], paid["captured"])

    async def _standing(self) -> str:
        """Where everything stands, for a story that went wrong."""
        documents = await self.messages()
        states = Counter(document["state"] for document in documents)
        untold = self.carried() - self.told()
        open_ones = [document for document in documents if document["state"] not in ENDS][:3]
        return "\n".join(
            [
                f"states {states}, carried {len(self.carried())}, untold {len(untold)} {sorted(untold)[:5]}",
                f"waiting receipts {self.centre.waiting}, sessions {self.centre.sessions}, open {open_ones}",
                *self.served.log[-30:],
            ]
        )


class Outcome(NamedTuple):
    """What a fault has cost. untold: carried, receipted and acknowledged, but no webhook heard of it."""

    lost: set[str]
    untold: set[str]
    twice: int
    held: int
    states: Counter[str]

    def check(self, policy: Policy, *, window: int = WINDOW) -> None:
        """The promises of one crash or disconnect."""
        assert not self.lost
        assert not self.untold
        if policy is Policy.HOLD:
            assert self.twice == 0
            assert self.held <= window
        else:
            assert self.twice <= window
            assert self.held == 0


async def set_up(data: Path, *, carrier: CarrierOptions, webhook: str, database: str = "") -> str:
    """An account, a carrier and a webhook; the account's API key."""
    store = await open_store(database, data)
    clock = SystemClock()
    try:
        made = await Accounts(store, clock).add("acme", amount=GRANT * CREDIT)
        await Carriers(store, clock, kinds=KINDS).add("north", carrier)
        webhooks = Webhooks(store, clock, actor="test")
        await webhooks.add(made.account.account_id, dialect="touchbasepro", kind=EventKind.STATUS, url=webhook)
        return made.api_key
    finally:
        await store.close()


@asynccontextmanager
async def rig(
    data: Path,
    policy: Policy,
    *,
    habits: Habits | None = None,
    environ: dict[str, str] | None = None,
    settings: dict[str, object] | None = None,
    database: str = "",
    sessions: int = 1,
) -> AsyncIterator[Rig]:
    """Everything but a running server; the message centre and the webhook answer from the start.

    database: the address of the store, "" for a file in the data folder. sessions: of the carrier.
    """
    environ = {"HELIOGRAPH_DATABASE": database, "HELIOGRAPH_DATABASE_UNSAFE": "true", **(environ or {})}
    centre = MessageCentre(SystemClock(), habits or Habits(response_delay_ms=20, receipt_delay_ms=10))
    far_port = await centre.start("127.0.0.1", 0)
    try:
        async with CutWire(far_port) as wire, Receiver() as receiver, CutWire(receiver.port) as hooks:
            carrier = CarrierOptions(
                url=f"smpp://rig:rig@127.0.0.1:{wire.port}",
                window=WINDOW,
                policy=policy,
                settings=settings,
                sessions=sessions,
            )
            api_key = await set_up(
                data, carrier=carrier, webhook=f"http://127.0.0.1:{hooks.port}/told", database=database
            )
            async with Served(data, environ) as served:
                yield Rig(served, centre, wire, hooks, receiver, api_key, policy, database)
    finally:
        await centre.stop()


def incoming_texts(data: Path) -> Iterable[str]:
    """Texts of incoming messages in the store."""
    connection = sqlite3.connect(data / "heliograph.sqlite")
    try:
        return [row[0] for row in connection.execute("select text from incoming")]
    finally:
        connection.close()


def age_segments(data: Path) -> None:
    """Make the segments that wait in the store an hour older."""
    connection = sqlite3.connect(data / "heliograph.sqlite", isolation_level=None)
    try:
        connection.execute("begin immediate")
        for table in ("joining", "incoming_segment"):
            connection.execute(f"update {table} set first_at_ms = first_at_ms - 3600000")
        connection.execute("commit")
    finally:
        connection.close()
