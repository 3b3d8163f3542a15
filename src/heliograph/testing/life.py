"""A process of the exchange without threads, network or waiting, on a store that outlives it.

The pipeline is the product's own, put together as the server does it; its carriers are whoever takes from a line, its
webhooks a list. What is put into the writer is committed when `commit` is called, and lost by `crash`.
"""

import asyncio
import errno
import hashlib
import json
import shutil
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from heliograph.core.directory import Policy, Webhook
from heliograph.core.events import Event, EventKind, MediaLink, Reply
from heliograph.core.ids import AccountId, CarrierId, IdSource, WebhookId
from heliograph.core.ledger import PostingKind
from heliograph.core.messages import Channel
from heliograph.core.routing import Route
from heliograph.core.states import MessageState
from heliograph.net.http import CallFailed, Fetched
from heliograph.pipeline import claim, expire, lease, recover
from heliograph.pipeline.accept import Acceptance
from heliograph.pipeline.calls import Calls
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.drafting import Terms
from heliograph.pipeline.fetching import Fetching
from heliograph.pipeline.notify import TICK_S, Notify
from heliograph.pipeline.ports import Delivery, DeliveryResult, EventWriter, Kept
from heliograph.pipeline.settlement import Settlement
from heliograph.services.media import MediaLibrary
from heliograph.store import accounts, carriers, overdue, owners, postings, routes, webhooks
from heliograph.store.connection import Connection
from heliograph.store.engine import Done, Hop, Request, Result
from heliograph.store.opening import open_sqlite
from heliograph.store.sqlite import SqliteStore
from heliograph.store.writer import BatchWriter, nothing
from heliograph.testing.clock import START_MS, VirtualClock, turns

T = TypeVar("T")

DIALECT = "plain"
NORTH, SOUTH = CarrierId(1), CarrierId(2)
ACME, BRAVO = AccountId(1), AccountId(2)
HOOK = WebhookId(1)
GRANT = 60_000_000
WINDOW = 3
TERMS = Terms(sender="Heliograph", validity_ms=48 * 3_600_000, most_in_memory=1_000, most_in_store=10_000)


def told_states(webhook: Webhook) -> frozenset[MessageState]:
    """The webhooks of these tests hear of every state that is an event, or else of what comes in."""
    if webhook.kind is EventKind.REPLY:
        return frozenset({MessageState.RECEIVED})
    ends = {state for state in MessageState if state.is_terminal} - {MessageState.RECEIVED}
    return frozenset(ends | {MessageState.SUBMITTED, MessageState.HELD})


class PlainEvents:
    """An `EventWriter` whose bodies can be read back: a list of [message id, state], or [sender, text, addresses]."""

    def __init__(self, most_events: int = 5, linger_s: float = 1.0) -> None:
        self.most_events = most_events
        self.linger_s = linger_s

    def told(self, webhook: Webhook) -> frozenset[MessageState]:
        """All of them."""
        return told_states(webhook)

    def write(self, events: Sequence[Event | Reply], **_about: object) -> bytes:
        """One pair for each event, three things for each reply."""
        return json.dumps([_plain(event) for event in events]).encode()


def _plain(event: Event | Reply) -> tuple[object, ...]:
    if isinstance(event, Reply):
        return event.sender, event.text, [each.url for each in event.media]
    return event.message_id, int(event.state)


class PlainKeeper:
    """A `MediaKeeper` and `MediaLinks` that remembers what files are. is_full: nothing can be kept."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self.is_full = False

    async def keep(self, octets: bytes, declared: str) -> Kept:
        """Note the file."""
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        kept = Kept(hashlib.sha256(octets).hexdigest(), declared, len(octets))
        connection = self._store.connect()
        connection.execute("insert or ignore into media values (?, ?, ?, ?)", (*kept, START_MS))
        connection.close()
        return kept

    def link(self, kept: Kept) -> MediaLink:
        """An address that says which file it is."""
        return MediaLink(f"https://files.example/{kept.digest[:8]}", kept.content_type, kept.octets, kept.digest)


class NotingDeliverer:
    """A `Deliverer` that calls nobody. answer: what the next calls get, or who decides it."""

    def __init__(self) -> None:
        self.calls: list[Delivery] = []
        self.answer: DeliveryResult | Callable[[Delivery], Awaitable[DeliveryResult]] = DeliveryResult(200, "")

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Note the call."""
        self.calls.append(delivery)
        return self.answer if isinstance(self.answer, DeliveryResult) else await self.answer(delivery)


class NotingWeb:
    """Files by address, in place of the web. answers: what each address gets, in turn; the last one for ever.

    doors: addresses that are answered only when their event is set. asked: every address that was fetched.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Fetched | CallFailed]] = {}
        self.doors: dict[str, asyncio.Event] = {}
        self.asked: list[str] = []

    def close(self, url: str) -> asyncio.Event:
        """Keep an address waiting; the event answers it."""
        return self.doors.setdefault(url, asyncio.Event())

    async def get(self, url: str, **_bounds: float) -> Fetched:
        """Note the address and give what there is."""
        self.asked.append(url)
        if url in self.doors:
            await self.doors[url].wait()
        answers = self.answers.get(url) or [CallFailed("answered 404")]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, CallFailed):
            raise answer
        return answer


class MemoryBlobs:
    """A media store that needs no thread. Implements `store.blobs.blobs.Blobs`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, digest: str, octets: bytes) -> None:
        """Keep it."""
        self.files[digest] = octets

    async def get(self, digest: str) -> bytes | None:
        """Give it."""
        return self.files.get(digest)

    async def has(self, digest: str) -> bool:
        """Look."""
        return digest in self.files

    async def delete(self, digest: str) -> None:
        """Forget it."""
        self.files.pop(digest, None)


class SteppedWriter:
    """A `Writer` that commits in the loop's next turn, or only when told to while it is `by_hand`."""

    def __init__(self, store: SqliteStore, reach: Callable[[str], None] = nothing) -> None:
        self._connections: list[Any] = []
        self._connect = store.connect
        # One process at a time: nobody else's turn is waited for.
        self._inner = BatchWriter(self._open, let_others_pass=lambda: None, post=lambda call: call(), reach=reach)
        self.by_hand = False
        self.commits = 0
        self._is_due = False
        self._is_dead = False

    def _open(self) -> Any:
        self._connections.append(self._connect())
        return self._connections[-1]

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work."""
        if self._is_dead:
            return
        self._inner.put(hop, request, done)
        if not self.by_hand and not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self.commit)

    def commit(self) -> None:
        """Do all the work there is."""
        self._is_due = False
        while not self._is_dead and self._inner.step():
            self.commits = self._inner.commits

    def die(self) -> None:
        """Forget what is queued, and whatever is put from now on."""
        self._is_dead = True
        for connection in self._connections:
            connection.close()


class Process:
    """One process's parts, as `server` plugs them together. whole: carriers that take a long text in one piece."""

    def __init__(self, store: SqliteStore, clock: VirtualClock, events: EventWriter | None = None) -> None:
        self.store = store
        self.clock = clock
        self.writer = SteppedWriter(store)
        self.deliverer = NotingDeliverer()
        self.web = NotingWeb()
        self.blobs = MemoryBlobs()
        self.tasks: set[asyncio.Task[Any]] = set()
        self._events = events or PlainEvents()
        self.keeper = PlainKeeper(store)
        self.whole: set[CarrierId] = set()

    async def start(self) -> None:
        """Take the lease, recover what earlier processes left."""
        held = await lease.acquire(self.store, self.clock)
        directory = Directory(self.store, self.clock, told_states)
        await directory.load()
        self.desk = Desk(
            directory=directory,
            store=self.store,
            writer=self.writer,
            ids=IdSource(held.node, last=held.last_id),
            clock=self.clock,
            owner=held.owner,
            spawn=self.spawn,
            keeper=self.keeper,
            takes_whole=lambda carrier: carrier.carrier_id in self.whole,
        )
        self.notify = Notify(
            self.desk,
            writers={DIALECT: self._events},
            calls=Calls(self.desk, deliverer=self.deliverer, spread=lambda: 0.5, spawn=self.spawn),
            spawn=self.spawn,
            links=self.keeper,
        )
        self.settlement = Settlement(self.desk, self.notify)
        self.library = MediaLibrary(self.store, self.writer, blobs=self.blobs, clock=self.clock)
        fetching = Fetching(self.desk, self.settlement, web=self.web, keeper=self.library, most_octets=100_000)
        self.dispatch = Dispatch(self.desk, self.settlement, fetching)
        self.acceptance = Acceptance(self.desk, lines=self.dispatch, terms=TERMS)
        await recover.recover(self.settlement, held)
        await self.notify.recover()
        await turns()

    def spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run something beside; what it raises is raised by `check`."""
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        return task

    def check(self) -> None:
        """Raise what a background task raised."""
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.discard(task)
            task.result()

    async def crash(self) -> None:
        """End as `kill -9` ends: nothing queued is committed, nobody says goodbye."""
        self.writer.die()
        # A task that waits for its own tasks would cancel them once only: everybody is told, until all are gone.
        while unended := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in unended:
                task.cancel()
            await turns()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def once(self, loop: Coroutine[Any, Any, None]) -> None:
        """One round of a loop that sleeps after it."""
        naps = self.clock.naps
        task = asyncio.ensure_future(loop)
        while self.clock.naps == naps and not task.done():
            await asyncio.wait([task], timeout=0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def beat(self) -> None:
        """What `lease.keep` does every second."""
        async with self.dispatch.claiming, self.store.writing() as connection:
            water = self.dispatch.low_water(self.clock.now_ms())
            await owners.beat(connection, self.desk.owner, at_ms=self.clock.now_ms(), low_water_id=water)

    async def claim(self) -> None:
        """One look for messages that are due."""
        await self.once(
            claim.follow(self.dispatch, most_in_memory=TERMS.most_in_memory, most_in_store=TERMS.most_in_store)
        )

    async def tell(self) -> None:
        """Group what has waited long enough, and take up deliveries that are due. A moment passes."""
        grouping = asyncio.ensure_future(self.notify.flush_by_age())
        await self.clock.advance(TICK_S)
        grouping.cancel()
        await asyncio.gather(grouping, return_exceptions=True)
        await self.once(self.notify.follow())

    async def sweep(self) -> None:
        """One round of each sweep."""
        self.dispatch.expire(self.clock.now_ms())
        await expire.settle_strays(self.settlement)
        await expire.end_overdue(self.settlement, overdue.START)


async def _set_up(connection: Connection) -> None:
    """Two accounts, a webhook of the first; 27… goes north, then south; 44… south, which holds doubts."""
    for name in ("acme", "bravo"):
        account_id = await accounts.add(connection, name=name, user=name, mark=f"{name:0>16}", now_ms=START_MS)
        await postings.post(connection, account_id, kinds=(PostingKind.GRANT,), amount=GRANT, now_ms=START_MS)
    for name, policy in (("north", Policy.RESEND), ("south", Policy.HOLD)):
        channels = [Channel.SMS, Channel.MMS]
        values = {"name": name, "url": "loopback:", "channels": channels, "window": WINDOW, "policy": policy}
        await carriers.add(connection, values, now_ms=START_MS)
    await routes.add(connection, Route(NORTH, Channel.SMS, "27", 0))
    await routes.add(connection, Route(SOUTH, Channel.SMS, "27", 1))
    await routes.add(connection, Route(SOUTH, Channel.SMS, "44", 0))
    await routes.add(connection, Route(NORTH, Channel.MMS, "27", 0))
    hook = {"account_id": ACME, "dialect": DIALECT, "kind": EventKind.STATUS, "url": "http://127.0.0.1/", "secret": "s"}
    await webhooks.add(connection, hook, now_ms=START_MS)


def pattern_store(folder: Path) -> Path:
    """The file of a store that is set up: what `copied_store` copies."""

    async def made() -> Path:
        store = open_sqlite("", folder)
        async with store.writing() as connection:
            await _set_up(connection)
        await store.close()
        return store.path

    return asyncio.run(made())


def copied_store(folder: Path, pattern: Path) -> SqliteStore:
    """A store of one's own."""
    path = folder / pattern.name
    shutil.copyfile(pattern, path)
    _strangers.clear()
    _strangers.update(threading.enumerate())
    return SqliteStore(path)


_strangers: set[threading.Thread] = set()
"""Threads that were there before the store was, such as those of another server in this process."""


async def let_go(store: SqliteStore) -> None:
    """Close a store, and wait for the threads of connections that a crash has torn from their tasks."""
    await store.close()
    for _ in range(200):
        ours = set(threading.enumerate()) - _strangers
        if not any("_connection_worker_thread" in thread.name for thread in ours):
            return
        await asyncio.sleep(0.005)
