"""Good answers: the envelope, and pages of lists."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from heliograph.core.listing import Listing
from heliograph.dialects.dialect import REPLAYED, Answer, Call
from heliograph.dialects.fields import bag_of
from heliograph.dialects.pages import page_number, page_of
from heliograph.dialects.textboost import wire
from heliograph.dialects.textboost.errors import UNKNOWN, Fault

Item = TypeVar("Item")
_encode = msgspec.json.Encoder().encode


def done(data: object, message: str | None = None, *, is_replay: bool = False) -> Answer:
    """A good answer."""
    return Answer(200, _encode(wire.Success(message=message, data=data)), REPLAYED if is_replay else ())


async def listed(
    call: Call, ask: Callable[..., Awaitable[Listing[Item] | None]], row: Callable[[Item], object]
) -> Answer:
    """The page of a list that a call asks for. ask: by `page` and `per_page`. row: shows an item. Raises Fault."""
    number = page_number(bag_of(call).get("page"))
    listing = await ask(page=number, per_page=wire.PER_PAGE)
    if listing is None:
        raise Fault(UNKNOWN)
    return done(page_of(listing, row, number=number, per_page=wire.PER_PAGE, path=call.address))
