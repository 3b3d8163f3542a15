"""On PostgreSQL every day of messages is a table of its own, and their updates touch no index."""

import time
from collections.abc import Iterator

import pytest

from heliograph.core.ids import day_of, first_at
from heliograph.store.engine import StoreUnavailable
from heliograph.store.hops.accept import ACCEPT
from heliograph.store.postgres import days
from heliograph.testing.postgres import Server
from heliograph.testing.stores import FreshPostgres
from tests.conformance.steps import RECIPIENT, Steps

DAY_MS = 86_400_000


@pytest.fixture
def postgres(postgres_server: Server) -> Iterator[FreshPostgres]:
    """In a database of its own, whose days are nobody else's."""
    store = FreshPostgres(postgres_server.new_database())
    yield store
    store.close()


def test_updates_of_messages_and_of_the_receipt_map_are_heap_only(postgres: FreshPostgres) -> None:
    """By what the server itself counts."""
    steps = Steps(postgres, now_ms=int(time.time() * 1000))
    table = days.name_of("message", day_of(first_at(steps.now_ms)))
    for each in (table, "receipt_map"):
        postgres.execute(f"select pg_stat_reset_single_table_counters('{each}'::regclass)")
    for _ in range(5):
        messages = steps.accept(200, price=1)
        assert len(steps.mark(messages)) == 200
        steps.settle(*(steps.answer(message, f"key-{message}") for message in messages))
        steps.settle(*(steps.receipt(f"key-{message}") for message in messages))
    # What a connection has counted is told when it is idle.
    postgres.run(postgres.writer.stop(patience_s=10))
    counted = postgres.rows(
        "select relname, n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname in (?, 'receipt_map')", table
    )
    assert sorted(map(tuple, counted)) == sorted([(table, 3 * 1_000, 3 * 1_000), ("receipt_map", 1_000, 1_000)])


def test_days_are_made_ahead_once(postgres: FreshPostgres) -> None:
    now_ms = int(time.time() * 1000) + 30 * DAY_MS
    today = day_of(first_at(now_ms))
    postgres.run(postgres.store.look_after(now_ms, forgotten_ms=0))
    made = postgres.run(days.existing(postgres._look))
    assert all({today - 1, today, today + days.AHEAD} <= known for known in made.values())
    assert list(made) == list(days.TABLES)
    postgres.run(postgres.store.look_after(now_ms, forgotten_ms=0))
    assert postgres.run(days.existing(postgres._look)) == made


def test_a_day_goes_when_it_is_old_and_nothing_is_left_in_it(postgres: FreshPostgres) -> None:
    now_ms = int(time.time() * 1000) + 60 * DAY_MS
    today = day_of(first_at(now_ms))
    postgres.run(postgres.store.look_after(now_ms, forgotten_ms=0))
    steps = Steps(postgres, now_ms=now_ms)
    steps.accept()
    postgres.run(postgres.store.look_after(now_ms, forgotten_ms=now_ms + DAY_MS))
    left = postgres.run(days.existing(postgres._look))
    # What has messages stays; the days of tries and events, of which there are none, go.
    assert today in left["message"]
    assert today in left["submission"]
    assert today not in left["event"]
    assert today - 1 not in left["message"]
    assert -1 in left["message"]
    postgres.run(days.make(postgres._look, today, today + days.AHEAD))


def test_a_message_of_a_day_that_is_not_there_is_refused_as_unavailable(postgres: FreshPostgres) -> None:
    steps = Steps(postgres, now_ms=int(time.time() * 1000) + 3_000 * DAY_MS)
    (result,) = postgres.together(ACCEPT, [steps.request([RECIPIENT])])
    assert isinstance(result, StoreUnavailable)
    assert postgres.rows("select * from submission") == []
