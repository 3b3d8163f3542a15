"""Claim: take messages that nobody holds in memory; recover: find those whose owner is gone; release: give them away.

Owner 0 means that a queued or scheduled message stands in `ready`; any other owner that it is in that process's memory.
A scheduled one is queued by the claim at its time, unless its account is suspended then: it waits for the account.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import NO_TRAITS, Channel, Media, Traits
from heliograph.core.replies import may_be_answered
from heliograph.core.states import MessageState
from heliograph.store import traits
from heliograph.store.hop import Hop
from heliograph.store.hops.conversation import CONVERSE
from heliograph.store.hops.ready import WAIT
from heliograph.store.hops.statements import NOTHING, Script, Statement


class ClaimRequest(NamedTuple):
    """Up to `most` messages that are due. carriers: only theirs; None for those of any."""

    owner: int
    at_ms: int
    most: int
    carriers: tuple[CarrierId, ...] | None = None


class Claimed(NamedTuple):
    """A message taken into memory, with what its submission holds. taken_segments: those a carrier has already.

    media: the files of an MMS, those that have been fetched with their digest. was_scheduled: its time has come.
    """

    account_id: AccountId
    message_id: MessageId
    submission_id: SubmissionId
    recipient: str
    carrier_id: CarrierId
    expires_at_ms: int
    attempts: int
    accepted: int
    channel: Channel
    sender: str
    text: str
    taken_segments: frozenset[int]
    media: tuple[Media, ...] = ()
    traits: Traits = NO_TRAITS
    was_scheduled: bool = False


class Claims(NamedTuple):
    """What was taken into memory; looked: how many were due, of which some may have ended or been put back."""

    messages: list[Claimed]
    looked: int


SUSPENDED_MS = 60_000
"""After so long a scheduled message whose account is suspended at its time is looked at again."""

_TAKE = Statement(
    """
delete from ready where (due_at_ms, account_id, message_id) in
  (select due_at_ms, account_id, message_id from ready where due_at_ms <= ?1 order by due_at_ms limit ?2)
returning account_id, message_id
""",
    returns=True,
    scalars="bigint int",
    postgres="""
delete from ready where ctid = any(array(
  select ctid from ready where due_at_ms <= ?1 order by due_at_ms limit ?2 for update skip locked
))
returning account_id, message_id
""",
)
_TAKE_OF = Statement(
    """
delete from ready where (due_at_ms, account_id, message_id) in
  (select due_at_ms, account_id, message_id from ready
   where due_at_ms <= ?1 and carrier_id in (select * from ({rows}) j) order by due_at_ms limit ?2)
returning account_id, message_id
""",
    returns=True,
    columns="int",
    scalars="bigint int",
    postgres="""
delete from ready where ctid = any(array(
  select r.ctid from ({rows}) j cross join lateral (
    select ctid from ready where carrier_id = j.column1 and due_at_ms <= ?1 order by due_at_ms limit ?2
    for update skip locked
  ) r
))
returning account_id, message_id
""",
)
"""For several processes: of each of these carriers up to so many."""
_SHOW = Statement(
    """
from ({rows}) j cross join {day:message} m cross join submission s
where m.account_id = j.column1 and m.id = j.column2 and m.state in (?1, ?2) and m.owner = 0
  and s.account_id = m.account_id and s.id = m.submission_id
""",
    reads="m.state, m.account_id, m.id, m.submission_id, m.recipient, m.carrier_id, m.expires_at_ms, m.attempts,"
    " m.accepted, s.channel, s.sender, s.text, s.traits{spot:m}",
    answer=tuple[int, int, int, int, str, int, int, int, int, int, str, str, str | None],
    columns="int bigint",
    scalars="int int",
    id_column=2,
    postgres="""
from ({rows}) j cross join lateral (
  select m.*, m.ctid from {day:message} m
  where m.account_id = j.column1 and m.id = j.column2 and m.state in (?1, ?2) and m.owner = 0
  for update
) m
cross join lateral (
  select * from submission s where s.account_id = m.account_id and s.id = m.submission_id{near:s.id} limit 1
) s
""",
)
_OWN = Statement(
    """
update {day:message} set owner = ?1, state = ?2
where (account_id, id) in (select * from ({rows}) j) and state in (?2, ?3) and owner = 0
""",
    columns="int bigint",
    scalars="int int int",
    id_column=2,
    postgres=NOTHING,
)
_OWN_AT = Statement(
    "",
    columns="bigint tid",
    scalars="int int",
    id_column=1,
    postgres="""
update {day:message} set owner = ?1, state = ?2 where ctid = any(array(select column2 from ({rows}) j))
""",
)
_LOWER_WATER = Statement(
    """
update owner set low_water_id = ?2 where id = ?1 and low_water_id > ?2
""",
    scalars="int bigint",
)
_SUSPENDED = Statement(
    """
from ({rows}) j cross join account a where a.id = j.column1 and a.is_suspended
""",
    reads="a.id",
    answer=tuple[int],
    columns="int",
)
_OWNED_SENDERS = Statement(
    """
from ({rows}) j cross join number n where n.msisdn in (j.column1, '+' || j.column1)
""",
    reads="ltrim(n.msisdn, '+')",
    answer=tuple[str],
    columns="text",
)
_TAKEN = Statement(
    """
from ({rows}) j cross join {day:attempt} a
where a.account_id = j.column1 and a.message_id = j.column2 and a.carrier_message_id is not null
""",
    reads="a.message_id, a.segment",
    answer=tuple[MessageId, int],
    columns="int bigint",
    id_column=2,
    postgres="""
from ({rows}) j cross join lateral (
  select * from {day:attempt} where account_id = j.column1 and message_id = j.column2 offset 0
) a
where a.carrier_message_id is not null
""",
)
_MEDIA = Statement(
    """
from ({rows}) j cross join submission_media s left join media m on m.digest = s.digest
where s.account_id = j.column1 and s.submission_id = j.column2
order by s.account_id, s.submission_id, s.position
""",
    reads="s.account_id, s.submission_id, s.url, m.digest, m.content_type, m.octets",
    columns="int bigint",
)


def _claim(requests: list[ClaimRequest]) -> Script[list[Claims]]:
    claims: list[Claims] = []
    for request in requests:
        claims += [(yield from _claim_one(request))]
    return claims


def _claim_one(request: ClaimRequest) -> Script[Claims]:
    if request.carriers is None:
        due = yield _TAKE.alone(request.at_ms, request.most)
    else:
        rows = [(carrier_id,) for carrier_id in request.carriers]
        due = yield _TAKE_OF.about(rows, request.at_ms, request.most)
    if not due:
        return Claims([], 0)
    queued, scheduled = int(MessageState.QUEUED), int(MessageState.SCHEDULED)
    shown = sorted((yield _SHOW.about(sorted(due), queued, scheduled)), key=lambda row: row[1:3])
    if any(row[0] == scheduled for row in shown):
        shown = yield from _allowed(shown, request.at_ms)
        yield from _converse(shown, request.at_ms)
    if shown:
        if len(shown[0]) > _SHOWN:
            yield _OWN_AT.about([(row[2], row[_SHOWN]) for row in shown], request.owner, queued)
        else:
            yield _OWN.about([row[1:3] for row in shown], request.owner, queued, scheduled)
        # Claimed messages may be old: whoever recovers this owner must look that far back.
        yield _LOWER_WATER.alone(request.owner, min(row[2] for row in shown))
    return Claims((yield from _claimed(shown)), len(due))


_Shown = tuple[Any, ...]
_SHOWN = 13
"""Columns of a row that is shown; behind them, on PostgreSQL, its spot."""


def _allowed(shown: list[_Shown], at_ms: int) -> Script[list[_Shown]]:
    """Those that may leave now. What a suspended account had scheduled is put back, until its validity has passed."""
    accounts = {(row[1],) for row in shown if row[0] == MessageState.SCHEDULED}
    suspended = {account_id for (account_id,) in (yield _SUSPENDED.about(list(accounts)))}
    stays = {row[1:3] for row in shown if row[0] == MessageState.SCHEDULED and row[1] in suspended and row[6] > at_ms}
    carriers = {row[1:3]: row[5] for row in shown}
    yield WAIT.about([(at_ms + SUSPENDED_MS, *key, carriers[key]) for key in stays])
    return [row for row in shown if row[1:3] not in stays] if stays else shown


def _converse(shown: list[_Shown], at_ms: int) -> Script[None]:
    """Now their recipients are written to, and may answer (see `core.replies.may_be_answered`)."""
    pairs = {(row[10], row[4][1:]): row[1] for row in shown if row[0] == MessageState.SCHEDULED and row[10].isdigit()}
    if pairs:
        senders = [(sender,) for sender in {sender for sender, _ in pairs}]
        owned = {digits for (digits,) in (yield _OWNED_SENDERS.about(senders))}
        talks = [(*pair, account_id, at_ms) for pair, account_id in pairs.items() if may_be_answered(pair[0], owned)]
        yield CONVERSE.about(talks)


def _claimed(shown: list[_Shown]) -> Script[list[Claimed]]:
    taken = yield from _taken([row[1:3] for row in shown if row[8]])
    media = yield from _media({(row[1], row[3]) for row in shown if row[9] == Channel.MMS})
    return [
        Claimed._make((
            *row[1:9], Channel(row[9]), row[10], row[11], taken.get(row[2], _NONE),
            media.get((row[1], row[3]), ()), traits.read(row[12]), row[0] == MessageState.SCHEDULED,
        ))
        for row in shown
    ]  # fmt: skip


_NONE: frozenset[int] = frozenset()


def _taken(keys: Sequence[tuple[int, int]]) -> Script[dict[int, frozenset[int]]]:
    """Which segments of messages a carrier has."""
    taken: dict[int, frozenset[int]] = {}
    for message_id, segment in (yield _TAKEN.about(keys)):
        taken[message_id] = taken.get(message_id, _NONE) | {segment}
    return taken


def _media(submissions: set[tuple[int, int]]) -> Script[dict[tuple[int, int], tuple[Media, ...]]]:
    """The files of submissions; only those of MMS are asked about."""
    found: dict[tuple[int, int], tuple[Media, ...]] = {}
    for account_id, submission_id, url, digest, content_type, octets in (yield _MEDIA.about(list(submissions))):
        place = (account_id, submission_id)
        found[place] = (*found.get(place, ()), Media(url, digest or "", content_type or "", octets or 0))
    return found


CLAIM: Hop[ClaimRequest, Claims] = Hop("claim", lambda request: request.most, _claim)


class RecoverRequest(NamedTuple):
    """One page of an account's messages from an id on whose owner is dead, who become `owner`'s or nobody's.

    dead: the one, or None for everybody but `owner`.
    """

    owner: int
    account_id: AccountId
    above: int
    at_ms: int
    most: int
    dead: int | None = None


class InDoubt(NamedTuple):
    """A message that was being submitted when its owner ended."""

    account_id: AccountId
    message_id: MessageId
    recipient: str
    carrier_id: CarrierId
    segments: int
    session_id: int
    sender: str
    taken_segments: frozenset[int]


class Recovered(NamedTuple):
    """A page: messages in doubt, how many others were put back, and the id to go on from (None at the end)."""

    in_doubt: list[InDoubt]
    put_back: int
    go_on: int | None


_ORPHANS = Statement(
    """
from message
where account_id = ?1 and id > ?2 and owner not in (0, ?3) and state in (?4, ?5) order by id limit ?6
""",
    reads="id, state, carrier_id",
    scalars="int bigint int int int int",
)
_ORPHANS_OF = Statement(
    """
from message
where account_id = ?1 and id > ?2 and owner = ?3 and state in (?4, ?5) order by id limit ?6
""",
    reads="id, state, carrier_id",
    locks="message",
    scalars="int bigint int int int int",
)
_PUT_BACK = Statement(
    """
update {day:message} set owner = 0 where (account_id, id) in (select * from ({rows}) j) and state = ?1
""",
    columns="int bigint",
    scalars="int",
    id_column=2,
)
_ADOPT = Statement(
    """
update {day:message} set owner = ?1 where (account_id, id) in (select * from ({rows}) j)
""",
    columns="int bigint",
    scalars="int",
    id_column=2,
)
_IN_DOUBT = Statement(
    """
from ({rows}) j cross join {day:message} m cross join submission s
where m.account_id = j.column1 and m.id = j.column2
  and s.account_id = m.account_id and s.id = m.submission_id
""",
    reads="m.account_id, m.id, m.recipient, m.carrier_id, m.segments, coalesce(m.session, 0), s.sender",
    answer=tuple[AccountId, MessageId, str, CarrierId, int, int, str],
    columns="int bigint",
    id_column=2,
    postgres="""
from ({rows}) j cross join {day:message} m
cross join lateral (
  select * from submission s where s.account_id = m.account_id and s.id = m.submission_id{near:s.id} limit 1
) s
where m.account_id = j.column1 and m.id = j.column2
""",
)


def _recover(requests: list[RecoverRequest]) -> Script[list[Recovered]]:
    pages: list[Recovered] = []
    for request in requests:
        pages += [(yield from _recover_page(request))]
    return pages


def _recover_page(request: RecoverRequest) -> Script[Recovered]:
    account_id = request.account_id
    queued, submitting = int(MessageState.QUEUED), int(MessageState.SUBMITTING)
    statement, whose = (_ORPHANS, request.owner) if request.dead is None else (_ORPHANS_OF, request.dead)
    orphans = yield statement.alone(account_id, request.above, whose, queued, submitting, request.most)
    waiting = [(account_id, message_id) for message_id, state, _ in orphans if state == queued]
    doubted = [(account_id, message_id) for message_id, state, _ in orphans if state == submitting]
    yield _PUT_BACK.about(waiting, queued)
    yield WAIT.about([(request.at_ms, account_id, row[0], row[2]) for row in orphans if row[1] == queued])
    yield _ADOPT.about(doubted, request.owner)
    if doubted:
        # They may be old: whoever recovers this owner in its turn must look that far back.
        yield _LOWER_WATER.alone(request.owner, doubted[0][1])
    taken = yield from _taken(doubted)
    in_doubt = [InDoubt._make((*row[:7], taken.get(row[1], _NONE))) for row in (yield _IN_DOUBT.about(doubted))]
    return Recovered(in_doubt, len(waiting), orphans[-1][0] if len(orphans) == request.most else None)


RECOVER: Hop[RecoverRequest, Recovered] = Hop("recover", lambda request: request.most, _recover)


class ReleaseRequest(NamedTuple):
    """Messages of `owner` that other processes shall have, with the carrier that each of them waits for."""

    owner: int
    messages: list[tuple[AccountId, MessageId, CarrierId]]
    at_ms: int


_RELEASE = Statement(
    """
update {day:message} set owner = 0, carrier_id = (
  select j.column3 from ({rows}) j where j.column1 = account_id and j.column2 = id)
where (account_id, id) in (select column1, column2 from ({rows}) k) and state = ?1 and owner = ?2
returning account_id, id, carrier_id
""",
    returns=True,
    columns="int bigint int",
    scalars="int int",
    id_column=2,
    postgres="""
update {day:message} m set owner = 0, carrier_id = j.column3
from ({rows}) j
where m.account_id = j.column1 and m.id = j.column2 and m.state = ?1 and m.owner = ?2
returning m.account_id, m.id, m.carrier_id
""",
)


def _release(requests: list[ReleaseRequest]) -> Script[list[None]]:
    for request in requests:
        released = yield _RELEASE.about(request.messages, int(MessageState.QUEUED), request.owner)
        yield WAIT.about([(request.at_ms, *row) for row in released])
    return [None] * len(requests)


RELEASE: Hop[ReleaseRequest, None] = Hop("release", lambda request: len(request.messages), _release)
