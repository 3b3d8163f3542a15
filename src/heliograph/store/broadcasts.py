"""Broadcasts as people look at them, and the changes to one that come with no message.

A broadcast's place moves with its messages in `hops.stages`, and here where a stretch has nobody to write to. Whatever
changes a broadcast names what it must still be, so that a second run and a cancelled broadcast are left alone.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.broadcasts import Broadcast, BroadcastState
from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId, first_at
from heliograph.core.messages import NO_TRAITS, Channel, IdempotencyKey, Traits
from heliograph.core.reasons import Reason, reason_numbered
from heliograph.store.schema import broadcast, contact_group, idempotency

Place = tuple[int, int]
Key = tuple[AccountId, BroadcastId]

_IS_OPEN = broadcast.c.state < BroadcastState.DONE


class GroupSize(NamedTuple):
    """A group of contacts. last_id: of the contact that was added last."""

    name: str
    contacts: int
    last_id: int


class Begun(NamedTuple):
    """What a key stands for. broadcast_id: None when it was no broadcast."""

    body_digest: str
    broadcast_id: BroadcastId | None


def _broadcast_from(row: Row[Any]) -> Broadcast:
    values: dict[str, Any] = row._asdict()
    traits = {name: value for name, value in values.pop("traits").items() if name in Traits._fields}
    number = values.pop("reason")
    return Broadcast(
        broadcast_id=BroadcastId(values.pop("id")),
        channel=Channel(values.pop("channel")),
        state=BroadcastState(values.pop("state")),
        traits=NO_TRAITS._replace(**traits),
        media_urls=tuple(values.pop("media_urls")),
        groups=tuple(map(ContactGroupId, values.pop("groups"))),
        place=(values.pop("group_number"), values.pop("contact_id")),
        reason=reason_numbered(number) if number else None,
        **values,
    )


# Beginning -----------------------------------------------------------------------------------------------------------


async def sizes(
    connection: AsyncConnection, account_id: AccountId, groups: Iterable[ContactGroupId]
) -> dict[ContactGroupId, GroupSize]:
    """Those of some groups that the account has."""
    wanted = select(contact_group.c.id, contact_group.c.name, contact_group.c.contacts, contact_group.c.last_id).where(
        contact_group.c.account_id == account_id, contact_group.c.id.in_(list(groups))
    )
    return {ContactGroupId(row[0]): GroupSize(*row[1:]) for row in await connection.execute(wanted)}


async def add(connection: AsyncConnection, made: Broadcast, known: Iterable[GroupSize]) -> Broadcast:
    """Keep a broadcast; returns it with its id, which is above those of all contacts that its groups have.

    known: its groups.
    """
    last: int = await connection.scalar(_last_id(made.account_id)) or 0
    above = max(first_at(made.created_at_ms), last, *(each.last_id for each in known))
    begun = made._replace(broadcast_id=BroadcastId(above + 1))
    await connection.execute(insert(broadcast).values(_row_of(begun)))
    return begun


def _last_id(account_id: AccountId) -> Any:
    return select(func.max(broadcast.c.id)).where(broadcast.c.account_id == account_id)


def _row_of(begun: Broadcast) -> dict[str, Any]:
    row: dict[str, Any] = begun._asdict()
    row["id"] = row.pop("broadcast_id")
    row["traits"] = {name: value for name, value in begun.traits._asdict().items() if value}
    row["media_urls"] = list(begun.media_urls)
    row["groups"] = list(begun.groups)
    row["group_number"], row["contact_id"] = row.pop("place")
    row["reason"] = begun.reason.number if begun.reason else 0
    return row


async def count_open(connection: AsyncConnection, account_id: AccountId) -> int:
    """How many broadcasts of an account are not over."""
    wanted = select(func.count()).select_from(broadcast).where(broadcast.c.account_id == account_id, _IS_OPEN)
    return await connection.scalar(wanted) or 0


async def begun_with(connection: AsyncConnection, account_id: AccountId, key: str) -> Begun | None:
    """What a key of the account was used for; None when it is new."""
    wanted = select(idempotency.c.body_digest, idempotency.c.answer).where(
        idempotency.c.account_id == account_id, idempotency.c.name == key
    )
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    answer = json.loads(row.answer)
    # The answer to an ordinary submission is a list.
    return Begun(row.body_digest, BroadcastId(answer["broadcast"]) if isinstance(answer, dict) else None)


async def remember(connection: AsyncConnection, begun: Broadcast, key: IdempotencyKey) -> None:
    """Keep a key with the broadcast that it stands for."""
    await connection.execute(
        insert(idempotency).values(
            account_id=begun.account_id,
            name=key.key,
            body_digest=key.body_digest,
            answer=json.dumps({"broadcast": begun.broadcast_id}),
            available=0,
            at_ms=begun.created_at_ms,
        )
    )


# Looking -------------------------------------------------------------------------------------------------------------


async def find(connection: AsyncConnection, account_id: AccountId, broadcast_id: BroadcastId) -> Broadcast | None:
    """One of an account's broadcasts."""
    row = (await connection.execute(select(broadcast).where(_is((account_id, broadcast_id))))).first()
    return _broadcast_from(row) if row else None


async def among(connection: AsyncConnection, keys: Sequence[Key]) -> list[Broadcast]:
    """Those of some broadcasts that there are."""
    wanted = select(broadcast).where(tuple_(broadcast.c.account_id, broadcast.c.id).in_(keys))
    return [_broadcast_from(row) for row in await connection.execute(wanted)]


async def newest(connection: AsyncConnection, account_id: AccountId | None, *, most: int) -> list[Broadcast]:
    """Broadcasts of one account or of all, newest first."""
    wanted = select(broadcast).order_by(broadcast.c.id.desc()).limit(most)
    if account_id is not None:
        wanted = wanted.where(broadcast.c.account_id == account_id)
    return [_broadcast_from(row) for row in await connection.execute(wanted)]


async def due(connection: AsyncConnection, *, at_ms: int) -> list[tuple[AccountId, BroadcastId, BroadcastState]]:
    """The broadcasts that are to be expanded at a time, oldest first; those that pause are among them."""
    wanted = (
        select(broadcast.c.account_id, broadcast.c.id, broadcast.c.state)
        .where(
            # By the index: a range of states would take in all that are over.
            broadcast.c.state.in_((BroadcastState.RUNNING, BroadcastState.PAUSED, BroadcastState.SCHEDULED)),
            or_(broadcast.c.state != BroadcastState.SCHEDULED, broadcast.c.send_at_ms <= at_ms),
        )
        .order_by(broadcast.c.id)
    )
    return [
        (AccountId(row[0]), BroadcastId(row[1]), BroadcastState(row[2])) for row in await connection.execute(wanted)
    ]


# Changing ------------------------------------------------------------------------------------------------------------


def _is(key: Key) -> ColumnElement[bool]:
    return (broadcast.c.account_id == key[0]) & (broadcast.c.id == key[1])


def _stands(stood: Broadcast) -> ColumnElement[bool]:
    """The broadcast is not over, and where it was."""
    return (
        _is((stood.account_id, stood.broadcast_id))
        & _IS_OPEN
        & (broadcast.c.group_number == stood.place[0])
        & (broadcast.c.contact_id == stood.place[1])
    )


async def move(connection: AsyncConnection, stood: Broadcast, *, upto: Place) -> bool:
    """Pass over a stretch without anybody to write to; False when the broadcast no longer stands where it did."""
    moved = await connection.execute(
        update(broadcast)
        .where(_stands(stood))
        .values(state=BroadcastState.RUNNING, reason=0, group_number=upto[0], contact_id=upto[1])
    )
    return bool(moved.rowcount)


async def pause(connection: AsyncConnection, stood: Broadcast, *, reason: Reason) -> bool:
    """Say why a broadcast does not go on."""
    paused = await connection.execute(
        update(broadcast).where(_stands(stood)).values(state=BroadcastState.PAUSED, reason=reason.number)
    )
    return bool(paused.rowcount)


async def finish(connection: AsyncConnection, stood: Broadcast, *, now_ms: int) -> bool:
    """The last contact was expanded."""
    ended = await connection.execute(
        update(broadcast).where(_stands(stood)).values(state=BroadcastState.DONE, reason=0, ended_at_ms=now_ms)
    )
    return bool(ended.rowcount)


async def cancel(connection: AsyncConnection, account_id: AccountId, broadcast_id: BroadcastId, *, now_ms: int) -> bool:
    """Expand no more of a broadcast; False when it is over already."""
    ended = await connection.execute(
        update(broadcast)
        .where(_is((account_id, broadcast_id)), _IS_OPEN)
        .values(state=BroadcastState.CANCELLED, reason=Reason.CANCELLED.number, ended_at_ms=now_ms)
    )
    return bool(ended.rowcount)
