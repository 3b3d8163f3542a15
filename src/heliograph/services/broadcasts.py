"""Broadcasts: submissions to groups of contacts, begun and cancelled here; `pipeline.broadcast` expands them."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple

from heliograph.core.broadcasts import NAME_CHARS, Broadcast, BroadcastState
from heliograph.core.contacts import Contact
from heliograph.core.directory import Account
from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId, ContactId, id_and_mark, id_from_uid
from heliograph.core.messages import IdempotencyKey, Refusal, Submission
from heliograph.core.reasons import Reason
from heliograph.core.templates import Template
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, the_account
from heliograph.services.refused import Refused, Unknown
from heliograph.store import accounts, broadcasts
from heliograph.store.broadcasts import GroupSize
from heliograph.store.connection import Connection
from heliograph.store.engine import Store

MOST_GROUPS = 100
"""Groups of one broadcast."""

MOST_OPEN = 1_000
"""Broadcasts of one account that are not over."""

Check = Callable[[Submission], Awaitable[Refusal | None]]
"""Why a submission would be refused whoever its recipients are: `Acceptance.check`."""


class BroadcastView(NamedTuple):
    """A broadcast, whose it is, and its groups as they are now; one that is gone has no name and no contacts."""

    broadcast: Broadcast
    account: Account
    groups: tuple[GroupSize, ...]

    @property
    def contacts(self) -> int:
        """How many contacts its groups have. Those who were added later or are in two groups are counted too."""
        return sum(group.contacts for group in self.groups)


class Broadcasts:
    """For people and for dialects. check: asked before anything is begun; those who only look need none."""

    def __init__(self, store: Store, clock: Clock, *, check: Check | None = None, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)
        self._check = check

    async def start(
        self, submission: Submission, groups: Sequence[ContactGroupId], *, name: str
    ) -> Broadcast | Refusal:
        """Begin to send a submission, whose text may have merge fields, to all contacts of groups.

        NOT_FOUND for a group, EMPTY_GROUP when none of them has a contact, and whatever the submission alone is refused
        for; with a key that was used before, the broadcast that was begun then. Raises Refused for a name that is none.
        """
        assert self._check is not None
        name = name.strip()
        if len(name) > NAME_CHARS or not name.isprintable():
            raise Refused(f"The name of a broadcast has at most {NAME_CHARS} printable characters.")
        chosen = tuple(dict.fromkeys(groups))
        if not chosen:
            return Refusal(Reason.NO_RECIPIENT)
        if len(chosen) > MOST_GROUPS:
            return Refusal(Reason.TOO_MANY_RECIPIENTS)
        refusal = await self._check(_specimen(submission))
        if refusal is not None:
            return refusal
        wanted = _wanted(submission, chosen, name=name, now_ms=self._log.now_ms())
        async with self._store.writing() as connection:
            if submission.idempotency is not None:
                before = await _before(connection, submission.account_id, submission.idempotency)
                if before is not None:
                    return before
            return await self._begin(connection, wanted, submission.idempotency)

    async def _begin(
        self, connection: Connection, wanted: Broadcast, key: IdempotencyKey | None
    ) -> Broadcast | Refusal:
        account_id = wanted.account_id
        known = await broadcasts.sizes(connection, account_id, wanted.groups)
        if len(known) < len(wanted.groups):
            return Refusal(Reason.NOT_FOUND)
        if not any(group.contacts for group in known.values()):
            return Refusal(Reason.EMPTY_GROUP)
        if await broadcasts.count_open(connection, account_id) >= MOST_OPEN:
            return Refusal(Reason.OVERLOADED)
        begun = await broadcasts.add(connection, wanted, known.values())
        if key is not None:
            await broadcasts.remember(connection, begun, key)
        await self._log.note(connection, "broadcast.start", subject=str(begun.broadcast_id), account=account_id)
        return begun

    async def show(self, account_id: AccountId, broadcast_id: BroadcastId) -> Broadcast | None:
        """One of an account's."""
        async with self._store.reading() as connection:
            return await broadcasts.find(connection, account_id, broadcast_id)

    async def list(self, account_name: str | None = None, *, limit: int = 50) -> tuple[BroadcastView, ...]:
        """Up to `limit` broadcasts of one account or of all, newest first."""
        async with self._store.reading() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            found = await broadcasts.newest(connection, account.account_id if account else None, most=limit)
            return tuple(await _views(connection, found))

    async def find(self, written: str) -> BroadcastView:
        """The broadcast that an id shown to anybody names; refused when there is none."""
        async with self._store.reading() as connection:
            return await _named(connection, written)

    async def cancel(self, written: str) -> BroadcastView:
        """Expand no more of a broadcast; the messages there are go on. Refused when it is over."""
        async with self._store.writing() as connection:
            before = (await _named(connection, written)).broadcast
            account_id, broadcast_id = before.account_id, before.broadcast_id
            if not await broadcasts.cancel(connection, account_id, broadcast_id, now_ms=self._log.now_ms()):
                raise Refused(f"The broadcast is {before.state.name.lower()} already.")
            await self._log.note(connection, "broadcast.cancel", subject=str(broadcast_id), account=account_id)
            return await _named(connection, str(broadcast_id))


def _specimen(submission: Submission) -> Submission:
    """The submission as somebody would get it of whom nothing is known, or as it is written if nothing is left then."""
    nobody = Contact(submission.account_id, ContactGroupId(0), ContactId(0), "")
    text = Template(submission.text).merge(nobody) or submission.text
    return submission._replace(text=text, idempotency=None)


def _wanted(submission: Submission, groups: tuple[ContactGroupId, ...], *, name: str, now_ms: int) -> Broadcast:
    is_later = submission.send_at_ms > now_ms
    return Broadcast(
        account_id=submission.account_id,
        broadcast_id=BroadcastId(0),
        name=name,
        dialect=submission.dialect,
        channel=submission.channel,
        sender=submission.sender,
        text=submission.text,
        traits=submission.traits,
        media_urls=submission.media_urls,
        groups=groups,
        send_at_ms=submission.send_at_ms if is_later else 0,
        state=BroadcastState.SCHEDULED if is_later else BroadcastState.RUNNING,
        created_at_ms=now_ms,
    )


async def _before(connection: Connection, account_id: AccountId, key: IdempotencyKey) -> Broadcast | Refusal | None:
    """What a key stands for; None when it is new."""
    known = await broadcasts.begun_with(connection, account_id, key.key)
    if known is None:
        return None
    if known.body_digest != key.body_digest or known.broadcast_id is None:
        return Refusal(Reason.KEY_REUSED)
    return await broadcasts.find(connection, account_id, known.broadcast_id)


async def _views(connection: Connection, found: Iterable[Broadcast]) -> list[BroadcastView]:
    views = []
    for each in found:
        account = await accounts.numbered(connection, each.account_id)
        assert account is not None
        known = await broadcasts.sizes(connection, each.account_id, each.groups)
        views.append(BroadcastView(each, account, tuple(known.get(group, _GONE) for group in each.groups)))
    return views


_GONE = GroupSize("", 0, 0)


async def _named(connection: Connection, written: str) -> BroadcastView:
    plain = written.strip().lower()
    every = await accounts.every(connection)
    shown = id_and_mark(plain)
    if shown is not None:
        keys = [(each.account_id, BroadcastId(shown[0])) for each in every if each.mark == shown[1]]
    elif plain.isascii() and plain.isdecimal() and 13 < len(plain) <= 18:
        keys = [(each.account_id, BroadcastId(int(plain))) for each in every]
    else:
        # Each account is shown an id of its own for every number; what is nobody's in one may be there in another.
        uids = [(each.account_id, id_from_uid(plain, each.mark)) for each in every]
        keys = [(account_id, BroadcastId(number)) for account_id, number in uids if number is not None]
    found = await broadcasts.among(connection, keys)
    if len(found) != 1:
        raise Unknown(f"There is no broadcast {written!r}; `heliograph broadcast list` shows them.")
    return (await _views(connection, found))[0]
