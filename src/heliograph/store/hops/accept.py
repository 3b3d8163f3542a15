"""Accept: idempotency record, credit, submission and messages of each request, all or none of them.

Requests of a batch are decided in order, so that credit is never given twice; the rows of those that may pass
are written together.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.ledger import PostingKind
from heliograph.core.messages import IdempotencyKey
from heliograph.core.states import Charge, MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.money import move
from heliograph.store.hops.ready import WAIT
from heliograph.store.hops.rows import Batched, one, rows


class NewMessage(NamedTuple):
    """The row of a message that is about to be accepted."""

    account_id: AccountId
    message_id: MessageId
    submission_id: SubmissionId
    recipient: str
    segments: int
    carrier_id: CarrierId
    price: int
    expires_at_ms: int
    reference: str | None
    owner: int


class AcceptRequest(NamedTuple):
    """Everything one submission writes. owner 0 in the messages: nobody takes them into memory.

    answer: what an idempotent repetition is told. talks: recipients may answer to this sender, and it is nobody's own.
    media: addresses of the files that go with it, in order.
    """

    account_id: AccountId
    submission_id: SubmissionId
    dialect: str
    channel: int
    sender: str
    text: str
    cost: int
    messages: list[NewMessage]
    at_ms: int
    waits: bool
    idempotency: IdempotencyKey | None = None
    answer: str = ""
    talks: bool = False
    media: tuple[str, ...] = ()


class Stored(NamedTuple):
    """Committed. available: the account's credits left, in micro-credits."""

    available: int


class NotEnough(NamedTuple):
    """The account's credits do not cover the submission."""

    available: int


class Replay(NamedTuple):
    """The key was used before for the same body: the answer given then."""

    answer: str
    available: int


class KeyReused(NamedTuple):
    """The key was used before for another body."""


AcceptResult = Stored | NotEnough | Replay | KeyReused

_BALANCES = """
select json_group_array(json_array(account_id, available)) from balance
where account_id in (select value from json_each(?))
"""
_balances = msgspec.json.Decoder(list[tuple[int, int]]).decode
_ANSWERS = """
select i.account_id, i.name, i.body_digest, i.answer, i.available
from json_each(?) j join idempotency i on i.account_id = j.value->>0 and i.name = j.value->>1
"""
_SUBMISSIONS = Batched(
    """
insert into submission(account_id, id, dialect, channel, sender, text)
select * from ({rows}) where column1 is not null
""",
    columns=6,
)
_MESSAGES = Batched(
    """
insert into message(account_id, id, submission_id, recipient, segments, carrier_id, price, expires_at_ms, reference,
                    owner, state, charge)
select *, ?1, ?2 from ({rows}) where column1 is not null
""",
    columns=10,
    scalars=2,
)
_MEDIA = Batched(
    """
insert into submission_media(account_id, submission_id, position, url)
select * from ({rows}) where column1 is not null
""",
    columns=4,
)
_KEYS = Batched(
    """
insert into idempotency(account_id, name, body_digest, answer, available, at_ms)
select * from ({rows}) where column1 is not null
""",
    columns=6,
)
_CONVERSATIONS = Batched(
    """
insert into conversation(sender, recipient, account_id, at_ms)
select * from ({rows}) where column1 is not null
on conflict do update set account_id = excluded.account_id, at_ms = excluded.at_ms
  where excluded.at_ms >= conversation.at_ms
""",
    columns=4,
)


def _sqlite(connection: sqlite3.Connection, requests: list[AcceptRequest]) -> list[AcceptResult]:
    accounts = {request.account_id for request in requests}
    available = dict(_balances(one(connection, _BALANCES, rows(list(accounts)))))
    answers = _answers(connection, requests)
    held: dict[tuple[AccountId, PostingKind], int] = {}
    passed: list[AcceptRequest] = []
    results: list[AcceptResult] = []
    for request in requests:
        result = _decide(request, available.get(request.account_id, 0), answers)
        results.append(result)
        if isinstance(result, Stored):
            passed.append(request)
            available[request.account_id] = result.available
            if request.cost:
                place = (request.account_id, PostingKind.HOLD)
                held[place] = held.get(place, 0) + request.cost
            if request.idempotency is not None:
                name, digest = request.idempotency
                answers[request.account_id, name] = (digest, request.answer, result.available)
    _write(connection, passed, results)
    move(connection, held, requests[-1].at_ms)
    return results


def _answers(
    connection: sqlite3.Connection, requests: list[AcceptRequest]
) -> dict[tuple[int, str], tuple[str, str, int]]:
    keys = [(request.account_id, request.idempotency.key) for request in requests if request.idempotency is not None]
    if not keys:
        return {}
    found = connection.execute(_ANSWERS, (rows(keys),)).fetchall()
    return {(account_id, name): (digest, answer, left) for account_id, name, digest, answer, left in found}


def _decide(
    request: AcceptRequest, available: int, answers: dict[tuple[int, str], tuple[str, str, int]]
) -> AcceptResult:
    if request.idempotency is not None:
        known = answers.get((request.account_id, request.idempotency.key))
        if known is not None:
            digest, answer, left = known
            return Replay(answer, left) if digest == request.idempotency.body_digest else KeyReused()
    if request.cost > available:
        return NotEnough(available)
    return Stored(available - request.cost)


def _write(connection: sqlite3.Connection, passed: list[AcceptRequest], results: list[AcceptResult]) -> None:
    submissions = [request for request in passed if request.messages]
    _SUBMISSIONS.run(
        connection,
        [
            (
                request.account_id,
                request.submission_id,
                request.dialect,
                int(request.channel),
                request.sender,
                request.text,
            )
            for request in submissions
        ],
    )
    messages = [message for request in submissions for message in request.messages]
    _MESSAGES.run(connection, messages, int(MessageState.QUEUED), int(Charge.HELD))
    media = [
        (request.account_id, request.submission_id, position, url)
        for request in submissions
        for position, url in enumerate(request.media)
    ]
    _MEDIA.run(connection, media)
    waiting = [
        (request.at_ms, request.account_id, message.message_id)
        for request in submissions
        if request.waits
        for message in request.messages
    ]
    WAIT.run(connection, waiting)
    talks = {
        (request.sender, message.recipient[1:]): (request.account_id, request.at_ms)
        for request in submissions
        if request.talks
        for message in request.messages
    }
    _CONVERSATIONS.run(connection, [(*pair, *last) for pair, last in talks.items()])
    left = [result.available for result in results if isinstance(result, Stored)]
    keys = [
        (request.account_id, *request.idempotency, request.answer, available, request.at_ms)
        for request, available in zip(passed, left, strict=True)
        if request.idempotency is not None
    ]
    _KEYS.run(connection, keys)


ACCEPT: Hop[AcceptRequest, AcceptResult] = Hop("accept", lambda request: len(request.messages) + 1, _sqlite)
