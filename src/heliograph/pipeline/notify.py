"""Notify: events become deliveries, deliveries are tried until they are taken or given up.

Each webhook has a lane of its own: its events wait for company there, and at most a few calls are on the way at
once, so that a hanging endpoint delays nobody else. What does not fit in a lane's memory waits in the store.
"""

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from heliograph.core.directory import Webhook
from heliograph.core.events import Event, Told
from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.redelivery import GONE, PATIENCE_MS, overtakes, wait_ms
from heliograph.core.states import MessageState
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.ports import Deliverer, Delivery, DeliveryResult, EventWriter
from heliograph.store import telling
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.notify import GROUP, TRIED, DeliveryState, GroupRequest, TriedRequest

CALLS_AT_ONCE = 4
MOST_IN_LANE = 64
TICK_S = 0.2
LOOK_S = 1.0
RECOVER_PAGE = 1_000
STRAY_MS = 3_000
_log = logging.getLogger(__name__)


class Lane:
    """One webhook's events in waiting and deliveries on the way."""

    __slots__ = ("calling", "events", "first_at", "grouping", "most", "overtaken", "waiting", "waiting_ids")

    def __init__(self, most: int) -> None:
        self.most = most
        self.events: dict[MessageId, Event] = {}
        self.overtaken: list[tuple[AccountId, MessageId, MessageState]] = []
        self.first_at = 0.0
        self.grouping = 0
        self.waiting: deque[Delivery] = deque()
        self.waiting_ids: set[int] = set()
        self.calling = 0

    def add(self, event: Event, now: float) -> None:
        """An event waits for company; one that overtakes another takes its place."""
        if not self.events:
            self.first_at = now
        earlier = self.events.pop(event.message_id, None)
        if earlier is not None and overtakes(earlier.state, event.state):
            self.overtaken.append(earlier[:3])
        self.events[event.message_id] = event


class Notify:
    """All lanes of this process.

    writers: by dialect. spread: draws 0 to 1, for the waits between tries. spawn: starts a task.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        writers: Mapping[str, EventWriter],
        deliverer: Deliverer,
        spread: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._desk = desk
        self._directory = desk.directory
        self._clock = desk.clock
        self._writers = writers
        self._deliverer = deliverer
        self._spread = spread
        self._spawn = spawn
        self._lanes: dict[WebhookId, Lane] = {}
        self._failing: dict[WebhookId, int] = {}
        self._ended: set[int] = set()

    # Grouping --------------------------------------------------------------------------------------------------

    def tell(self, told: list[Told]) -> None:
        """Events that were committed with their outbox rows."""
        now = self._clock.monotonic()
        for webhook_id, event in told:
            lane = self._lanes.get(webhook_id) or self._lane(webhook_id)
            lane.add(event, now)
            if len(lane.events) >= lane.most:
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
                if lane.events and now - lane.first_at >= linger_s:
                    self._flush(webhook_id, lane)

    def _flush(self, webhook_id: WebhookId, lane: Lane) -> None:
        """Make a delivery of a lane's events; the outbox rows go when it is committed."""
        webhook = self._directory.snapshot.webhooks.get(webhook_id)
        events = list(lane.events.values())
        keys = [event[:3] for event in events] + lane.overtaken
        lane.events, lane.overtaken = {}, []
        now_ms = self._clock.now_ms()
        if webhook is None:
            return
        account = self._directory.snapshot.accounts[webhook.account_id]
        body = self._writers[webhook.dialect].write(account, events, now_ms)
        delivery = Delivery(self._desk.ids.next(now_ms), webhook, body, 0)
        request = GroupRequest(
            delivery.delivery_id, webhook_id, webhook.account_id, webhook.kind, body, len(events), keys, now_ms
        )

        lane.grouping += 1

        def stored(result: None | Exception) -> None:
            lane.grouping -= 1
            if result is None:
                self._desk.reach("notify.grouped")
                self._desk.tally.events_told += len(events)
                self._enqueue(delivery)
            elif isinstance(result, StoreUnavailable):
                self.tell([Told(webhook_id, event) for event in events])
            else:
                _log.error("a delivery could not be stored", exc_info=result)

        self._desk.writer.put(GROUP, request, stored)

    # Calling ---------------------------------------------------------------------------------------------------

    def _enqueue(self, delivery: Delivery) -> None:
        webhook_id = delivery.webhook.webhook_id
        lane = self._lane(webhook_id)
        if delivery.delivery_id in lane.waiting_ids or len(lane.waiting_ids) >= MOST_IN_LANE:
            return
        lane.waiting_ids.add(delivery.delivery_id)
        lane.waiting.append(delivery)
        if lane.calling < CALLS_AT_ONCE:
            lane.calling += 1
            self._spawn(self._work_off(lane))

    async def _work_off(self, lane: Lane) -> None:
        try:
            while lane.waiting:
                delivery = lane.waiting.popleft()
                try:
                    await self._try(delivery)
                finally:
                    lane.waiting_ids.discard(delivery.delivery_id)
                    self._ended.add(delivery.delivery_id)
        finally:
            lane.calling -= 1

    async def _try(self, delivery: Delivery) -> None:
        webhook = self._directory.snapshot.webhooks.get(delivery.webhook.webhook_id)
        if webhook is None or not webhook.is_active:
            result = DeliveryResult(None, "the webhook is switched off")
        else:
            result = await self._deliverer.deliver(delivery._replace(webhook=webhook))
            self._desk.tally.calls[result.is_success] += 1
        self._desk.reach("notify.called")
        request = self._judge(delivery, result, is_on=webhook is not None and webhook.is_active)
        try:
            await ask(self._desk.writer, TRIED, request)
            if webhook is not None and webhook.is_active:
                await self._note(webhook, result)
        except StoreUnavailable:
            # The delivery is still pending in the store: it is taken up again, with the same bytes and id.
            return

    def _judge(self, delivery: Delivery, result: DeliveryResult, *, is_on: bool) -> TriedRequest:
        now_ms = self._clock.now_ms()
        attempts = delivery.attempts + is_on
        state, next_at_ms = DeliveryState.DELIVERED, now_ms
        if not result.is_success:
            wait = wait_ms(attempts, retry_after_s=result.retry_after_s, spread=self._spread()) if is_on else None
            state = DeliveryState.DEAD if wait is None or result.status == GONE else DeliveryState.PENDING
            next_at_ms = now_ms + (wait or 0)
        settled_at_ms = None if state is DeliveryState.PENDING else now_ms
        return TriedRequest(
            delivery.delivery_id, state, attempts, next_at_ms, result.status, result.note, settled_at_ms
        )

    async def _note(self, webhook: Webhook, result: DeliveryResult) -> None:
        """Remember since when a webhook fails, and switch it off when it is gone or has failed for days."""
        webhook_id = webhook.webhook_id
        since_ms = self._failing.get(webhook_id)
        if result.is_success:
            if since_ms is not None:
                del self._failing[webhook_id]
                async with self._desk.store.writing() as connection:
                    await telling.note_failing(connection, webhook_id, since_ms=None)
            return
        now_ms = self._clock.now_ms()
        if since_ms is not None and now_ms - since_ms <= PATIENCE_MS and result.status != GONE:
            return
        async with self._desk.store.writing() as connection:
            # People may have switched it on again since: then its patience starts anew.
            since_ms = await telling.failing_since(connection, webhook_id)
            if result.status == GONE or (since_ms is not None and now_ms - since_ms > PATIENCE_MS):
                await telling.switch_off(connection, webhook_id, note=f"Switched off: {result.note}")
                self._failing.pop(webhook_id, None)
            elif since_ms is None:
                await telling.note_failing(connection, webhook_id, since_ms=now_ms)
                self._failing[webhook_id] = now_ms

    # From the store --------------------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Take up the outbox rows that an earlier process left."""
        async with self._desk.store.reading() as connection:
            self._failing = await telling.failing(connection)
            page = await telling.outbox_page(connection, None, most=RECOVER_PAGE)
            while page:
                self.tell(page)
                last = page[-1]
                after = (last.webhook_id, *last.event[:3])
                page = await telling.outbox_page(connection, after, most=RECOVER_PAGE)

    async def follow(self) -> None:
        """Take up deliveries that are due again, replayed or too many for memory; for ever."""
        while True:
            try:
                await self._take_up()
            except StoreUnavailable:
                pass
            await self._clock.sleep(LOOK_S)

    def _take_up_events(self, told: list[Told]) -> None:
        """Events that other processes left in the outbox, such as a command that cancelled a message."""
        for each in told:
            lane = self._lane(each.webhook_id)
            if not lane.grouping and each.event.message_id not in lane.events:
                self.tell([each])

    async def _take_up(self) -> None:
        # What ends while the store is being read must not be taken from the older picture that the read returns.
        self._ended.clear()
        now_ms = self._clock.now_ms()
        async with self._desk.store.reading() as connection:
            self._take_up_events(
                await telling.outbox_page(connection, None, before_ms=now_ms - STRAY_MS, most=RECOVER_PAGE)
            )
            for webhook_id in await telling.webhooks_due(connection, at_ms=now_ms):
                webhook = self._directory.snapshot.webhooks.get(webhook_id)
                lane = self._lane(webhook_id)
                room = MOST_IN_LANE - len(lane.waiting_ids)
                if webhook is None or room <= MOST_IN_LANE // 2:
                    continue
                for due in await telling.due(connection, webhook_id, at_ms=now_ms, most=room):
                    if due.delivery_id not in self._ended:
                        self._enqueue(Delivery(due.delivery_id, webhook, due.body, due.attempts))
