"""Release: messages in lines of carriers that other processes hold go back into the store, a page at a time.

They come there by a fail-over, a new route, a slot that went while they waited, or because this process stops.
"""

import logging

from heliograph.pipeline.dispatch import Dispatch, Line
from heliograph.store.engine import StoreFailed, StoreUnavailable, ask
from heliograph.store.hops.claim import RELEASE, ReleaseRequest

LOOK_S = 0.1
PAUSE_S = 0.5
PAGE = 500
_log = logging.getLogger(__name__)


async def follow(dispatch: Dispatch) -> None:
    """Release what does not belong here; for ever."""
    clock = dispatch.desk.clock
    while True:
        try:
            await release(dispatch)
        except StoreUnavailable:
            await clock.sleep(PAUSE_S)
        await clock.sleep(LOOK_S)


async def release(dispatch: Dispatch) -> None:
    """Release what is in the wrong lines now; raises StoreUnavailable."""
    for line in list(dispatch.lines.values()):
        while line.queue and not dispatch.share.holds(line.carrier_id):
            await _release_page(line)
            dispatch.share.tell([line.carrier_id])


async def _release_page(line: Line) -> None:
    messages = line.queue.take(PAGE)
    ids = [message.message_id for message in messages]
    line.holding.update(ids)
    keys = [(message.account_id, message.message_id, line.carrier_id) for message in messages]
    request = ReleaseRequest(line.desk.owner, keys, line.desk.clock.now_ms())
    try:
        await ask(line.desk.writer, RELEASE, request)
    except StoreFailed:
        _log.exception("messages could not be released; they stay with this process until it ends")
    except BaseException:
        line.put_back(messages)
        raise
    line.holding.difference_update(ids)
