"""Export: the contacts of a group as rows of a table, oldest first, page by page of their key."""

from collections.abc import AsyncIterator, Callable, Sequence

from heliograph.core.contact_rows import HEADER, MOST_COLUMNS, row_from
from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.ids import ContactId
from heliograph.services.refused import Refused
from heliograph.store import contacts
from heliograph.store.contacts import Stretch
from heliograph.store.engine import Store

PAGE = 2_000
"""Contacts read at once."""
_BEYOND = ContactId(2**53)


async def export(
    store: Store,
    group: ContactGroup,
    *,
    write: Callable[[Sequence[str]], None],
    step: Callable[[int], None] = lambda _: None,
) -> int:
    """Write a group, its columns first; returns how many contacts it has. Raises Refused.

    Read twice: once for the names of all fields, once for the rows. step: told after each page how many were read.
    """
    names: dict[str, None] = {}
    async for page in _pages(store, group):
        for each in page:
            names |= dict.fromkeys(each.fields)
        if len(names) > MOST_COLUMNS - len(HEADER):
            raise Refused(
                f"The contacts of the group have more fields than a table of {MOST_COLUMNS} columns can hold."
            )
        step(len(page))
    columns = sorted(names)
    write([*HEADER, *columns])
    count = 0
    async for page in _pages(store, group):
        for each in page:
            if not names.keys() >= each.fields.keys():
                raise Refused("A contact got a new field while the group was exported; export it again.")
            write(row_from(each, columns))
        count += len(page)
        step(len(page))
    return count


async def _pages(store: Store, group: ContactGroup) -> AsyncIterator[Sequence[Contact]]:
    after: ContactId | None = ContactId(0)
    while after is not None:
        async with store.reading() as connection:
            within = Stretch(group.account_id, group.group_id, after, _BEYOND)
            found, after = await contacts.stretch(connection, within, most=PAGE)
        yield found
