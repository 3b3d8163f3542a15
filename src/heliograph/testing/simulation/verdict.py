"""What must be so when everything has come to rest, by the store's rows and by what was seen from outside."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator

from heliograph.core.directory import Policy
from heliograph.core.ids import CarrierId
from heliograph.core.receipts import match_key
from heliograph.core.settling import OutcomeKind
from heliograph.core.states import MessageState
from heliograph.dialects.touchbasepro.translate import PUSHED
from heliograph.testing.simulation.ground import Ground
from heliograph.testing.simulation.witness import Witness

MOST = 5
_REPORTED = (MessageState.DELIVERED, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.REJECTED)


async def broken(ground: Ground, witness: Witness, policies: dict[CarrierId, Policy]) -> AsyncIterator[str]:
    """One sentence for each promise that is broken, with examples."""
    for findings in (
        _lost(ground, witness), _sent_twice(ground, witness, policies), _receipts_lost(ground, witness),
        _untold(ground, witness),
    ):  # fmt: skip
        async for finding in findings:
            yield finding


def _some(things: list[str]) -> str:
    return f"{len(things)}: {', '.join(things[:MOST])}"


async def _lost(ground: Ground, witness: Witness) -> AsyncIterator[str]:
    known = {message_id: (account_id, recipient) for account_id, message_id, recipient in await ground.rows(
        "select account_id, id, recipient from message"
    )}  # fmt: skip
    lost = [recipient for message_id, (_, recipient) in witness.accepted.items() if message_id not in known]
    if lost:
        yield f"accepted and not in the store {_some(lost)}"
    counts = Counter(recipient for _, recipient in known.values())
    if doubled := [recipient for recipient, count in counts.items() if count > 1]:
        yield f"accepted twice for one request {_some(doubled)}"
    if strange := [recipient for recipient in counts if recipient not in witness.tried]:
        yield f"nobody wrote to {_some(strange)}"
    if endless := [row[0] for row in await ground.rows("select recipient from message where state < 10")]:
        yield f"never came to an end {_some(endless)}"
    if charged := [row[0] for row in await ground.rows("select recipient from message where charge = 1")]:
        yield f"ended and still hold credits {_some(charged)}"


async def _sent_twice(ground: Ground, witness: Witness, policies: dict[CarrierId, Policy]) -> AsyncIterator[str]:
    taken: dict[tuple[int, int, int], int] = {}
    for *segment, at_ms in await ground.rows(
        "select account_id, message_id, segment, min(at_ms) from attempt where outcome = ? group by 1, 2, 3",
        int(OutcomeKind.SUBMITTED),
    ):
        taken[segment[0], segment[1], segment[2]] = at_ms
    numbers = {row[0]: row[1] for row in await ground.rows("select id, recipient from message")}
    excess, held, needless = 0, [], []
    for segment, copies in witness.copies.items():
        recipient = numbers.get(segment[1], str(segment))
        excess += len(copies) - 1
        by_carrier = Counter(copy.carrier_id for copy in copies)
        held += [recipient for carrier_id, count in by_carrier.items()
                 if count > 1 and policies[carrier_id] is Policy.HOLD]  # fmt: skip
        written = {copy.written for copy in copies[:-1]} & await _ids_of(ground, segment) if len(copies) > 1 else set()
        if written:
            needless.append(recipient)
    if held:
        yield f"sent twice by a carrier that holds its doubts {_some(held)}"
    if needless:
        yield f"sent again although the answer was stored {_some(needless)}"
    if excess > witness.excess:
        yield f"sent twice {excess}, and {witness.excess} are allowed"


async def _ids_of(ground: Ground, segment: tuple[int, int, int]) -> set[str]:
    """Ids that carriers gave a segment, as far as we stored them."""
    rows = await ground.rows(
        "select carrier_message_id from attempt where account_id = ? and message_id = ? and segment = ? "
        "and carrier_message_id is not null",
        *segment,
    )
    return {row[0] for row in rows}


async def _receipts_lost(ground: Ground, witness: Witness) -> AsyncIterator[str]:
    """A message all of whose stored segments have acknowledged receipts must have come to the end they told of."""
    reported: dict[tuple[int, int], list[set[MessageState]]] = defaultdict(list)
    for account_id, message_id, carrier_id, written in await ground.rows(
        "select account_id, message_id, carrier_id, carrier_message_id from attempt "
        "where carrier_message_id is not null"
    ):
        key = (CarrierId(carrier_id), match_key(written, is_hex=False))
        reported[account_id, message_id].append(witness.receipts.get(key, set()))
    lost = []
    for account_id, message_id, segments, number, recipient in await ground.rows(
        "select account_id, id, segments, state, recipient from message where state in (16, 12)"
    ):
        receipts = reported.get((account_id, message_id), [])
        ends = set().union(*receipts)
        if len(receipts) >= segments and all(receipts) and MessageState(number) not in ends:
            lost.append(recipient)
    if lost:
        yield f"receipts were acknowledged and had no effect {_some(lost)}"


async def _untold(ground: Ground, witness: Witness) -> AsyncIterator[str]:
    untold = []
    for recipient, state in await ground.rows("select recipient, state from message where state >= 10"):
        if PUSHED[MessageState(state)] not in witness.told.get(recipient, ()):
            untold.append(recipient)
    if untold:
        yield f"came to an end that no webhook was told of {_some(untold)}"
    if silent := sorted(witness.replies - set(witness.replies_told)):
        yield f"replies were acknowledged and no webhook was told of them {_some(silent)}"
