"""Receive: receipts and incoming messages, stored before the carrier is acknowledged."""

from typing import TYPE_CHECKING

from heliograph.core.ids import CarrierId
from heliograph.core.receipts import Receipt
from heliograph.pipeline.ports import Incoming, Stored
from heliograph.store.hops.incoming import TAKE_IN, IncomingMessage
from heliograph.store.hops.settle import ReceiptFact

if TYPE_CHECKING:
    from heliograph.pipeline.dispatch import Desk


def receive(desk: "Desk", carrier_id: CarrierId, receipts: list[Receipt], stored: Stored) -> None:
    """Match receipts with what was submitted, or park them until it is; then call `stored`."""
    at_ms = desk.clock.now_ms()
    desk.tally.receipts[carrier_id] += len(receipts)
    desk.settlement.settle_once([ReceiptFact(carrier_id, receipt, at_ms) for receipt in receipts], stored)


def take_in(desk: "Desk", carrier_id: CarrierId, incoming: list[Incoming], stored: Stored) -> None:
    """Store messages from handsets; then call `stored`."""
    at_ms = desk.clock.now_ms()
    desk.tally.incoming[carrier_id] += len(incoming)
    identifiers = desk.ids.take(len(incoming), at_ms)
    rows = [
        IncomingMessage(
            identifier, carrier_id, each.sender, each.recipient, each.encoding, each.udh, each.body, each.text, at_ms
        )
        for identifier, each in zip(identifiers, incoming, strict=True)
    ]
    desk.writer.put(TAKE_IN, rows, lambda result: stored(result is None))
