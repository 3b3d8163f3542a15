"""Receive: receipts and incoming messages, stored before the carrier is acknowledged."""

from typing import TYPE_CHECKING

from heliograph.core.receipts import Receipt
from heliograph.core.settling import ReceiptFact
from heliograph.pipeline.ports import Incoming, Stored
from heliograph.store.hops.incoming import TAKE_IN, IncomingMessage

if TYPE_CHECKING:
    from heliograph.pipeline.dispatch import Line


def receive(line: "Line", receipts: list[Receipt], stored: Stored) -> None:
    """Match receipts with what was submitted, or park them until it is; then call `stored`."""
    at_ms = line.desk.clock.now_ms()
    line.desk.tally.receipts[line.carrier_id] += len(receipts)
    line.settlement.settle_once([ReceiptFact(line.carrier_id, receipt, at_ms) for receipt in receipts], stored)


def take_in(line: "Line", incoming: list[Incoming], stored: Stored) -> None:
    """Store messages from handsets; then call `stored`."""
    desk, carrier_id = line.desk, line.carrier_id
    at_ms = desk.clock.now_ms()
    desk.tally.incoming[carrier_id] += len(incoming)
    identifiers = desk.ids.take(len(incoming), at_ms)
    rows = [
        IncomingMessage(identifier, carrier_id, each.sender, each.recipient, each.encoding, each.body, each.text, at_ms)
        for identifier, each in zip(identifiers, incoming, strict=True)
    ]
    desk.writer.put(TAKE_IN, rows, lambda result: stored(result is None))
