"""Messages as people look at them, and the changes people make to one: cancelling, and settling a doubt by hand."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.events import Told
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId, made_at_ms
from heliograph.core.ledger import movements
from heliograph.core.messages import NO_TRAITS, Channel, Traits
from heliograph.core.reasons import Reason, reason_numbered
from heliograph.core.standing import Standing
from heliograph.core.states import Charge, MessageState
from heliograph.store import postings, traits
from heliograph.store.schema import account, attempt, doubt, event, message, outbox, ready, submission


class MessageView(NamedTuple):
    """A message with what its submission holds. price: micro-credits for all segments.

    settled_at_ms: when it entered the state it is in, None while it was never told of one. send_at_ms: for when it was
    scheduled, 0 for at once.
    """

    account_id: AccountId
    message_id: MessageId
    submission_id: SubmissionId
    recipient: str
    sender: str
    text: str
    dialect: str
    channel: Channel
    state: MessageState
    segments: int
    accepted: int
    delivered: int
    charge: Charge
    attempts: int
    carrier_id: CarrierId
    reason: Reason | None
    price: int
    reference: str | None
    expires_at_ms: int
    settled_at_ms: int | None = None
    traits: Traits = NO_TRAITS
    send_at_ms: int = 0

    @property
    def accepted_at_ms(self) -> int:
        """When it was accepted."""
        return made_at_ms(self.message_id)


class EventRow(NamedTuple):
    """A fact of a message's history. detail: a carrier's or a person's own words."""

    at_ms: int
    state: MessageState
    reason: Reason | None
    detail: str | None


class AttemptRow(NamedTuple):
    """One try at a carrier. outcome: an `OutcomeKind`; status: the carrier's own code."""

    at_ms: int
    segment: int
    carrier_id: CarrierId
    outcome: int
    carrier_message_id: str | None
    status: str | None


class Page(NamedTuple):
    """Messages found in one stretch of ids. go_on: the id to read on below, None at the end."""

    messages: list[MessageView]
    go_on: MessageId | None


_OWN = (
    *("account_id", "id", "submission_id", "recipient", "state", "segments", "accepted", "delivered", "charge"),
    *("attempts", "carrier_id", "reason", "price", "reference", "expires_at_ms"),
)
_WANTED: Select[Any] = select(
    *(message.c[name] for name in _OWN),
    *(submission.c[name] for name in ("sender", "text", "dialect", "channel", "traits")),
).join(
    submission,
    (submission.c.account_id == message.c.account_id) & (submission.c.id == message.c.submission_id),
)


def _reason(number: int) -> Reason | None:
    return reason_numbered(number) if number else None


def _view_from(row: Row[Any], settled_at_ms: int | None = None) -> MessageView:
    values: dict[str, Any] = row._asdict()
    column = values.pop("traits")
    return MessageView(
        message_id=values.pop("id"),
        channel=Channel(values.pop("channel")),
        state=MessageState(values.pop("state")),
        charge=Charge(values.pop("charge")),
        reason=_reason(values.pop("reason")),
        settled_at_ms=settled_at_ms,
        traits=traits.read(column),
        send_at_ms=traits.send_at_ms_of(column),
        **values,
    )


async def find(connection: AsyncConnection, account_id: AccountId, *, message_id: MessageId) -> MessageView | None:
    """One message of an account."""
    row = (
        await connection.execute(_WANTED.where(message.c.account_id == account_id, message.c.id == message_id))
    ).first()
    if row is None:
        return None
    entered = select(func.max(event.c.at_ms)).where(
        event.c.account_id == account_id, event.c.message_id == message_id, event.c.state == row.state
    )
    return _view_from(row, await connection.scalar(entered))


async def owners_of(connection: AsyncConnection, message_id: MessageId) -> list[AccountId]:
    """The accounts that have a message of this id; ids of different nodes never meet, so there is one at most."""
    # The accounts are named so that the lookup goes by the primary key.
    wanted = select(message.c.account_id).where(
        message.c.account_id.in_(select(account.c.id)), message.c.id == message_id
    )
    return list(await connection.scalars(wanted))


async def page(
    connection: AsyncConnection,
    account_id: AccountId,
    *,
    below: MessageId | None,
    state: MessageState | None,
    stretch: int,
) -> Page:
    """Look at up to `stretch` messages below an id, newest first, and show those in a state."""
    conditions = [message.c.account_id == account_id]
    if below is not None:
        conditions.append(message.c.id < below)
    ids = select(message.c.id).where(*conditions).order_by(message.c.id.desc())
    last: MessageId | None = await connection.scalar(ids.offset(stretch - 1).limit(1))
    wanted = _WANTED.where(*conditions, message.c.id >= (last or 0)).order_by(message.c.id.desc())
    if state is not None:
        wanted = wanted.where(message.c.state == state)
    return Page([_view_from(row) for row in await connection.execute(wanted)], last)


async def events_of(connection: AsyncConnection, account_id: AccountId, *, message_id: MessageId) -> list[EventRow]:
    """What happened to a message, in order."""
    wanted = (
        select(event.c.at_ms, event.c.state, event.c.reason, event.c.detail)
        .where(event.c.account_id == account_id, event.c.message_id == message_id)
        .order_by(event.c.at_ms, event.c.state)
    )
    return [
        EventRow(row.at_ms, MessageState(row.state), _reason(row.reason), row.detail)
        for row in await connection.execute(wanted)
    ]


async def attempts_of(connection: AsyncConnection, account_id: AccountId, *, message_id: MessageId) -> list[AttemptRow]:
    """Every try at a carrier, in order."""
    columns = [attempt.c[name] for name in AttemptRow._fields]
    wanted = (
        select(*columns)
        .where(attempt.c.account_id == account_id, attempt.c.message_id == message_id)
        .order_by(attempt.c.at_ms, attempt.c.segment)
    )
    return [AttemptRow(*row) for row in await connection.execute(wanted)]


async def standing_of(connection: AsyncConnection, account_id: AccountId, *, message_id: MessageId) -> Standing | None:
    """The changing part of a message."""
    fields = ("account_id", "id", *Standing._fields[2:-2])
    wanted = (
        select(*(message.c[name] for name in fields), submission.c.sender, submission.c.id.label("submission_id"))
        .join(
            submission,
            and_(submission.c.account_id == message.c.account_id, submission.c.id == message.c.submission_id),
        )
        .where(message.c.account_id == account_id, message.c.id == message_id)
    )
    row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    return Standing._make(row)._replace(state=MessageState(row.state), charge=Charge(row.charge))


async def settle(
    connection: AsyncConnection, before: Standing, *, after: Standing, told: Iterable[Told], detail: str, now_ms: int
) -> bool:
    """Write a standing, its event, its postings and what webhooks are told; False when `before` no longer holds."""
    own = (message.c.account_id == before.account_id, message.c.id == before.message_id)
    moved = await connection.execute(
        update(message)
        .where(
            *own,
            message.c.state == before.state,
            message.c.charge == before.charge,
            message.c.accepted == before.accepted,
        )
        .values(
            state=after.state,
            charge=after.charge,
            accepted=after.accepted,
            delivered=after.delivered,
            reason=after.reason,
        )
    )
    if not moved.rowcount:
        return False
    await _tell(connection, after, told=told, detail=detail, now_ms=now_ms)
    if before.state is MessageState.HELD:
        await connection.execute(
            delete(doubt).where(
                doubt.c.carrier_id == before.carrier_id,
                doubt.c.recipient == before.recipient,
                doubt.c.account_id == before.account_id,
                doubt.c.message_id == before.message_id,
            )
        )
    if after.price:
        kinds = movements(before.charge, after.charge)
        await postings.post(connection, before.account_id, kinds=kinds, amount=after.price, now_ms=now_ms)
    return True


async def let_wait_no_longer(
    connection: AsyncConnection, account_id: AccountId, *, message_id: MessageId, due_ms: int
) -> None:
    """Nobody need look at a message at its time any more."""
    await connection.execute(
        delete(ready).where(
            ready.c.due_at_ms == due_ms, ready.c.account_id == account_id, ready.c.message_id == message_id
        )
    )


async def _tell(
    connection: AsyncConnection, after: Standing, *, told: Iterable[Told], detail: str, now_ms: int
) -> None:
    await connection.execute(
        insert(event).values(
            account_id=after.account_id,
            message_id=after.message_id,
            at_ms=now_ms,
            state=after.state,
            reason=after.reason,
            detail=detail,
        )
    )
    for each in told:
        await connection.execute(insert(outbox).values(each.row))
