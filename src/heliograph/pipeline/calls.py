"""Calls: deliveries are tried until they are taken or given up, the same bytes under the same id at every try.

Each webhook has a lane of its own with a few calls on the way at once, so that a hanging endpoint delays nobody else.
What does not fit in a lane's memory waits in the store.
"""

from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from heliograph.core.directory import Webhook
from heliograph.core.ids import WebhookId
from heliograph.core.redelivery import GONE, PATIENCE_MS, wait_ms
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.ports import Deliverer, Delivery, DeliveryResult
from heliograph.store import telling
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.notify import TRIED, DeliveryState, TriedRequest

CALLS_AT_ONCE = 4
MOST_IN_LANE = 64
LOOK_S = 1.0
STOP_LOOK_S = 0.05


class CallLane:
    """One webhook's deliveries in waiting and on the way."""

    __slots__ = ("calling", "ids", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Delivery] = deque()
        self.ids: set[int] = set()
        self.calling = 0


class Calls:
    """All calls of this process.

    spread: draws 0 to 1, for the waits between tries. spawn: starts a task.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        deliverer: Deliverer,
        spread: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._desk = desk
        self._directory = desk.directory
        self._clock = desk.clock
        self._deliverer = deliverer
        self._spread = spread
        self._spawn = spawn
        self._lanes: dict[WebhookId, CallLane] = {}
        self._failing: dict[WebhookId, int] = {}
        self._ended: set[int] = set()

    def _lane(self, webhook_id: WebhookId) -> CallLane:
        lane = self._lanes.get(webhook_id)
        if lane is None:
            lane = self._lanes[webhook_id] = CallLane()
        return lane

    def enqueue(self, delivery: Delivery) -> None:
        """Call a webhook as soon as its lane is free; what does not fit in memory is taken up from the store."""
        webhook_id = delivery.webhook.webhook_id
        lane = self._lane(webhook_id)
        if delivery.delivery_id in lane.ids or len(lane.ids) >= MOST_IN_LANE:
            return
        lane.ids.add(delivery.delivery_id)
        lane.waiting.append(delivery)
        if lane.calling < CALLS_AT_ONCE:
            lane.calling += 1
            self._spawn(self._work_off(lane))

    async def _work_off(self, lane: CallLane) -> None:
        try:
            while lane.waiting:
                delivery = lane.waiting.popleft()
                try:
                    await self._try(delivery)
                finally:
                    lane.ids.discard(delivery.delivery_id)
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
        """Remember which webhooks have been failing."""
        async with self._desk.store.reading() as connection:
            self._failing = await telling.failing(connection)

    async def take_up(self) -> None:
        """Take up deliveries that are due again, were replayed or were too many for memory."""
        # What ends while the store is being read must not be taken from the older picture that the read returns.
        self._ended.clear()
        now_ms = self._clock.now_ms()
        if self._desk.store.is_shared:
            await self._take_up_shared(now_ms)
            return
        async with self._desk.store.reading() as connection:
            for webhook_id in await telling.webhooks_due(connection, at_ms=now_ms):
                webhook = self._directory.snapshot.webhooks.get(webhook_id)
                room = MOST_IN_LANE - len(self._lane(webhook_id).ids)
                if webhook is None or room <= MOST_IN_LANE // 2:
                    continue
                for due in await telling.due(connection, webhook_id, at_ms=now_ms, most=room):
                    if due.delivery_id not in self._ended:
                        self.enqueue(Delivery(due.delivery_id, webhook, due.body, due.attempts))

    async def _take_up_shared(self, now_ms: int) -> None:
        """As `take_up`: ours, and nobody's, which become ours first. Other processes may have noted who fails."""
        owner = self._desk.owner
        async with self._desk.store.reading() as connection:
            self._failing = await telling.failing(connection)
            webhooks = await telling.webhooks_due(connection, at_ms=now_ms, owner=owner)
        for webhook_id in webhooks:
            webhook = self._directory.snapshot.webhooks.get(webhook_id)
            room = MOST_IN_LANE - len(self._lane(webhook_id).ids)
            if webhook is None or room <= MOST_IN_LANE // 2:
                continue
            async with self._desk.store.writing() as connection:
                claimed = await telling.claim(connection, webhook_id, owner=owner, at_ms=now_ms, most=room)
            for due in claimed:
                if due.delivery_id not in self._ended:
                    self.enqueue(Delivery(due.delivery_id, webhook, due.body, due.attempts))

    async def stop(self, patience_s: float) -> None:
        """Begin no more calls, and wait for those on the way; what waits is pending in the store."""
        for lane in self._lanes.values():
            for delivery in lane.waiting:
                lane.ids.discard(delivery.delivery_id)
            lane.waiting.clear()
        ends_at = self._clock.monotonic() + patience_s
        while any(lane.calling for lane in self._lanes.values()) and self._clock.monotonic() < ends_at:
            await self._clock.sleep(STOP_LOOK_S)
