"""What follows once the message centre took a segment: its receipt and a reply, each in its time."""

from collections import defaultdict
from collections.abc import Callable
from typing import Final, TypeAlias

from heliograph.core.fates import REPLY_DELAY_MS, Fate
from heliograph.core.receipts import IdForm
from heliograph.core.states import MessageState
from heliograph.gsm import udh
from heliograph.net.clock import Clock
from heliograph.sandbox.delays import DelayLine
from heliograph.sandbox.reports import Received, receipt_of, reply_to, wants_receipt
from heliograph.smpp.constants import EsmClass
from heliograph.smpp.pdus import DeliverSm, SubmitSm

MOST_KEPT: Final = 10_000
"""How many segments are remembered after they were taken."""

Put: TypeAlias = Callable[[str, list[DeliverSm]], None]
"""Puts deliveries into the mailbox of a system_id."""


class Aftermath:
    """Remembers the latest segments, and ends each as its fate wants."""

    def __init__(self, put: Put, clock: Clock, *, form: IdForm, delay_ms: int, late_ms: int) -> None:
        """delay_ms: from taking a segment to its end; late_ms: what a late end takes on top."""
        self._put = put
        self._clock = clock
        self._form = form
        self._usual: DelayLine[Received] = DelayLine(delay_ms / 1000, clock, self._end)
        self._late: DelayLine[Received] = DelayLine((delay_ms + late_ms) / 1000, clock, self._end)
        self._replies: DelayLine[Received] = DelayLine((delay_ms + REPLY_DELAY_MS) / 1000, clock, self._reply)
        self._kept: dict[int, Received] = {}
        self._ends: dict[int, MessageState] = {}

    def follow(self, received: list[Received]) -> None:
        """Let these take their course."""
        kept = self._kept
        for each in received:
            kept[each.number] = each
        while len(kept) > MOST_KEPT:
            oldest = next(iter(kept))
            del kept[oldest]
            self._ends.pop(oldest, None)
        usual = [each for each in received if each.fate is Fate.DELIVERED]
        self._usual.add(usual)
        if len(usual) < len(received):
            self._follow_special([each for each in received if each.fate is not Fate.DELIVERED])

    def _follow_special(self, received: list[Received]) -> None:
        self._late.add(each for each in received if each.fate is Fate.DELIVERED_LATE)
        self._replies.add(each for each in received if each.fate.reply is not None and _is_first(each.pdu))
        at_once = [each for each in received if each.fate is Fate.RECEIPT_FIRST]
        if at_once:
            self._end(at_once)
        self._usual.add(
            each
            for each in received
            if each.fate not in (Fate.DELIVERED_LATE, Fate.RECEIPT_FIRST) and each.fate.end is not None
        )

    def find(self, number: int | None, system_id: str) -> Received | None:
        """A segment that this system_id sent, if it is remembered."""
        found = None if number is None else self._kept.get(number)
        return found if found is not None and found.system_id == system_id else None

    def end_of(self, received: Received) -> MessageState | None:
        """How it ended, or None while it is on its way."""
        return self._ends.get(received.number)

    def cancel(self, received: Received) -> bool:
        """Take it back; false when it has already ended."""
        if received.number in self._ends:
            return False
        self._ends[received.number] = MessageState.CANCELLED
        return True

    def kept(self) -> tuple[Received, ...]:
        """The latest segments in the order in which they came."""
        return tuple(self._kept.values())

    def stop(self) -> None:
        """End nothing any more."""
        for line in (self._usual, self._late, self._replies):
            line.close()

    def _end(self, received: list[Received]) -> None:
        now_ms = self._clock.now_ms()
        ends, kept = self._ends, self._kept
        put: defaultdict[str, list[DeliverSm]] = defaultdict(list)
        for each in received:
            end = ends.get(each.number) or each.fate.end
            if end is None:
                continue
            if each.number in kept:
                ends[each.number] = end
            if wants_receipt(each.pdu, end):
                receipt = receipt_of(each, end, form=self._form, now_ms=now_ms)
                put[each.system_id].append(receipt)
                if each.fate is Fate.DUPLICATE_RECEIPT:
                    put[each.system_id].append(receipt)
        for system_id, delivers in put.items():
            self._put(system_id, delivers)

    def _reply(self, received: list[Received]) -> None:
        for each in received:
            if self._ends.get(each.number) is not MessageState.CANCELLED:
                self._put(each.system_id, reply_to(each))


def _is_first(pdu: SubmitSm) -> bool:
    """People answer a message once, however many segments it has."""
    if not pdu.esm_class & EsmClass.UDHI:
        return True
    try:
        place = udh.concatenation_of(pdu.short_message)
    except udh.BrokenHeader:
        return True
    return place is None or place.number == 1
