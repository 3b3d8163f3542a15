"""Receive: receipts and incoming messages, stored before the carrier is acknowledged."""

import logging
from typing import TYPE_CHECKING

from heliograph.core.assembly import Arrival, Place, concatenation_in, reference_of
from heliograph.core.events import MediaLink
from heliograph.core.receipts import Receipt
from heliograph.core.settling import ReceiptFact
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.ports import Incoming, Stored
from heliograph.store.engine import StoreUnavailable
from heliograph.store.hops.incoming import TAKE_IN, IncomingSegment, TakeIn, TakenIn

if TYPE_CHECKING:
    from heliograph.pipeline.dispatch import Line

Files = list[tuple[MediaLink, ...]]
_log = logging.getLogger(__name__)


def receive(line: "Line", receipts: list[Receipt], stored: Stored) -> None:
    """Match receipts with what was submitted, or park them until it is; then call `stored`."""
    at_ms = line.desk.clock.now_ms()
    line.desk.tally.receipts[line.carrier_id] += len(receipts)
    line.settlement.settle_once([ReceiptFact(line.carrier_id, receipt, at_ms) for receipt in receipts], stored)


def take_in(line: "Line", session_id: int, incoming: list[Incoming], *, stored: Stored) -> None:
    """Store messages from handsets, their files before them; then call `stored`."""
    if any(each.media for each in incoming):
        line.desk.spawn(_take_in_with_files(line, session_id, incoming, stored=stored))
    else:
        _put(line, _segments(line, session_id, incoming, [()] * len(incoming)), stored)


async def _take_in_with_files(line: "Line", session_id: int, incoming: list[Incoming], *, stored: Stored) -> None:
    try:
        files = [await _kept(line.desk, each) for each in incoming]
    except (OSError, StoreUnavailable) as error:
        _log.warning("files of incoming messages could not be stored", exc_info=error)
        stored(False)
        return
    _put(line, _segments(line, session_id, incoming, files), stored)


async def _kept(desk: Desk, incoming: Incoming) -> tuple[MediaLink, ...]:
    links: list[MediaLink] = []
    for content, declared, _ in incoming.media:
        if desk.keeper is None:
            raise StoreUnavailable("this process keeps no files")
        digest, content_type, octets = await desk.keeper.keep(content, declared)
        links.append(MediaLink("", content_type, octets, digest))
    return tuple(links)


def _segments(line: "Line", session_id: int, incoming: list[Incoming], files: Files) -> list[IncomingSegment]:
    at_ms = line.desk.clock.now_ms()
    segments: list[IncomingSegment] = []
    for identifier, each, media in zip(line.desk.ids.take(len(incoming), at_ms), incoming, files, strict=True):
        found = concatenation_in(each.udh)
        number, total = (1, 1) if found is None else (found.number, found.total)
        place = Place(line.carrier_id, each.sender, each.recipient, reference_of(found))
        arrival = Arrival(number, total, each.encoding, each.body, at_ms, session_id)
        segments.append(IncomingSegment(identifier, place, arrival, each.text, each.channel, media))
    return segments


def _put(line: "Line", segments: list[IncomingSegment], stored: Stored) -> None:
    desk = line.desk
    live = frozenset(session.session_id for session in line.sessions) | line.share.live_sessions()

    def done(result: TakenIn | Exception) -> None:
        if isinstance(result, Exception):
            _log.warning("incoming messages could not be stored", exc_info=result, extra={"segments": len(segments)})
            stored(False)
            return
        desk.reach("receive.taken")
        desk.tally.incoming.update(result.messages)
        line.settlement.tell_replies(result.told)
        stored(True)
        desk.reach("receive.acknowledged")

    desk.writer.put(TAKE_IN, TakeIn(segments, desk.directory.snapshot.audience, live), done)
