"""Wiring: every part is made here and plugged into its neighbours. Nothing is decided.

The tables at the top are all that a new dialect or carrier adds.
"""

import asyncio
import functools
import gc
import os
import random
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop
from starlette.applications import Starlette

from heliograph import __version__
from heliograph.carriers import callbacks as callback_pages
from heliograph.carriers.callbacks import Callbacks
from heliograph.carriers.kinds import takes_whole
from heliograph.carriers.makers import Tools, callback_makers, driver_makers
from heliograph.config import Settings, address_of
from heliograph.core.alphabets import language_table_of
from heliograph.core.directory import Webhook
from heliograph.core.ids import IdSource
from heliograph.core.states import MessageState
from heliograph.dialects.bulkvs.endpoints import BULKVS
from heliograph.dialects.dialect import Dialect, Services
from heliograph.dialects.http import application
from heliograph.dialects.limiter import RateLimiter
from heliograph.dialects.textboost.endpoints import TEXTBOOST
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO
from heliograph.net.clock import Clock, SystemClock
from heliograph.net.connection import Application
from heliograph.net.door import allow_files
from heliograph.net.guard import Guard
from heliograph.net.http import GuardedClient
from heliograph.net.listen import listening_socket, serve_http
from heliograph.ops import health
from heliograph.ops.metrics import Metrics
from heliograph.pipeline import beside, claim, company, expire, lease, limits, partial, prune, recover, release
from heliograph.pipeline.accept import Acceptance
from heliograph.pipeline.beside import Others
from heliograph.pipeline.broadcast import Expansion
from heliograph.pipeline.calls import Calls
from heliograph.pipeline.company import Lookout, Right
from heliograph.pipeline.desk import Desk, always
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.drafting import Terms
from heliograph.pipeline.drivers import Drivers
from heliograph.pipeline.duty import Duty, on_duty
from heliograph.pipeline.fetching import Fetching
from heliograph.pipeline.memory import Memory
from heliograph.pipeline.notify import Notify
from heliograph.pipeline.ports import EventWriter
from heliograph.pipeline.settlement import Settlement
from heliograph.pipeline.slots import Slots
from heliograph.services.accounts import Accounts
from heliograph.services.attachments import FittedAttachments
from heliograph.services.broadcasts import Broadcasts
from heliograph.services.campaigns import Campaigns
from heliograph.services.carriers import callback_path
from heliograph.services.contacts import Contacts
from heliograph.services.media import Links, MediaLibrary, key_of
from heliograph.services.messages import Messages
from heliograph.services.numbers import Numbers
from heliograph.services.pictures.cache import PictureCache
from heliograph.services.pictures.near import PictureWorkers
from heliograph.services.speech.cache import SpeechCache
from heliograph.services.speech.speaker import EngineSpeaker
from heliograph.services.speech.workers import Workers as SpeechWorkers
from heliograph.services.webhooks import Webhooks
from heliograph.store.address import is_server
from heliograph.store.apart.near import WriterApart, far_end
from heliograph.store.blobs.opening import open_blobs
from heliograph.store.engine import StoreRefused
from heliograph.store.opening import open_store
from heliograph.store.postgres.lanes import Lanes
from heliograph.store.postgres.store import PostgresStore
from heliograph.store.sqlite import SqliteStore
from heliograph.store.turns import only_server
from heliograph.store.writer import nothing
from heliograph.webhooks import media as media_pages
from heliograph.webhooks.deliver import HttpDeliverer

WRITER_END_S = 10

EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
"""Where carriers may be."""

FarEnd = Callable[[Path], list[str]]
"""The command of the process that writes to the store at a path."""

DIALECTS: tuple[Dialect, ...] = (TOUCHBASEPRO, BULKVS, TEXTBOOST)
EVENT_WRITERS: Mapping[str, EventWriter] = {dialect.name: dialect.events for dialect in DIALECTS if dialect.events}


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One process, plugged together."""

    settings: Settings
    desk: Desk
    notify: Notify
    dispatch: Dispatch
    acceptance: Acceptance
    drivers: Drivers
    library: MediaLibrary
    links: Links
    callbacks: Callbacks
    attachments: FittedAttachments
    speaker: EngineSpeaker
    calls: Calls
    limiter: RateLimiter
    held: lease.Lease
    others: Others | None = None
    is_ready: bool = False

    @property
    def directory(self) -> Directory:
        """What is set up."""
        return self.desk.directory

    def services(self) -> Services:
        """What the dialects may use."""
        store, clock = self.desk.store, self.desk.clock
        messages = Messages(store, clock, told=told_states, actor="api")
        return Services(
            accept=self.acceptance,
            directory=self.directory,
            webhooks=Webhooks(store, clock, actor="api", changed=self.directory.load),
            messages=messages,
            accounts=Accounts(store, clock, actor="api"),
            numbers=Numbers(store, clock, actor="api", changed=self.directory.load),
            campaigns=Campaigns(store, clock, actor="api"),
            contacts=Contacts(store, clock, actor="api"),
            broadcasts=Broadcasts(store, clock, check=self.acceptance.check, actor="api"),
            reports=messages,
            clock=clock,
            limiter=self.limiter,
            public_url=self.settings.public_url,
        )

    def missing(self) -> list[str]:
        """What is not ready yet, for `/readyz`."""
        if not self.is_ready:
            return ["recovery"]
        return [] if self.desk.may_submit() else ["store"]

    @property
    def process(self) -> dict[str, str]:
        """Which of several processes this is, for metrics."""
        return {"owner": str(self.held.owner), "node": str(self.held.node), "role": self.settings.role}


def told_states(webhook: Webhook) -> frozenset[MessageState]:
    """The states that a webhook hears of."""
    return EVENT_WRITERS[webhook.dialect].told(webhook)


@asynccontextmanager
async def exchange(
    settings: Settings,
    clock: Clock,
    *,
    holding: Sequence[int] = (),
    reach: Callable[[str], None] = nothing,
    far_end: FarEnd = far_end,
) -> AsyncIterator[Exchange]:
    """Put a process together on its store, and start the one that writes.

    holding: descriptors whose locks that one shares. reach, far_end: crash points, for fault tests.
    Leaving ends the background work, then the writer, then the store. Raises StoreRefused.
    """
    store = await open_store(settings.database, settings.data)
    died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    die = functools.partial(_die, died)
    held, writer = await _begin(store, settings, clock, died=die, needs=_Writing(holding, reach, far_end))
    directory, is_empty = Directory(store, clock, told_states), False
    others = _others(store, held, directory, settings, die)
    try:
        async with (
            GuardedClient(Guard(settings.webhook_allow, https_only=settings.webhook_https_only)) as customers,
            GuardedClient(Guard(EVERYWHERE)) as carriers,
            asyncio.TaskGroup() as group,
        ):
            watching = group.create_task(_watch(died), name="writer")
            starting = group.create_task(beside.started(others, clock), name="start")
            await directory.load()
            blobs = await open_blobs(settings.media, settings.data)
            library = MediaLibrary(store, writer, blobs=blobs, clock=clock)
            desk = Desk(
                directory=directory,
                store=store,
                writer=writer,
                ids=IdSource(held.node, last=held.last_id),
                clock=clock,
                owner=held.owner,
                reach=reach,
                spawn=spawning(group),
                keeper=library,
                takes_whole=takes_whole,
                may_submit=others.right if others else always,
            )
            callers = _Callers(customers, carriers)
            whole = await _assemble(settings, desk, held=held, others=others, callers=callers, library=library)
            starting.cancel()
            background = [group.create_task(work, name=name) for name, work in _background(whole)]
            try:
                yield whole
            finally:
                is_empty = not died.done() and await beside.emptied(whole.dispatch, whole.calls, whole.others)
                for task in (*background, watching):
                    task.cancel()
    finally:
        await writer.stop(patience_s=WRITER_END_S)
        await beside.gone(others, clock.now_ms(), is_empty=is_empty)
        await store.close()


class _Callers(NamedTuple):
    """Who calls what customers named, and who what the operator did."""

    customers: GuardedClient
    carriers: GuardedClient


class _Writing(NamedTuple):
    """What the writers of the engines need, as `exchange` has it."""

    holding: Sequence[int]
    reach: Callable[[str], None]
    far_end: FarEnd


async def _begin(
    store: SqliteStore | PostgresStore,
    settings: Settings,
    clock: Clock,
    *,
    died: Callable[[BaseException], None],
    needs: _Writing,
) -> tuple[lease.Lease, WriterApart | Lanes]:
    """Become an owner, and have what writes for it; closes the store when that fails."""
    try:
        if isinstance(store, PostgresStore) and not settings.database_unsafe:
            await store.check()
        held = await lease.acquire(store, clock, is_worker=settings.role != "api")
        return held, await _writer(store, held, died, needs)
    except BaseException:
        await store.close()
        raise


async def _writer(
    store: SqliteStore | PostgresStore, held: lease.Lease, died: Callable[[BaseException], None], needs: _Writing
) -> WriterApart | Lanes:
    """SQLite works where it is called, and gets a process; a PostgreSQL server is one already."""
    if isinstance(store, SqliteStore):
        return await WriterApart.start(needs.far_end(store.path), died, holding=needs.holding)
    return await store.serving_writer(held.owner, died, needs.reach)


def _others(
    store: SqliteStore | PostgresStore,
    held: lease.Lease,
    directory: Directory,
    settings: Settings,
    died: Callable[[BaseException], None],
) -> Others | None:
    """What is needed beside other processes; a SQLite store has one for itself."""
    if isinstance(store, SqliteStore):
        return None
    clock = directory.clock
    company = store.company(held.owner, died)
    return Others(company, Slots(company, directory, clock, is_worker=settings.role != "api"), Right(clock))


def spawning(group: asyncio.TaskGroup) -> Callable[[Coroutine[Any, Any, None]], object]:
    """Starts tasks of a group. What is to be started when the group has ended is dropped: the store knows of it."""

    def spawn(work: Coroutine[Any, Any, None]) -> object:
        try:
            return group.create_task(work)
        except RuntimeError:
            work.close()
            return None

    return spawn


def _die(died: "asyncio.Future[None]", error: BaseException) -> None:
    """The first reason counts."""
    if not died.done():
        died.set_exception(error)


async def _watch(died: "asyncio.Future[None]") -> None:
    """A process whose writer is dead must not look alive."""
    await died


async def _assemble(
    settings: Settings,
    desk: Desk,
    *,
    held: lease.Lease,
    others: Others | None = None,
    callers: _Callers,
    library: MediaLibrary,
) -> Exchange:
    """The hops, on a store whose leftovers are recovered before any carrier is connected, if nobody shares it."""
    deliverer = HttpDeliverer(callers.customers, desk.clock)
    calls = Calls(desk, deliverer=deliverer, spread=random.random, spawn=desk.spawn)
    key = await key_of(desk.store, os.urandom)
    links = _links(settings, desk, key)
    notify = Notify(desk, writers=EVENT_WRITERS, calls=calls, spawn=desk.spawn, links=links)
    settlement = Settlement(desk, notify)
    fetching = Fetching(desk, settlement, web=callers.customers, keeper=library, most_octets=settings.media_most_octets)
    dispatch = Dispatch(desk, settlement, fetching, share=others and others.slots)
    attachments = _attachments(settings, desk.clock, library=library, links=links)
    speaker = _speaker(settings, desk.clock)
    tools = Tools(
        clock=desk.clock,
        caller=callers.carriers,
        public=callers.customers,
        attachments=attachments,
        speaker=speaker,
        inbox=dispatch.line,
        memory=lambda carrier_id: Memory(desk.store, carrier_id),
        callback=lambda carrier: _base(settings) + callback_path(carrier.name, key),
    )
    if others is None:
        await recover.recover(settlement, held)
        await notify.recover()
    drivers = Drivers(dispatch, makers=driver_makers(tools))
    if others is not None:
        others.slots.is_running = drivers.is_running
    return Exchange(
        settings=settings,
        desk=desk,
        notify=notify,
        dispatch=dispatch,
        acceptance=Acceptance(desk, lines=dispatch, terms=_terms(settings)),
        drivers=drivers,
        calls=calls,
        limiter=RateLimiter(desk.clock, default=settings.rate_limit),
        held=held,
        others=others,
        library=library,
        attachments=attachments,
        speaker=speaker,
        links=links,
        callbacks=Callbacks(
            callback_makers(tools), snapshot=lambda: desk.directory.snapshot, inbox=dispatch.line, key=key
        ),
    )


def _attachments(settings: Settings, clock: Clock, *, library: MediaLibrary, links: Links) -> FittedAttachments:
    cache = PictureCache(settings.data / "adapted", clock)
    return FittedAttachments(library, links, workers=PictureWorkers(clock), cache=cache, clock=clock)


def _speaker(settings: Settings, clock: Clock) -> EngineSpeaker:
    cache = SpeechCache(settings.data / "speech", clock, most_octets=settings.speech_most_octets)
    return EngineSpeaker(SpeechWorkers(clock), cache, clock)


def _links(settings: Settings, desk: Desk, key: bytes) -> Links:
    return Links(key, desk.clock, base=_base(settings), good_for_s=settings.media_link_days * 86_400)


def _base(settings: Settings) -> str:
    """Our own address, as others reach it."""
    return settings.public_url or f"http://{settings.listen}"


def _terms(settings: Settings) -> Terms:
    return Terms(
        sender=settings.sender,
        validity_ms=settings.validity_hours * 3_600_000,
        most_in_memory=settings.memory_limit,
        most_in_store=settings.message_limit,
        needs_campaign=settings.us_campaigns == "required",
        languages=language_table_of(settings.national_tables),
    )


def _background(whole: Exchange) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    """The loops of one duty each."""
    desk, dispatch, settings = whole.desk, whole.dispatch, whole.settings
    expansion = Expansion(desk, acceptance=whole.acceptance, room=dispatch, terms=_terms(settings))
    forget_media, days = whole.library.forget_unneeded, settings.retention_days
    own = [
        ("directory", desk.directory.follow()),
        ("fetch media", dispatch.fetching.follow()),
        ("claim", claim.follow(dispatch, most_in_memory=settings.memory_limit, most_in_store=settings.message_limit)),
        ("expire queues", expire.sweep_queues(dispatch)),
        ("settle doubts", expire.sweep_doubts(dispatch.settlement)),
        ("attachments", whole.attachments.follow()),
        ("speech", whole.speaker.run()),
        ("group events", whole.notify.flush_by_age()),
    ]
    for_all: list[tuple[str, Duty, Work]] = [
        ("stray events", Duty.STRAY_EVENTS, whole.notify.follow_strays),
        ("expand broadcasts", Duty.BROADCASTS, expansion.follow),
        ("expire store", Duty.OVERDUE, lambda: expire.sweep_store(dispatch.settlement)),
        ("give up segments", Duty.SEGMENTS, lambda: partial.sweep(dispatch.settlement)),
        (
            "prune",
            Duty.PRUNE,
            lambda: prune.follow(desk.store, desk.clock, forget_media=forget_media, retention_days=days),
        ),
    ]
    if whole.others is not None:
        return own + _beside_others(whole, whole.others, for_all)
    low_water = lambda: dispatch.low_water(desk.clock.now_ms())  # noqa: E731 (a name for the line below)
    alone = [("lease", lease.keep(desk, low_water, claiming=dispatch.claiming)), ("call again", whole.notify.follow())]
    return own + alone + [(name, work()) for name, duty, work in for_all if duty is not Duty.STRAY_EVENTS]


Work = Callable[[], Coroutine[Any, Any, None]]


def _beside_others(
    whole: Exchange, others: Others, for_all: Sequence[tuple[str, Duty, Work]]
) -> list[tuple[str, Coroutine[Any, Any, None]]]:
    """The loops of a process that shares its store, and what it does for all when it has the duty."""
    dispatch, clock = whole.dispatch, whole.desk.clock
    is_api = whole.settings.role == "api"
    return [
        ("beat", company.beat(dispatch, others.company, others.right)),
        ("look", Lookout(dispatch, others.company, others.slots).follow()),
        ("release", release.follow(dispatch)),
        ("limits", limits.follow(whole.limiter, others.company, clock)),
        ("call again", whole.notify.follow_calls()),
        ("days", prune.look_after(whole.desk.store, clock)),
        *(
            (name, on_duty(others.company, duty, clock=clock, work=work))
            for name, duty, work in for_all
            if not is_api or duty is Duty.STRAY_EVENTS
        ),
    ]


def about_itself(whole: Exchange) -> Application:
    """The pages for machines, of one of several processes."""
    pages = Starlette(routes=health.routes(whole.missing, Metrics(whole)))
    return application((), whole.services(), otherwise=pages, version=__version__)


def web(whole: Exchange) -> Application:
    """Everything that is served over HTTP."""
    machines = health.routes(whole.missing, Metrics(whole))
    files = media_pages.routes(whole.library, whole.links)
    pages = Starlette(routes=[*machines, *files, *callback_pages.routes(whole.callbacks)])
    dialects = () if whole.settings.role == "worker" else DIALECTS
    return application(dialects, whole.services(), otherwise=pages, version=__version__)


async def serve(
    settings: Settings,
    *,
    started: Callable[[str], None],
    reach: Callable[[str], None] = nothing,
    far_end: FarEnd = far_end,
    listener: socket.socket | None = None,
) -> None:
    """Serve until cancelled: first requests end, then the carriers' sessions, then everything else.

    listener: where requests come in, if somebody has opened it already. started: told the address when everything is
    up. Raises StoreRefused.
    """
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    host, port = address_of(settings.listen)
    with _alone(settings) as locks, listener or listening_socket(host, port) as taken:
        # Port 0 takes a free one, and links to files name it.
        found = settings.listen.removesuffix(f":{port}") + f":{taken.getsockname()[1]}"
        settings = msgspec.structs.replace(settings, listen=found)
        async with (
            exchange(settings, SystemClock(), holding=locks, reach=reach, far_end=far_end) as whole,
            asyncio.TaskGroup() as group,
        ):
            drivers = group.create_task(whole.drivers.follow(), name="drivers")
            pages = group.create_task(_answer_for_itself(whole), name="process pages")

            def up() -> None:
                whole.is_ready = True
                started(f"http://{host}:{taken.getsockname()[1]}")

            try:
                await serve_http(web(whole), taken, clock=whole.desk.clock, started=up)
            finally:
                whole.is_ready = False
                drivers.cancel()
                pages.cancel()


async def _answer_for_itself(whole: Exchange) -> None:
    """Serve the pages of this process where it is the only one; until cancelled."""
    place = whole.settings.process_listen
    if place is not None:
        # The process that it replaces may still be there.
        with listening_socket(*address_of(place), is_shared=True) as listener:
            await serve_http(about_itself(whole), listener, clock=whole.desk.clock, started=lambda: None)


@contextmanager
def _alone(settings: Settings) -> Iterator[Sequence[int]]:
    """Only one process may serve a SQLite store; gives the lock's file descriptor."""
    if is_server(settings.database):
        yield ()
        return
    try:
        with only_server(settings.data) as lock:
            yield (lock,)
    except BlockingIOError:
        raise StoreRefused(
            f"another process serves the data in {settings.data}; SQLite takes one, more need PostgreSQL"
        ) from None


def run(
    settings: Settings,
    *,
    started: Callable[[str], None],
    reach: Callable[[str], None] = nothing,
    far_end: FarEnd = far_end,
    listener: socket.socket | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Collection of reference cycles is made rare: the hot path makes none.

    What was imported is not looked through again, neither meanwhile nor at the end, when it takes a fifth of a second.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    allow_files()

    async def main() -> None:
        task = asyncio.ensure_future(serve(settings, started=started, reach=reach, far_end=far_end, listener=listener))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    try:
        uvloop.run(main())
    except BaseExceptionGroup as group:
        raise _cause(group) from group


def _cause(error: BaseException) -> BaseException:
    """The first of the errors that ended the task groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
