"""Address books: groups of contacts.

Whoever adds, changes or removes contacts holds the row of their group first, so that they follow one another on every
engine: no number comes twice, the count is right, and a contact that is added later has the higher id.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    ColumnElement,
    Select,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.ids import AccountId, ContactGroupId, ContactId, first_at
from heliograph.store.schema import account, contact, contact_group, removed_group

_Key = tuple[AccountId, ContactGroupId]

_GROUP = select(
    contact_group.c.account_id,
    contact_group.c.id,
    contact_group.c.name,
    contact_group.c.contacts,
    contact_group.c.created_at_ms,
    contact_group.c.modified_at_ms,
)
_COLUMNS: tuple[ColumnElement[Any], ...] = (
    contact.c.account_id,
    contact.c.group_id,
    contact.c.id,
    contact.c.msisdn,
    contact.c.first_name,
    contact.c.last_name,
    contact.c.fields,
    contact.c.created_at_ms,
    contact.c.modified_at_ms,
)
_CONTACT: Select[Any] = select(*_COLUMNS)


class Stretch(NamedTuple):
    """Contacts of a group behind one id and up to another."""

    account_id: AccountId
    group_id: ContactGroupId
    after: ContactId
    upto: ContactId


class Stretched(NamedTuple):
    """Contacts of a stretch, and the id behind which it goes on: None at its end."""

    contacts: list[Contact]
    last_id: ContactId | None


async def hold(connection: AsyncConnection, account_id: AccountId) -> None:
    """Let nobody else give a name to a group of an account until the transaction ends."""
    await connection.execute(select(account.c.id).where(account.c.id == account_id).with_for_update())


# Groups --------------------------------------------------------------------------------------------------------------


def _is_group(account_id: AccountId, group_id: ContactGroupId) -> ColumnElement[bool]:
    return (contact_group.c.account_id == account_id) & (contact_group.c.id == group_id)


async def groups(connection: AsyncConnection, account_id: AccountId, *, most: int, skip: int = 0) -> list[ContactGroup]:
    """Groups of an account, newest first."""
    wanted = _GROUP.where(contact_group.c.account_id == account_id).order_by(contact_group.c.id.desc())
    return [ContactGroup(*row) for row in await connection.execute(wanted.limit(most).offset(skip))]


async def count_of_groups(connection: AsyncConnection, account_id: AccountId) -> int:
    """How many groups an account has."""
    wanted = select(func.count()).select_from(contact_group).where(contact_group.c.account_id == account_id)
    return await connection.scalar(wanted) or 0


async def group(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, is_held: bool = False
) -> ContactGroup | None:
    """One of an account's groups. is_held: nobody else may change it or its contacts until the transaction ends."""
    wanted = _GROUP.where(_is_group(account_id, group_id))
    row = (await connection.execute(wanted.with_for_update() if is_held else wanted)).first()
    return ContactGroup(*row) if row else None


async def group_named(connection: AsyncConnection, account_id: AccountId, name: str) -> ContactGroup | None:
    """The one with a name."""
    wanted = _GROUP.where(contact_group.c.account_id == account_id, contact_group.c.name == name)
    row = (await connection.execute(wanted)).first()
    return ContactGroup(*row) if row else None


async def add_group(connection: AsyncConnection, account_id: AccountId, *, name: str, now_ms: int) -> ContactGroup:
    """Make a group, in an account that is held, with a name that it has not given yet."""
    last = 0
    for table in (contact_group, removed_group):
        last = max(last, await connection.scalar(select(func.max(table.c.id)).filter_by(account_id=account_id)) or 0)
    group_id = ContactGroupId(max(last, first_at(now_ms)) + 1)
    made = ContactGroup(account_id, group_id, name, created_at_ms=now_ms, modified_at_ms=now_ms)
    values = {"id": group_id, "account_id": account_id, "name": name, "created_at_ms": now_ms, "modified_at_ms": now_ms}
    await connection.execute(insert(contact_group).values(values))
    return made


async def rename_group(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, name: str, now_ms: int
) -> None:
    """Give a group a name that its account, which is held, has not given yet."""
    await connection.execute(
        update(contact_group).where(_is_group(account_id, group_id)).values(name=name, modified_at_ms=now_ms)
    )


async def remove_group(connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId) -> bool:
    """Remove a group; its contacts are nobody's then, until `remove_leftovers` has been called often enough."""
    removed = await connection.execute(delete(contact_group).where(_is_group(account_id, group_id)))
    if not removed.rowcount:
        return False
    await connection.execute(insert(removed_group).values(account_id=account_id, id=group_id))
    return True


async def next_removed(connection: AsyncConnection) -> tuple[AccountId, ContactGroupId] | None:
    """A group that was removed and may have contacts left."""
    row = (await connection.execute(select(removed_group.c.account_id, removed_group.c.id).limit(1))).first()
    return (AccountId(row[0]), ContactGroupId(row[1])) if row else None


async def remove_leftovers(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, most: int
) -> int:
    """Remove up to `most` contacts of a group that was removed; returns how many. With the last it is forgotten."""
    key = (removed_group.c.account_id == account_id) & (removed_group.c.id == group_id)
    if await connection.scalar(select(removed_group.c.id).where(key)) is None:
        return 0
    its = _is_in(account_id, group_id)
    ids = list(await connection.scalars(select(contact.c.id).where(its).order_by(contact.c.id).limit(most)))
    if ids:
        await connection.execute(delete(contact).where(its, contact.c.id <= ids[-1]))
    if len(ids) < most:
        await connection.execute(delete(removed_group).where(key))
    return len(ids)


# Contacts ------------------------------------------------------------------------------------------------------------


def _is_in(account_id: AccountId, group_id: ContactGroupId) -> ColumnElement[bool]:
    return (contact.c.account_id == account_id) & (contact.c.group_id == group_id)


async def page(connection: AsyncConnection, within: ContactGroup, *, most: int, skip: int = 0) -> list[Contact]:
    """Contacts of a group, newest first. Counts its way from the nearer end."""
    wanted = _CONTACT.where(_is_in(within.account_id, within.group_id))
    left = within.contacts - skip
    if left <= 0 or skip <= within.contacts // 2:
        rows = await connection.execute(wanted.order_by(contact.c.id.desc()).limit(most).offset(skip))
        return [Contact(*row) for row in rows]
    most = min(most, left)
    rows = await connection.execute(wanted.order_by(contact.c.id).limit(most).offset(left - most))
    return [Contact(*row) for row in rows][::-1]


async def stretch(
    connection: AsyncConnection, within: Stretch, *, most: int, not_in: Sequence[ContactGroupId] = ()
) -> Stretched:
    """The next contacts of a stretch in the order of their ids; none when the group was removed.

    most: how many are looked at. Those whose number is in one of the groups `not_in`, up to the same id, are left out:
    there may be none although the stretch goes on.
    """
    account_id, group_id, after, upto = within
    if await group(connection, account_id, group_id) is None:
        return Stretched([], None)
    earlier = contact.alias("earlier")
    is_earlier = (
        exists()
        .where(
            earlier.c.account_id == account_id,
            earlier.c.group_id.in_(not_in),
            earlier.c.msisdn == contact.c.msisdn,
            earlier.c.id <= upto,
        )
        .correlate(contact)
        if not_in
        else false()
    )
    rows = (
        await connection.execute(
            select(*_COLUMNS, is_earlier.label("is_earlier"))
            .where(_is_in(account_id, group_id), contact.c.id > after, contact.c.id <= upto)
            .order_by(contact.c.id)
            .limit(most)
        )
    ).all()
    found = [Contact(*row[:-1]) for row in rows if not row[-1]]
    return Stretched(found, ContactId(rows[-1].id) if len(rows) == most else None)


async def contact_numbered(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId
) -> Contact | None:
    """One of a group."""
    wanted = _CONTACT.where(_is_in(account_id, group_id), contact.c.id == contact_id)
    row = (await connection.execute(wanted)).first()
    return Contact(*row) if row else None


def _in_turn(
    connection: AsyncConnection, msisdns: Iterable[str], *wanted: ColumnElement[Any], key: _Key
) -> Select[Any]:
    """A question for each of some numbers in a group, whose answer has NULL for those that are not there.

    SQLite takes a list of values for a reason to read the whole group instead, and so it does with an inner join.
    """
    unpacked = func.json_array_elements_text if connection.dialect.name == "postgresql" else func.json_each
    asked = unpacked(literal(list(msisdns), JSON)).table_valued("value")
    return select(*wanted).select_from(asked.outerjoin(contact, _is_in(*key) & (contact.c.msisdn == asked.c.value)))


async def known(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, msisdns: Iterable[str]
) -> dict[str, ContactId]:
    """Which of these numbers are in a group, each with its contact."""
    wanted = _in_turn(connection, msisdns, contact.c.msisdn, contact.c.id, key=(account_id, group_id))
    return {row[0]: ContactId(row[1]) for row in await connection.execute(wanted) if row[1] is not None}


async def those(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, msisdns: Iterable[str]
) -> dict[str, Contact]:
    """The contacts of a group that have one of these numbers, by number."""
    wanted = _in_turn(connection, msisdns, *_COLUMNS, key=(account_id, group_id))
    return {row.msisdn: Contact(*row) for row in await connection.execute(wanted) if row.id is not None}


async def add(
    connection: AsyncConnection,
    account_id: AccountId,
    group_id: ContactGroupId,
    *,
    made: Sequence[Contact],
    now_ms: int,
) -> range:
    """Add contacts to a group that is held and has none of their numbers; returns their ids, in their order."""
    floor = first_at(now_ms)
    last = case((contact_group.c.last_id >= floor, contact_group.c.last_id), else_=floor)
    taken = await connection.scalar(
        update(contact_group)
        .where(_is_group(account_id, group_id))
        .values(last_id=last + len(made), contacts=contact_group.c.contacts + len(made))
        .returning(contact_group.c.last_id)
    )
    if taken is None or not made:
        return range(0)
    ids = range(taken - len(made) + 1, taken + 1)
    rows = [
        {
            "account_id": account_id,
            "group_id": group_id,
            "id": contact_id,
            "msisdn": each.msisdn,
            "first_name": each.first_name,
            "last_name": each.last_name,
            "fields": dict(each.fields),
            "created_at_ms": now_ms,
            "modified_at_ms": now_ms,
        }
        for each, contact_id in zip(made, ids, strict=True)
    ]
    await connection.execute(insert(contact), rows)
    return ids


_CHANGE = (
    update(contact)
    .where(
        contact.c.account_id == bindparam("its_account"),
        contact.c.group_id == bindparam("its_group"),
        contact.c.id == bindparam("its_id"),
    )
    .values(
        {name: bindparam(name) for name in ("msisdn", "first_name", "last_name", "fields", "modified_at_ms")},
    )
)


async def change(connection: AsyncConnection, changed: Sequence[Contact], *, now_ms: int) -> None:
    """Give contacts of groups that are held other values. No other contact of a group has the same number."""
    rows: list[Mapping[str, object]] = [
        {
            "its_account": each.account_id,
            "its_group": each.group_id,
            "its_id": each.contact_id,
            "msisdn": each.msisdn,
            "first_name": each.first_name,
            "last_name": each.last_name,
            "fields": dict(each.fields),
            "modified_at_ms": now_ms,
        }
        for each in changed
    ]
    if rows:
        await connection.execute(_CHANGE, rows)


async def remove(
    connection: AsyncConnection, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId
) -> bool:
    """Remove a contact of a group that is held; False when it has no such contact."""
    removed = await connection.execute(delete(contact).where(_is_in(account_id, group_id), contact.c.id == contact_id))
    if not removed.rowcount:
        return False
    await connection.execute(
        update(contact_group).where(_is_group(account_id, group_id)).values(contacts=contact_group.c.contacts - 1)
    )
    return True
