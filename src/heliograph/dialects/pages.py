"""Pages of a longer list that know its length, as a framework writes them which many vendors use (Laravel)."""

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct, field

from heliograph.core.listing import Listing
from heliograph.dialects.dialect import Call
from heliograph.dialects.fields import bag_of

Item = TypeVar("Item")
Row = TypeVar("Row")

_NEIGHBOURS = 3
"""Pages on each side of the current one that are linked."""
_NUMBER = re.compile("0*([1-9][0-9]{0,14})")


class Link(Struct):
    """A link of a page to another."""

    url: str | None
    label: str
    active: bool


class Page(Struct, Generic[Row], kw_only=True):
    """A page. `from` and `to`: numbers of its first and last item, from 1. `path`: the list's address."""

    current_page: int
    data: list[Row]
    first_page_url: str
    first: int | None = field(name="from")
    last_page: int
    last_page_url: str
    links: list[Link]
    next_page_url: str | None
    path: str
    per_page: int
    prev_page_url: str | None
    to: int | None
    total: int


def page_number(written: object) -> int:
    """The page that is asked for, from 1; what is no such number is the first.

    >>> page_number("3"), page_number(2), page_number("-1"), page_number(None)
    (3, 2, 1, 1)
    """
    found = _NUMBER.fullmatch(str(written).strip())
    return int(found[1]) if found else 1


def page_of(listing: Listing[Item], row: Callable[[Item], Row], *, number: int, per_page: int, path: str) -> Page[Row]:
    """A page of a list, with links to the others. row: shows an item. path: see `Page`."""
    last, count, before = listing.last_page(per_page), len(listing.items), (number - 1) * per_page

    def url(page: int) -> str:
        return f"{path}?page={page}"

    previous, following = url(number - 1) if number > 1 else None, url(number + 1) if number < last else None
    linked = [
        Link(url(page) if page else None, str(page or "..."), page == number) for page in linked_pages(number, last)
    ]
    return Page(
        current_page=number,
        data=[row(item) for item in listing.items],
        first_page_url=url(1),
        first=before + 1 if count else None,
        last_page=last,
        last_page_url=url(last),
        links=[Link(previous, "pagination.previous", False), *linked, Link(following, "pagination.next", False)],
        next_page_url=following,
        path=path,
        per_page=per_page,
        prev_page_url=previous,
        to=before + count if count else None,
        total=listing.total,
    )


async def page_asked(
    call: Call, ask: Callable[..., Awaitable[Listing[Item] | None]], row: Callable[[Item], Row], *, per_page: int
) -> Page[Row] | None:
    """The page of a list that a call names as `page`; None when there is no such list. ask: for a page of it."""
    number = page_number(bag_of(call).get("page"))
    listing = await ask(page=number, per_page=per_page)
    return listing and page_of(listing, row, number=number, per_page=per_page, path=call.address)


def linked_pages(number: int, last: int) -> Iterator[int]:
    """The pages that a page links to; 0 where some are left out.

    >>> list(linked_pages(1, 3)), list(linked_pages(20, 40))
    ([1, 2, 3], [1, 2, 0, 17, 18, 19, 20, 21, 22, 23, 0, 39, 40])
    """
    window = _NEIGHBOURS + 4
    if last < 2 * _NEIGHBOURS + 8:
        yield from range(1, last + 1)
    elif number <= window:
        yield from (*range(1, window + _NEIGHBOURS + 1), 0, last - 1, last)
    elif number > last - window:
        yield from (1, 2, 0, *range(last - window - _NEIGHBOURS + 1, last + 1))
    else:
        yield from (1, 2, 0, *range(number - _NEIGHBOURS, number + _NEIGHBOURS + 1), 0, last - 1, last)
