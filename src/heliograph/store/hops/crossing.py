"""How hot work crosses to the process that writes, and what came of it crosses back: as plain values.

Plain tuples, numbers and texts are written and read by `marshal` in a fraction of a microsecond each; named tuples
would be pickled one by one. What is rare is pickled all the same. Both ends are this program on this machine.
"""

import pickle
from typing import Any

from heliograph.core.events import Audience, Event, Told
from heliograph.core.messages import IdempotencyKey, Overtaken
from heliograph.core.receipts import Receipt
from heliograph.core.settling import OutcomeKind, ReceiptFact, SegmentFact, Settled
from heliograph.core.standing import Taken
from heliograph.core.states import MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.accept import (
    ACCEPT,
    AcceptRequest,
    AcceptResult,
    KeyReused,
    NewBody,
    NewMessage,
    NotEnough,
    Replay,
    Stored,
)
from heliograph.store.hops.claim import CLAIM, RECOVER, RELEASE
from heliograph.store.hops.incoming import GIVE_UP, TAKE_IN, GiveUp, TakeIn
from heliograph.store.hops.mark import MARK, MarkRequest
from heliograph.store.hops.media import FETCHED, KEEP
from heliograph.store.hops.notify import GROUP, TRIED
from heliograph.store.hops.settle import SETTLE, SettleRequest
from heliograph.store.hops.stages import StageMove

HOPS: dict[str, Hop[Any, Any]] = {
    hop.name: hop
    for hop in (ACCEPT, MARK, SETTLE, GROUP, TRIED, CLAIM, RECOVER, RELEASE, TAKE_IN, GIVE_UP, KEEP, FETCHED)
}
"""Everything that the writer does, by name."""

_STATES = {int(state): state for state in MessageState}
_OUTCOMES = {int(kind): kind for kind in OutcomeKind}


class Pickled:
    """The way of what is rare. Both ends of a way are one class, for it may remember what it sent before."""

    def pack(self, request: Any) -> Any:
        """A request as plain values."""
        return pickle.dumps(request, pickle.HIGHEST_PROTOCOL)

    def unpack(self, packed: Any) -> Any:
        """The request again, at the other end."""
        return pickle.loads(packed)

    def pack_result(self, result: Any) -> Any:
        """What came of it as plain values."""
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)

    def unpack_result(self, packed: Any) -> Any:
        """What came of it, back at the first end."""
        return pickle.loads(packed)


class Accepting(Pickled):
    """Submissions and verdicts."""

    _RESULTS = (Stored, NotEnough, Replay, KeyReused, Overtaken)

    def pack(self, request: AcceptRequest) -> Any:
        """As a tuple."""
        account_id, bodies, dialect, channel, sender, cost, messages, at_ms, waits, key, *rest, stage = request
        return (
            account_id, [tuple(body) for body in bodies], dialect, int(channel), sender, cost,
            [tuple(message) for message in messages], at_ms, waits, key and tuple(key), *rest, stage and tuple(stage),
        )  # fmt: skip

    def unpack(self, packed: Any) -> AcceptRequest:
        """As a request."""
        account_id, bodies, dialect, channel, sender, cost, messages, at_ms, waits, key, *rest, stage = packed
        return AcceptRequest._make((
            account_id, list(map(NewBody._make, bodies)), dialect, channel, sender, cost,
            list(map(NewMessage._make, messages)), at_ms, waits, key and IdempotencyKey._make(key),
            *rest, stage and StageMove._make(stage),
        ))  # fmt: skip

    def pack_result(self, result: AcceptResult) -> Any:
        """The kind of verdict and its members."""
        return self._RESULTS.index(type(result)), tuple(result)

    def unpack_result(self, packed: Any) -> AcceptResult:
        """The verdict."""
        kind, members = packed
        return self._RESULTS[kind]._make(members)


class Marking(Pickled):
    """Marks; their result is a set of numbers already."""

    def pack(self, request: MarkRequest) -> Any:
        """As a tuple."""
        return tuple(request)

    def unpack(self, packed: Any) -> MarkRequest:
        """As a request."""
        return MarkRequest._make(packed)

    def pack_result(self, result: Any) -> Any:
        """As it is."""
        return result

    def unpack_result(self, packed: Any) -> Any:
        """As it is."""
        return packed


class Audiences:
    """What the far end knows of who hears of what. Only news cross, and numbers only when a number has changed."""

    def __init__(self) -> None:
        self.known = Audience({})

    def pack(self, audience: Audience) -> bytes | None:
        """What the far end does not know yet; None when it knows all."""
        if audience is self.known:
            return None
        numbers = None if audience.numbers is self.known.numbers else dict(audience.numbers)
        self.known = audience
        return pickle.dumps((audience.of_account, audience.of_name, numbers), pickle.HIGHEST_PROTOCOL)

    def unpack(self, news: bytes | None) -> Audience:
        """The audience in force, at the far end."""
        if news is not None:
            of_account, of_name, numbers = pickle.loads(news)
            self.known = Audience(of_account, of_name, self.known.numbers if numbers is None else numbers)
        return self.known


class Receiving(Pickled):
    """Incoming messages, and those that are given up."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences

    def pack(self, request: TakeIn | GiveUp) -> Any:
        """News of the audience, and everything else."""
        news = self._audiences.pack(request.audience)
        return news, super().pack(request._replace(audience=_NOBODY))

    def unpack(self, packed: Any) -> TakeIn | GiveUp:
        """The request with the audience in force."""
        news, rest = packed
        audience = self._audiences.unpack(news)
        request: TakeIn | GiveUp = super().unpack(rest)
        return request._replace(audience=audience)


class Settling(Pickled):
    """Facts and what they led to."""

    def __init__(self, audiences: Audiences) -> None:
        self._audiences = audiences

    def pack(self, request: SettleRequest) -> Any:
        """News of the audience, and facts as tuples."""
        return self._audiences.pack(request.audience), [_packed(fact) for fact in request.facts]

    def unpack(self, packed: Any) -> SettleRequest:
        """As a request."""
        news, facts = packed
        audience = self._audiences.unpack(news)
        return SettleRequest([_unpacked(fact) for fact in facts], audience)

    def pack_result(self, result: Settled) -> Any:
        """Three lists of plain values."""
        told, entered, states = result
        return (
            [(webhook_id, *event[:2], int(event[2]), *event[3:]) for webhook_id, event in told],
            [int(state) for state in entered],
            {key: int(state) for key, state in states.items()},
        )

    def unpack_result(self, packed: Any) -> Settled:
        """As it was."""
        told, entered, states = packed
        known = _STATES
        return Settled(
            [
                Told(webhook_id, Event(account_id, message_id, known[state], *rest))
                for webhook_id, account_id, message_id, state, *rest in told
            ],
            [known[state] for state in entered],
            {key: known[state] for key, state in states.items()},
        )


_TAKEN = Taken()
_NOBODY = Audience({})


def _packed(fact: SegmentFact | ReceiptFact) -> tuple[Any, ...]:
    """Six members of a receipt, or twelve of a segment's fate, of which the usual one is None."""
    if type(fact) is ReceiptFact:
        carrier_id, (key, state, addresses, error), at_ms = fact
        return carrier_id, key, None if state is None else int(state), addresses, error, at_ms
    assert type(fact) is SegmentFact
    account_id, message_id, segment, change, carrier_id, session_id, kind, *rest = fact
    fate = None if change == _TAKEN else pickle.dumps(change, pickle.HIGHEST_PROTOCOL)
    return account_id, message_id, segment, fate, carrier_id, session_id, int(kind), *rest


def _unpacked(packed: tuple[Any, ...]) -> SegmentFact | ReceiptFact:
    if len(packed) == 6:
        carrier_id, key, state, addresses, error, at_ms = packed
        return ReceiptFact(carrier_id, Receipt(key, _STATES.get(state), addresses, error), at_ms)
    account_id, message_id, segment, fate, carrier_id, session_id, kind, *rest = packed
    change = _TAKEN if fate is None else pickle.loads(fate)
    return SegmentFact(account_id, message_id, segment, change, carrier_id, session_id, _OUTCOMES[kind], *rest)


def ways() -> dict[str, Pickled]:
    """A way for each hop, by name: one set for each end."""
    audiences = Audiences()
    receiving = Receiving(audiences)
    special: dict[str, Pickled] = {
        ACCEPT.name: Accepting(),
        MARK.name: Marking(),
        SETTLE.name: Settling(audiences),
        TAKE_IN.name: receiving,
        GIVE_UP.name: receiving,
    }
    return {name: special.get(name) or Pickled() for name in HOPS}
