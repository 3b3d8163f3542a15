"""Claim: take messages that nobody holds in memory; recover: find those whose owner is gone.

Owner 0 means that a queued or scheduled message stands in `ready`; any other owner that it is in that process's memory.
A scheduled one is queued by the claim at its time, unless its account is suspended then: it waits for the account.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import NO_TRAITS, Channel, Media, Traits
from heliograph.core.replies import may_be_answered
from heliograph.core.states import MessageState
from heliograph.store import traits
from heliograph.store.hop import Hop
from heliograph.store.hops.conversation import CONVERSE
from heliograph.store.hops.ready import WAIT
from heliograph.store.hops.rows import one, rows


class ClaimRequest(NamedTuple):
    """Up to `most` messages that are due."""

    owner: int
    at_ms: int
    most: int


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

_TAKE = """
delete from ready where (due_at_ms, account_id, message_id) in
  (select due_at_ms, account_id, message_id from ready where due_at_ms <= ? order by due_at_ms limit ?)
returning account_id, message_id
"""
_SHOW = """
select json_group_array(json_array(m.state, m.account_id, m.id, m.submission_id, m.recipient, m.carrier_id,
                                   m.expires_at_ms, m.attempts, m.accepted, s.channel, s.sender, s.text, s.traits))
from json_each(?1) j
cross join message m on m.account_id = j.value->>0 and m.id = j.value->>1
cross join submission s on s.account_id = m.account_id and s.id = m.submission_id
where m.state in (?2, ?3) and m.owner = 0
"""
_shown = msgspec.json.Decoder(
    list[tuple[int, int, int, int, str, int, int, int, int, int, str, str, str | None]]
).decode
_OWN = """
update message set owner = ?2, state = ?3
from (select value->>0 as account_id, value->>1 as id from json_each(?1)) as due
where message.account_id = due.account_id and message.id = due.id and message.state in (?3, ?4) and message.owner = 0
"""
_LOWER_WATER = """
update owner set low_water_id = ?2 where id = ?1 and low_water_id > ?2
"""
_SUSPENDED = """
select id from account where is_suspended
"""
_OWNED_SENDERS = """
select ltrim(msisdn, '+') from number
where msisdn in (select value from json_each(?1) union all select '+' || value from json_each(?1))
"""
_TAKEN = """
select a.message_id, a.segment from json_each(?) j
cross join attempt a on a.account_id = j.value->>0 and a.message_id = j.value->>1 and a.carrier_message_id is not null
"""
_MEDIA = """
select s.account_id, s.submission_id, s.url, m.digest, m.content_type, m.octets from json_each(?) j
cross join submission_media s on s.account_id = j.value->>0 and s.submission_id = j.value->>1
left join media m on m.digest = s.digest
order by s.account_id, s.submission_id, s.position
"""


def _claim(connection: sqlite3.Connection, requests: list[ClaimRequest]) -> list[Claims]:
    return [_claim_one(connection, request) for request in requests]


def _claim_one(connection: sqlite3.Connection, request: ClaimRequest) -> Claims:
    due = connection.execute(_TAKE, (request.at_ms, request.most)).fetchall()
    if not due:
        return Claims([], 0)
    queued, scheduled = int(MessageState.QUEUED), int(MessageState.SCHEDULED)
    shown = sorted(_shown(one(connection, _SHOW, rows(due), queued, scheduled)), key=lambda row: row[1:3])
    if any(row[0] == scheduled for row in shown):
        shown = _allowed(connection, shown, request.at_ms)
        _converse(connection, shown, request.at_ms)
    if shown:
        connection.execute(_OWN, (rows([row[1:3] for row in shown]), request.owner, queued, scheduled))
        # Claimed messages may be old: whoever recovers this owner must look that far back.
        connection.execute(_LOWER_WATER, (request.owner, min(row[2] for row in shown)))
    return Claims(_claimed(connection, shown), len(due))


_Shown = tuple[int, int, int, int, str, int, int, int, int, int, str, str, str | None]


def _allowed(connection: sqlite3.Connection, shown: list[_Shown], at_ms: int) -> list[_Shown]:
    """Those that may leave now. What a suspended account had scheduled is put back, until its validity has passed."""
    suspended = {row[0] for row in connection.execute(_SUSPENDED)}
    stays = {row[1:3] for row in shown if row[0] == MessageState.SCHEDULED and row[1] in suspended and row[6] > at_ms}
    WAIT.run(connection, [(at_ms + SUSPENDED_MS, *key) for key in stays])
    return [row for row in shown if row[1:3] not in stays] if stays else shown


def _converse(connection: sqlite3.Connection, shown: list[_Shown], at_ms: int) -> None:
    """Now their recipients are written to, and may answer (see `core.replies.may_be_answered`)."""
    pairs = {(row[10], row[4][1:]): row[1] for row in shown if row[0] == MessageState.SCHEDULED and row[10].isdigit()}
    if pairs:
        owned = {row[0] for row in connection.execute(_OWNED_SENDERS, (rows({sender for sender, _ in pairs}),))}
        talks = [(*pair, account_id, at_ms) for pair, account_id in pairs.items() if may_be_answered(pair[0], owned)]
        CONVERSE.run(connection, talks)


def _claimed(connection: sqlite3.Connection, shown: list[_Shown]) -> list[Claimed]:
    partly = [row[1:3] for row in shown if row[8]]
    taken: dict[int, set[int]] = {}
    for message_id, segment in connection.execute(_TAKEN, (rows(partly),)) if partly else ():
        taken.setdefault(message_id, set()).add(segment)
    media = _media(connection, {(row[1], row[3]) for row in shown if row[9] == Channel.MMS})
    return [
        Claimed._make((
            *row[1:9], Channel(row[9]), row[10], row[11], frozenset(taken.get(row[2], ())),
            media.get((row[1], row[3]), ()), traits.read(row[12]), row[0] == MessageState.SCHEDULED,
        ))
        for row in shown
    ]  # fmt: skip


def _media(
    connection: sqlite3.Connection, submissions: set[tuple[int, int]]
) -> dict[tuple[int, int], tuple[Media, ...]]:
    """The files of submissions; only those of MMS are asked about."""
    found: dict[tuple[int, int], tuple[Media, ...]] = {}
    for account_id, submission_id, url, digest, content_type, octets in (
        connection.execute(_MEDIA, (rows(list(submissions)),)) if submissions else ()
    ):
        place = (account_id, submission_id)
        found[place] = (*found.get(place, ()), Media(url, digest or "", content_type or "", octets or 0))
    return found


CLAIM: Hop[ClaimRequest, Claims] = Hop("claim", lambda request: request.most, _claim)


class RecoverRequest(NamedTuple):
    """One page of an account's messages from an id on whose owners are not `owner`."""

    owner: int
    account_id: AccountId
    above: int
    at_ms: int
    most: int


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


_ORPHANS = """
select id, state from message
where account_id = ?1 and id > ?2 and owner not in (0, ?3) and state in (?4, ?5) order by id limit ?6
"""
_PUT_BACK = """
update message set owner = 0 where account_id = ?1 and id in (select value from json_each(?2)) and state = ?3
"""
_ADOPT = """
update message set owner = ?3 where account_id = ?1 and id in (select value from json_each(?2))
"""
_READY = """
insert into ready(due_at_ms, account_id, message_id) select ?3, ?1, value from json_each(?2) where true
on conflict do nothing
"""
_IN_DOUBT = """
select m.account_id, m.id, m.recipient, m.carrier_id, m.segments, coalesce(m.session, 0), s.sender
from json_each(?2) j
cross join message m on m.account_id = ?1 and m.id = j.value
cross join submission s on s.account_id = m.account_id and s.id = m.submission_id
"""


def _recover(connection: sqlite3.Connection, requests: list[RecoverRequest]) -> list[Recovered]:
    return [_recover_page(connection, request) for request in requests]


def _recover_page(connection: sqlite3.Connection, request: RecoverRequest) -> Recovered:
    account_id = request.account_id
    queued, submitting = MessageState.QUEUED, MessageState.SUBMITTING
    orphans = connection.execute(
        _ORPHANS, (account_id, request.above, request.owner, queued, submitting, request.most)
    ).fetchall()
    waiting = [identifier for identifier, state in orphans if state == queued]
    doubted = [identifier for identifier, state in orphans if state == submitting]
    if waiting:
        connection.execute(_PUT_BACK, (account_id, rows(waiting), queued))
        connection.execute(_READY, (account_id, rows(waiting), request.at_ms))
    in_doubt: list[InDoubt] = []
    if doubted:
        connection.execute(_ADOPT, (account_id, rows(doubted), request.owner))
        taken: dict[int, set[int]] = {}
        for message_id, segment in connection.execute(_TAKEN, (rows([(account_id, each) for each in doubted]),)):
            taken.setdefault(message_id, set()).add(segment)
        in_doubt = [
            InDoubt._make((*row[:7], frozenset(taken.get(row[1], ()))))
            for row in connection.execute(_IN_DOUBT, (account_id, rows(doubted)))
        ]
    return Recovered(in_doubt, len(waiting), orphans[-1][0] if len(orphans) == request.most else None)


RECOVER: Hop[RecoverRequest, Recovered] = Hop("recover", lambda request: request.most, _recover)
