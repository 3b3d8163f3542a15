"""What belongs together and is settled by two processes at once, on a server that both write to."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from heliograph.core.states import MessageState
from heliograph.gsm import segments
from heliograph.store.engine import Hop, ask
from heliograph.store.hops.incoming import TAKE_IN, TakeIn
from heliograph.store.hops.settle import SETTLE, SettleRequest
from heliograph.store.postgres.writer import PostgresWriter
from heliograph.testing.stores import FreshPostgres
from tests.conformance.handsets import Handsets
from tests.conformance.steps import NOBODY, Steps

ROUNDS = 20


@pytest.fixture
def engine(postgres: FreshPostgres) -> FreshPostgres:
    return postgres


@pytest.fixture
def another(engine: FreshPostgres) -> Iterator[PostgresWriter]:
    """The writer of another process."""
    writer = PostgresWriter(engine.store.connect_hot, days=lambda: engine.store.days)
    engine.run(writer.open())
    yield writer
    engine.run(writer.stop(patience_s=10))


def at_once(engine: FreshPostgres, another: PostgresWriter, hop: Hop[Any, Any], requests: tuple[Any, Any]) -> list[Any]:
    async def both() -> list[Any]:
        return await asyncio.gather(
            *(ask(writer, hop, request) for writer, request in zip((engine.writer, another), requests, strict=True))
        )

    return engine.run(both())


def test_an_answer_and_its_receipt_find_each_other(
    engine: FreshPostgres, steps: Steps, another: PostgresWriter
) -> None:
    messages = [steps.leaving() for _ in range(ROUNDS)]
    for number, message in enumerate(messages):
        facts = steps.answer(message, f"a{number}"), steps.receipt(f"a{number}")
        at_once(engine, another, SETTLE, (SettleRequest([facts[0]], NOBODY), SettleRequest([facts[1]], NOBODY)))
    for message in messages:
        assert steps.standing(message).state == MessageState.DELIVERED
        assert steps.events(message) == [MessageState.SUBMITTED, MessageState.DELIVERED]


def test_the_segments_of_one_incoming_message_find_each_other(engine: FreshPostgres, another: PostgresWriter) -> None:
    handsets = Handsets(engine)
    for number in range(ROUNDS):
        encoding, cut = segments.split("long " * 60, reference=number)
        assert len(cut) == 2
        first, second = (handsets.segment(each, encoding) for each in cut)
        taken = at_once(
            engine,
            another,
            TAKE_IN,
            (TakeIn([first], handsets.audience, handsets.live), TakeIn([second], handsets.audience, handsets.live)),
        )
        assert sum(sum(each.messages.values()) for each in taken) == 1
    assert len(engine.rows("select id from incoming")) == ROUNDS
