"""Accept: idempotency record, credit, submission and messages of each request, all or none of them.

Requests of a batch are decided in order, so that credit is never given twice nor a stage of a broadcast sent twice; the
rows of those that may pass are written together.
"""

from typing import NamedTuple

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.ledger import PostingKind
from heliograph.core.messages import IdempotencyKey, Overtaken
from heliograph.core.states import Charge, MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.conversation import CONVERSE
from heliograph.store.hops.money import moves
from heliograph.store.hops.ready import WAIT
from heliograph.store.hops.stages import Places, StageMove, places_of
from heliograph.store.hops.statements import Script, Statement, Step, together


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


class NewBody(NamedTuple):
    """What some of the messages say: a row of `submission`. traits: its column."""

    submission_id: SubmissionId
    text: str
    traits: str | None = None


class AcceptRequest(NamedTuple):
    """Everything one submission writes. owner 0 in the messages: nobody takes them into memory.
    waits: there are such messages, which stand in `ready`.

    bodies: each of them some message's, unless there are no messages. answer: what an idempotent repetition is told.
    talks: recipients may answer to this sender, and it is nobody's own. media: addresses of the files that go with it,
    in order. send_at_ms: 0 for at once; scheduled messages are nobody's. stage: what it moves.
    """

    account_id: AccountId
    bodies: list[NewBody]
    dialect: str
    channel: int
    sender: str
    cost: int
    messages: list[NewMessage]
    at_ms: int
    waits: bool
    idempotency: IdempotencyKey | None = None
    answer: str = ""
    talks: bool = False
    media: tuple[str, ...] = ()
    send_at_ms: int = 0
    stage: StageMove | None = None


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


AcceptResult = Stored | NotEnough | Replay | KeyReused | Overtaken

_BALANCES = Statement(
    """
from ({rows}) j cross join balance b where b.account_id = j.column1
""",
    reads="b.account_id, b.available",
    answer=tuple[AccountId, int],
    columns="int",
    postgres="""
from ({rows}) j cross join lateral (select * from balance where account_id = j.column1 for update) b
""",
)
_ANSWERS = Statement(
    """
from ({rows}) j cross join idempotency i where i.account_id = j.column1 and i.name = j.column2
""",
    reads="i.account_id, i.name, i.body_digest, i.answer, i.available",
    answer=tuple[AccountId, str, str, str, int],
    columns="int text",
    postgres="""
from ({rows}) j cross join lateral (
  select * from idempotency where account_id = j.column1 and name = j.column2 offset 0
) i
""",
)
_SUBMISSIONS = Statement(
    """
insert into submission(account_id, id, dialect, channel, sender, text, traits)
select * from ({rows}) j where column1 is not null
""",
    columns="int bigint text int text text text",
)
_MESSAGES = Statement(
    """
insert into message(account_id, id, submission_id, recipient, segments, carrier_id, price, expires_at_ms, reference,
                    owner, state, charge)
select j.*, ?1, ?2 from ({rows}) j where column1 is not null
""",
    columns="int bigint bigint text int int bigint bigint text int",
    scalars="int int",
)
_MEDIA = Statement(
    """
insert into submission_media(account_id, submission_id, position, url)
select * from ({rows}) j where column1 is not null
""",
    columns="int bigint int text",
)
_KEYS = Statement(
    """
insert into idempotency(account_id, name, body_digest, answer, available, at_ms)
select * from ({rows}) j where column1 is not null
""",
    columns="int text text text bigint bigint",
)


def _script(requests: list[AcceptRequest]) -> Script[list[AcceptResult]]:
    # First the balances: who has them is alone with these accounts until the commit.
    accounts = sorted({request.account_id for request in requests})
    known = _Known(
        dict((yield _BALANCES.about([(account_id,) for account_id in accounts]))),
        (yield from _answers(requests)),
        (yield from places_of([(each.account_id, each.stage) for each in requests if each.stage is not None])),
    )
    held: dict[tuple[AccountId, PostingKind], int] = {}
    passed: list[AcceptRequest] = []
    results: list[AcceptResult] = []
    for request in requests:
        result = _decide(request, known)
        results.append(result)
        if type(result) is Stored:
            passed.append(request)
            known.available[request.account_id] = result.available
            if request.cost:
                place = (request.account_id, PostingKind.HOLD)
                held[place] = held.get(place, 0) + request.cost
            if request.idempotency is not None:
                name, digest = request.idempotency
                known.answers[request.account_id, name] = (digest, request.answer, result.available)
            if request.stage is not None:
                known.places.move(request.account_id, request.stage)
    yield together([*_rows(passed, results), known.places.moved(), *moves(held, requests[-1].at_ms)])
    return results


class _Known(NamedTuple):
    """What the store says before a batch, and then what the requests that passed have made of it."""

    available: dict[int, int]
    answers: dict[tuple[int, str], tuple[str, str, int]]
    places: Places


def _answers(requests: list[AcceptRequest]) -> Script[dict[tuple[int, str], tuple[str, str, int]]]:
    keys = [(request.account_id, request.idempotency.key) for request in requests if request.idempotency is not None]
    found = yield _ANSWERS.about(keys)
    return {(account_id, name): (digest, answer, left) for account_id, name, digest, answer, left in found}


def _decide(request: AcceptRequest, known: _Known) -> AcceptResult:
    if request.idempotency is not None:
        before = known.answers.get((request.account_id, request.idempotency.key))
        if before is not None:
            digest, answer, left = before
            return Replay(answer, left) if digest == request.idempotency.body_digest else KeyReused()
    if request.stage is not None and not known.places.may_move(request.account_id, request.stage):
        return Overtaken()
    available = known.available.get(request.account_id, 0)
    if request.cost > available:
        return NotEnough(available)
    return Stored(available - request.cost)


def _rows(passed: list[AcceptRequest], results: list[AcceptResult]) -> list[Step]:
    bodies: list[tuple[object, ...]] = []
    queued: list[NewMessage] = []
    scheduled: list[NewMessage] = []
    waiting: list[tuple[int, int, int, int]] = []
    media: list[tuple[object, ...]] = []
    talks: dict[tuple[str, str], tuple[int, int]] = {}
    for request in passed:
        if not request.messages:
            continue
        account_id, sender, channel, send_at_ms = (
            request.account_id,
            request.sender,
            int(request.channel),
            request.send_at_ms,
        )
        for submission_id, text, traits in request.bodies:
            bodies.append((account_id, submission_id, request.dialect, channel, sender, text, traits))
        (scheduled if send_at_ms else queued).extend(request.messages)
        if request.waits:
            due_ms = send_at_ms or request.at_ms
            waiting += [
                (due_ms, account_id, message.message_id, message.carrier_id)
                for message in request.messages
                if not message.owner
            ]
        if request.media:
            media += _media_of(request)
        if request.talks and not send_at_ms:
            last = (account_id, request.at_ms)
            talks.update({(sender, message.recipient[1:]): last for message in request.messages})
    left = [result.available for result in results if type(result) is Stored]
    keys = [
        (request.account_id, *request.idempotency, request.answer, available, request.at_ms)
        for request, available in zip(passed, left, strict=True)
        if request.idempotency is not None
    ]
    return [
        _SUBMISSIONS.about(bodies),
        _MESSAGES.about(queued, int(MessageState.QUEUED), int(Charge.HELD)),
        _MESSAGES.about(scheduled, int(MessageState.SCHEDULED), int(Charge.HELD)),
        _MEDIA.about(media),
        WAIT.about(waiting),
        CONVERSE.about([(*pair, *last) for pair, last in talks.items()]),
        _KEYS.about(keys),
    ]


def _media_of(request: AcceptRequest) -> list[tuple[object, ...]]:
    return [
        (request.account_id, body.submission_id, position, url)
        for body in request.bodies
        for position, url in enumerate(request.media)
    ]


ACCEPT: Hop[AcceptRequest, AcceptResult] = Hop("accept", lambda request: len(request.messages) + 1, _script)
