import re
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from heliograph.core.states import Charge, MessageState
from heliograph.services.accounts import Accounts
from heliograph.services.audit import Audit
from heliograph.store.engine import Store
from heliograph.store.schema import (
    balance,
    doubt,
    incoming_media,
    incoming_segment,
    joining,
    message,
    outbox,
    owner,
    posting,
    ready,
    receipt_map,
    submission,
)
from tests.unit.services.conftest import NOW_MS, Accept, StillClock, Tell

S = MessageState
STRAY = {"account_id": 1, "message_id": 5}
PLACE = {"carrier_id": 1, "sender": "1", "recipient": "2", "reference": 7}
SEGMENT = {**PLACE, "number": 1, "total": 2, "encoding": 0, "body": b"", "session": 1, "received_at_ms": 1}

BROKEN: list[tuple[str, Any]] = [
    ("6 credits are available, and the postings make it 5", update(balance).values(available=6_000_000)),
    ("1 credits are held, and its messages make it 4", update(balance).values(held=1_000_000)),
    ("available, and the postings make it", delete(posting)),
    ("captured, and its messages make it", update(message).values(charge=Charge.CAPTURED)),
    ("ended and still hold credits", update(message).values(state=S.EXPIRED)),
    ("reached the carrier and were not charged", update(message).values(state=S.SUBMITTED)),
    ("without credits held", update(message).values(charge=Charge.RELEASED)),
    ("more segments than they have", update(message).values(accepted=3)),
    (r"in nobody's queue \(lost\)", delete(ready)),
    (r"a process that never was \(lost\)", update(message).values(owner=7)),
    (r"submitted by nobody \(lost\)", update(message).values(state=S.SUBMITTING)),
    (r"below the mark .* \(lost\)", update(message).values(owner=3)),
    ("no segment in doubt", delete(doubt)),
    ("without an event", update(message).values(state=S.CANCELLED, charge=Charge.RELEASED)),
    ("have no submission", delete(submission)),
    ("outbox rows tell of messages", insert(outbox).values(webhook_id=1, state=10, at_ms=1, **STRAY)),
    ("tell of incoming messages", insert(outbox).values(webhook_id=1, state=20, at_ms=1, **STRAY)),
    (r"waited for by nobody \(lost\)", insert(incoming_segment).values(first_at_ms=1, **SEGMENT)),
    ("wait for segments and have none", insert(joining).values(first_at_ms=NOW_MS, **PLACE)),
    ("wait too long for their segments", insert(joining).values(first_at_ms=NOW_MS - 4_200_001, **PLACE)),
    (r"became incoming .* \(lost\)", insert(incoming_segment).values(first_at_ms=1, incoming_id=9, **SEGMENT)),
    ("files belong to incoming", insert(incoming_media).values(account_id=1, incoming_id=9, position=0, digest="d")),
    ("not in the media store", insert(incoming_media).values(account_id=1, incoming_id=9, position=0, digest="d")),
    ("rows of the ready table", insert(ready).values(due_at_ms=1, **STRAY)),
    (
        "belong to messages that are not there",
        insert(receipt_map).values(carrier_id=1, match_key="a", at_ms=1, **STRAY),
    ),
    ("were not settled", insert(receipt_map).values(carrier_id=1, match_key="a", at_ms=1, state=10, **STRAY)),
]


async def _sound(store: Store, clock: StillClock, accept: Accept) -> None:
    """Two accounts; one has a queued and a held message, four credits held and five available."""
    await Accounts(store, clock).add("Stork", amount=1)
    account_id = (await Accounts(store, clock).add("Crane", amount=9_000_000)).account.account_id
    await accept(store, account_id)
    await accept(store, account_id, S.HELD)
    async with store.writing() as connection:
        await connection.execute(insert(owner).values(id=3, node=0, started_at_ms=0, beat_at_ms=0, low_water_id=2**53))


def test_a_sound_store_has_no_findings(tell: Tell, clock: StillClock, accept: Accept) -> None:
    async def story(store: Store) -> None:
        assert await Audit(store, clock).check() == ()
        await _sound(store, clock, accept)
        assert await Audit(store, clock).check() == ()

    tell(story)


@pytest.mark.parametrize(("finding", "damage"), BROKEN, ids=[finding for finding, _ in BROKEN])
def test_what_is_broken_is_found(tell: Tell, clock: StillClock, accept: Accept, finding: str, damage: Any) -> None:
    async def story(store: Store) -> None:
        await _sound(store, clock, accept)
        async with store.writing() as connection:
            await connection.execute(damage)
        findings = await Audit(store, clock).check()
        assert any(re.search(finding, each) for each in findings), findings

    tell(story)


def test_messages_in_a_living_process_are_not_lost(tell: Tell, clock: StillClock, accept: Accept) -> None:
    async def story(store: Store) -> None:
        account_id = (await Accounts(store, clock).add("Crane", amount=9_000_000)).account.account_id
        await accept(store, account_id, waits=False)
        async with store.writing() as connection:
            await connection.execute(
                insert(owner).values(id=3, node=0, started_at_ms=NOW_MS, beat_at_ms=NOW_MS, low_water_id=0)
            )
            await connection.execute(update(message).values(owner=3))
        assert await Audit(store, clock).check() == ()

    tell(story)
