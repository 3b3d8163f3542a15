"""Notify: events, and messages that came in, become deliveries of up to as many as a dialect tells at once.

Each webhook has a lane of its own, where its events wait for company. The delivery with its exact body replaces the
outbox rows of its events before the first call.
"""

import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from heliograph.core.events import Event, Reply, Told, told_order
from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState
from heliograph.pipeline.calls import Calls
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.ports import Delivery, EventWriter, Kept, MediaLinks
from heliograph.store import deliveries, telling
from heliograph.store.engine import StoreUnavailable
from heliograph.store.hops.notify import GROUP, GroupRequest, Missing

TICK_S = 0.2
QUIET_S = 0.25
"""Seconds without a further event after which no more company is waited for."""
LOOK_S = 1.0
PAGE = 1_000
STRAY_MS = 3_000
PASSED = (MessageState.SUBMITTED, MessageState.HELD, MessageState.UNKNOWN)
"""States that are not worth telling once the end is known."""
_log = logging.getLogger(__name__)

EventKey = tuple[AccountId, MessageId, MessageState]


class Lane:
    """One webhook's events in waiting.

    is_grouping: a delivery is being stored. The next one waits for it, so that a refused one cannot be overtaken by
    later events of its messages.
    """

    __slots__ = ("events", "first_at", "is_grouping", "last_at", "most", "overtaken")

    def __init__(self, most: int) -> None:
        self.most = most
        self.events: dict[tuple[MessageId, MessageState], Event | Reply] = {}
        self.overtaken: list[EventKey] = []
        self.first_at = self.last_at = 0.0
        self.is_grouping = False

    @property
    def is_full(self) -> bool:
        """Whether a delivery should be made at once."""
        return len(self.events) >= self.most and not self.is_grouping

    def has_waited(self, now: float, linger_s: float) -> bool:
        """Whether what is here should go although there is room: it is old, or nothing more seems to come."""
        is_waiting = bool(self.events) and not self.is_grouping
        return is_waiting and (now - self.first_at >= linger_s or now - self.last_at >= QUIET_S)

    def add(self, event: Event | Reply, now: float) -> None:
        """An event waits for company; the end of a message overtakes what was to be told before."""
        events = self.events
        if not events:
            self.first_at = now
        self.last_at = now
        message_id, state = event.message_id, event.state
        if state.is_terminal:
            for passed in PASSED:
                earlier = events.pop((message_id, passed), None) if passed is not state else None
                if earlier is not None:
                    self.overtaken.append(earlier[:3])
        events[message_id, state] = event

    def take(self) -> tuple[list[Event | Reply], list[EventKey]]:
        """As many events as one delivery may hold, oldest first, and what was overtaken."""
        events = list(islice(self.events.values(), self.most))
        if len(events) == len(self.events):
            self.events = {}
        else:
            for event in events:
                del self.events[event.message_id, event.state]
        overtaken, self.overtaken = self.overtaken, []
        return events, overtaken

    def put_back(self, events: list[Event | Reply], overtaken: list[EventKey]) -> None:
        """Events that could not be stored as a delivery go before those that came since."""
        since, self.events = list(self.events.values()), {}
        self.overtaken += overtaken
        for event in (*events, *since):
            self.add(event, self.first_at)


class Notify:
    """All lanes of this process.

    writers: by dialect. spawn: starts a task. links: where files of incoming messages are served.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        writers: Mapping[str, EventWriter],
        calls: Calls,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        links: MediaLinks | None = None,
    ) -> None:
        self._links = links
        self._desk = desk
        self._directory = desk.directory
        self._clock = desk.clock
        self._writers = writers
        self._calls = calls
        self._spawn = spawn
        self._lanes: dict[WebhookId, Lane] = {}
        self._grouped: set[EventKey] = set()

    # Grouping --------------------------------------------------------------------------------------------------

    def tell(self, told: list[Told]) -> None:
        """Events that were committed with their outbox rows."""
        now = self._clock.monotonic()
        for webhook_id, event in told:
            lane = self._lanes.get(webhook_id) or self._lane(webhook_id)
            lane.add(event, now)
            if lane.is_full:
                self._flush(webhook_id, lane)

    def _lane(self, webhook_id: WebhookId) -> Lane:
        lane = self._lanes.get(webhook_id)
        if lane is None:
            webhook = self._directory.snapshot.webhooks.get(webhook_id)
            lane = self._lanes[webhook_id] = Lane(self._writers[webhook.dialect].most_events if webhook else 1)
        return lane

    async def flush_by_age(self) -> None:
        """Send what has waited long enough; for ever."""
        while True:
            await self._clock.sleep(TICK_S)
            now = self._clock.monotonic()
            for webhook_id, lane in list(self._lanes.items()):
                webhook = self._directory.snapshot.webhooks.get(webhook_id)
                linger_s = self._writers[webhook.dialect].linger_s if webhook else 0.0
                if lane.has_waited(now, linger_s):
                    self._flush(webhook_id, lane)

    def _flush(self, webhook_id: WebhookId, lane: Lane) -> None:
        """Make a delivery of a lane's events; the outbox rows go when it is committed."""
        webhook = self._directory.snapshot.webhooks.get(webhook_id)
        events, overtaken = lane.take()
        keys = [event[:3] for event in events] + overtaken
        now_ms = self._clock.now_ms()
        if webhook is None:
            self._spawn(self._drop(webhook_id))
            return
        account = self._directory.snapshot.accounts[webhook.account_id]
        linked = [self._linked(event) for event in events]
        body = self._writers[webhook.dialect].write(linked, webhook=webhook, account=account, at_ms=now_ms)
        delivery = Delivery(self._desk.ids.next(now_ms), webhook, body, 0)
        request = GroupRequest(
            delivery.delivery_id, webhook_id, webhook.account_id, webhook.kind, body, len(events), keys, now_ms,
            self._desk.owner,
        )  # fmt: skip

        lane.is_grouping = True
        self._grouped.update(keys)

        def stored(result: Missing | Exception) -> None:
            lane.is_grouping = False
            if isinstance(result, frozenset) and result:
                # Another process has told some of it.
                lane.put_back([event for event in events if event[:3] not in result], overtaken)
            elif isinstance(result, frozenset):
                self._desk.reach("notify.grouped")
                self._desk.tally.events_told += len(events)
                self._calls.enqueue(delivery)
                if lane.is_full:
                    self._flush(webhook_id, lane)
            elif isinstance(result, StoreUnavailable):
                lane.put_back(events, overtaken)
            else:
                _log.error("a delivery could not be stored", exc_info=result)

        self._desk.writer.put(GROUP, request, stored)

    def _linked(self, event: Event | Reply) -> Event | Reply:
        """With addresses where its files are served from now on for a while."""
        if isinstance(event, Event) or not event.media or self._links is None:
            return event
        links = [self._links.link(Kept(each.digest, each.content_type, each.octets)) for each in event.media]
        return event._replace(media=tuple(links))

    async def _drop(self, webhook_id: WebhookId) -> None:
        """Forget what a webhook that is gone was still to be told."""
        with suppress(StoreUnavailable):
            is_more = True
            while is_more:
                async with self._desk.store.writing() as connection:
                    is_more = await deliveries.drop(connection, webhook_id, limit=PAGE, now_ms=self._clock.now_ms())

    # From the store --------------------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Take up the outbox rows that an earlier process left."""
        await self._calls.recover()
        async with self._desk.store.reading() as connection:
            page = await telling.outbox_page(connection, None, most=PAGE)
            while page:
                self.tell(sorted(page, key=lambda each: told_order(each.event)))
                last = page[-1]
                after = (last.webhook_id, *last.event[:3])
                page = await telling.outbox_page(connection, after, most=PAGE)

    async def follow(self) -> None:
        """Take up deliveries that are due again, replayed or too many for memory; for ever."""
        while True:
            with suppress(StoreUnavailable):
                await self._take_up()
                await self._calls.take_up()
            await self._clock.sleep(LOOK_S)

    async def follow_calls(self) -> None:
        """As `follow`, for the deliveries alone; for ever."""
        while True:
            with suppress(StoreUnavailable):
                await self._calls.take_up()
            await self._clock.sleep(LOOK_S)

    async def follow_strays(self) -> None:
        """As `follow`, for events alone, of which other processes may leave many; for ever."""
        while True:
            with suppress(StoreUnavailable):
                while await self._take_up() == PAGE:
                    await self._clock.sleep(TICK_S)
            await self._clock.sleep(LOOK_S)

    async def _take_up(self) -> int:
        """Events that other processes left in the outbox, such as a command that cancelled a message; how many."""
        # What is grouped while the store is being read must not be taken from the older picture that the read returns.
        self._grouped.clear()
        before_ms = self._clock.now_ms() - STRAY_MS
        async with self._desk.store.reading() as connection:
            told = await telling.outbox_page(connection, None, before_ms=before_ms, most=PAGE)
        for each in sorted(told, key=lambda each: told_order(each.event)):
            lane, event = self._lane(each.webhook_id), each.event
            is_here = lane.is_grouping or (event.message_id, event.state) in lane.events
            if not is_here and event[:3] not in self._grouped:
                self.tell([each])
        return len(told)
