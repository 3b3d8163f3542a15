"""Stages: a broadcast's place moves with the messages before it, and what was expanded is not expanded again."""

import pytest

from heliograph.core.broadcasts import BroadcastState
from heliograph.core.messages import Overtaken
from heliograph.core.money import CREDIT
from heliograph.store.hops.accept import ACCEPT, AcceptRequest, NotEnough, Stored
from heliograph.store.hops.stages import StageMove
from heliograph.testing.stores import GRANT, FreshStore
from tests.conformance.steps import RECIPIENT, Steps

BROADCAST = 77
START = (0, 0)


@pytest.fixture(autouse=True)
def _broadcast(engine: FreshStore) -> None:
    add_broadcast(engine)


def add_broadcast(engine: FreshStore, number: int = BROADCAST, state: BroadcastState = BroadcastState.RUNNING) -> None:
    engine.execute(
        "insert into broadcast(account_id, id, name, dialect, channel, text, groups, state, reason, created_at_ms)"
        " values (?, ?, 'n', 'd', 1, 't', '[]', ?, 103, 0)",
        engine.account_id,
        number,
        int(state),
    )


def stage(
    steps: Steps, after: tuple[int, int], upto: tuple[int, int], *, count: int = 2, number: int = BROADCAST
) -> AcceptRequest:
    """A stage of which `count` contacts become messages and one does not."""
    return steps.request([RECIPIENT] * count)._replace(stage=StageMove(number, after, upto, count, 1))


def stands(engine: FreshStore, number: int = BROADCAST) -> tuple[object, ...]:
    """Place, counts, state and reason of a broadcast."""
    columns = "group_number, contact_id, accepted, refused, state, reason"
    (row,) = engine.rows(f"select {columns} from broadcast where id = ?", number)
    return row


def test_a_place_moves_with_its_messages(engine: FreshStore, steps: Steps) -> None:
    assert engine.do(ACCEPT, stage(steps, START, (0, 500))) == Stored(GRANT - 2 * CREDIT)
    assert stands(engine) == (0, 500, 2, 1, BroadcastState.RUNNING, 0)
    assert engine.do(ACCEPT, stage(steps, (0, 500), (1, 3), count=1)) == Stored(GRANT - 3 * CREDIT)
    assert stands(engine) == (1, 3, 3, 2, BroadcastState.RUNNING, 0)
    assert steps.count("message") == 3


def test_the_same_stage_again_writes_nothing(engine: FreshStore, steps: Steps) -> None:
    engine.do(ACCEPT, stage(steps, START, (0, 500)))
    assert engine.do(ACCEPT, stage(steps, START, (0, 500))) == Overtaken()
    assert engine.do(ACCEPT, stage(steps, START, (0, 700))) == Overtaken()
    assert stands(engine) == (0, 500, 2, 1, BroadcastState.RUNNING, 0)
    assert (steps.count("message"), steps.count("submission")) == (2, 1)
    assert engine.balance().held == 2 * CREDIT


def test_stages_of_one_batch_follow_each_other(engine: FreshStore, steps: Steps) -> None:
    add_broadcast(engine, 78, BroadcastState.SCHEDULED)
    requests = [
        stage(steps, START, (0, 500)),
        stage(steps, START, (0, 500)),
        stage(steps, START, (0, 9), number=78),
        stage(steps, (0, 500), (0, 900)),
        steps.request([RECIPIENT]),
        stage(steps, (0, 500), (0, 900)),
    ]
    results = engine.together(ACCEPT, requests)
    assert [type(result) for result in results] == [Stored, Overtaken, Stored, Stored, Stored, Overtaken]
    assert stands(engine) == (0, 900, 4, 2, BroadcastState.RUNNING, 0)
    assert stands(engine, 78) == (0, 9, 2, 1, BroadcastState.RUNNING, 0)
    assert steps.count("message") == 7


def test_a_stage_that_credits_do_not_cover_moves_nothing(engine: FreshStore, steps: Steps) -> None:
    request = stage(steps, START, (0, 500))._replace(cost=GRANT + 1)
    assert engine.together(ACCEPT, [request, stage(steps, START, (0, 1))]) == [
        NotEnough(GRANT),
        Stored(GRANT - 2 * CREDIT),
    ]
    assert stands(engine) == (0, 1, 2, 1, BroadcastState.RUNNING, 0)


def test_a_stage_without_messages_moves_all_the_same(engine: FreshStore, steps: Steps) -> None:
    assert engine.do(ACCEPT, stage(steps, START, (0, 500), count=0)) == Stored(GRANT)
    assert stands(engine) == (0, 500, 0, 1, BroadcastState.RUNNING, 0)
    assert steps.count("submission") == 0


def test_a_paused_broadcast_runs_again(engine: FreshStore, steps: Steps) -> None:
    add_broadcast(engine, 78, BroadcastState.PAUSED)
    engine.do(ACCEPT, stage(steps, START, (0, 5), number=78))
    assert stands(engine, 78) == (0, 5, 2, 1, BroadcastState.RUNNING, 0)


@pytest.mark.parametrize("state", [BroadcastState.DONE, BroadcastState.CANCELLED])
def test_a_broadcast_that_is_over_is_expanded_no_further(
    engine: FreshStore, steps: Steps, state: BroadcastState
) -> None:
    add_broadcast(engine, 78, state)
    assert engine.do(ACCEPT, stage(steps, START, (0, 5), number=78)) == Overtaken()
    assert stands(engine, 78) == (0, 0, 0, 0, state, 103)
    assert steps.count("message") == 0


def test_a_stage_that_leads_nowhere_or_back(engine: FreshStore, steps: Steps) -> None:
    engine.do(ACCEPT, stage(steps, START, (1, 500)))
    for upto in ((1, 500), (0, 900)):
        assert engine.do(ACCEPT, stage(steps, (1, 500), upto)) == Overtaken()
    assert steps.count("message") == 2


def test_nobody_elses_broadcast_moves(engine: FreshStore, steps: Steps) -> None:
    other = engine.add_account("other", GRANT)
    request = steps.request([RECIPIENT], account_id=other)._replace(stage=StageMove(BROADCAST, START, (0, 5), 1, 0))
    assert engine.do(ACCEPT, request) == Overtaken()
    assert engine.do(ACCEPT, stage(steps, START, (0, 5), number=99)) == Overtaken()
    assert stands(engine)[:4] == (0, 0, 0, 0)
    assert steps.count("message") == 0
