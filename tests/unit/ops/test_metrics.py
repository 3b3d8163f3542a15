"""The figures of a small server that stands still."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from heliograph.core.directory import Carrier, Snapshot
from heliograph.core.events import Audience
from heliograph.core.ids import CarrierId, IdSource
from heliograph.core.messages import Channel
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.ops.metrics import Metrics
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.dispatch import Dispatch
from heliograph.pipeline.fetching import Fetching
from heliograph.store.writer import BatchWriter

NORTH = CarrierId(7)


@dataclass
class Standing:
    dispatch: Dispatch
    writer: BatchWriter
    process: Mapping[str, str] = field(default_factory=lambda: {"owner": "3", "node": "0", "role": "all"})


def snapshot(*carriers: Carrier) -> Snapshot:
    return Snapshot(
        revision=1,
        accounts={},
        carriers={carrier.carrier_id: carrier for carrier in carriers},
        webhooks={},
        routing=cast(Any, None),
        rates=cast(Any, None),
        audience=Audience({}),
    )


@pytest.fixture
def standing() -> Standing:
    clock = SystemClock()
    directory = Directory(cast(Any, None), clock, cast(Any, None))
    directory.snapshot = snapshot(
        Carrier(carrier_id=NORTH, name="north", url="loopback:", channels=frozenset({Channel.SMS}), window=50)
    )
    writer = BatchWriter(lambda: sqlite3.connect(":memory:"), let_others_pass=lambda: None, post=lambda call: call())
    desk = Desk(
        directory=directory,
        writer=writer,
        store=cast(Any, None),
        ids=IdSource(1),
        clock=clock,
        owner=1,
    )
    nobody = cast(Any, None)
    fetching = Fetching(desk, nobody, web=nobody, keeper=nobody, most_octets=1)
    return Standing(Dispatch(desk, nobody, fetching), writer)


def figures(metrics: Metrics) -> dict[str, float]:
    """Every sample as written, without the process's own."""
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        if sample.name.startswith("heliograph_")
    }


def test_a_server_that_did_nothing(standing: Standing) -> None:
    assert figures(Metrics(standing)) == {
        "heliograph_process node=0 owner=3 role=all": 1,
        "heliograph_submissions_total": 0,
        "heliograph_messages_accepted_total": 0,
        "heliograph_events_told_total": 0,
        "heliograph_messages_in_memory": 0,
        "heliograph_messages_waiting": 0,
        "heliograph_store_commits_total": 0,
    }


def test_what_the_hops_counted(standing: Standing) -> None:
    tally = standing.dispatch.desk.tally
    tally.submissions, tally.accepted, tally.events_told = 2, 200, 150
    tally.refused[Reason.NO_FUNDS] = 3
    tally.outcomes[NORTH, "submitted"] = 190
    tally.receipts[NORTH] = 180
    tally.incoming[NORTH] = 4
    tally.states[MessageState.DELIVERED] = 170
    tally.calls.update([True, True, False])
    standing.writer.commits = 12
    standing.dispatch.waiting = 9
    shown = figures(Metrics(standing))
    assert {name: value for name, value in shown.items() if value} == {
        "heliograph_process node=0 owner=3 role=all": 1,
        "heliograph_submissions_total": 2,
        "heliograph_messages_accepted_total": 200,
        "heliograph_submissions_refused_total reason=no_funds": 3,
        "heliograph_messages_entered_total state=delivered": 170,
        "heliograph_events_told_total": 150,
        "heliograph_webhook_calls_total taken=yes": 2,
        "heliograph_webhook_calls_total taken=no": 1,
        "heliograph_outcomes_total carrier=north outcome=submitted": 190,
        "heliograph_receipts_total carrier=north": 180,
        "heliograph_incoming_total carrier=north": 4,
        "heliograph_messages_waiting": 9,
        "heliograph_store_commits_total": 12,
    }


def test_a_carrier_with_two_sessions(standing: Standing) -> None:
    line = standing.dispatch.line(NORTH)
    line.open_session()
    line.open_session()
    shown = figures(Metrics(standing))
    assert shown["heliograph_carrier_sessions carrier=north"] == 2
    assert shown["heliograph_carrier_window_segments carrier=north"] == 100
    assert shown["heliograph_carrier_queued_messages carrier=north"] == 0
    assert shown["heliograph_carrier_unsettled_messages carrier=north"] == 0


def test_a_removed_carrier_keeps_its_name(standing: Standing) -> None:
    metrics = Metrics(standing)
    standing.dispatch.desk.tally.receipts[NORTH] = 1
    standing.dispatch.line(NORTH).open_session()
    assert figures(metrics)["heliograph_receipts_total carrier=north"] == 1
    standing.dispatch.desk.directory.snapshot = snapshot()
    shown = figures(metrics)
    assert shown["heliograph_receipts_total carrier=north"] == 1
    assert shown["heliograph_carrier_window_segments carrier=north"] == 0


def test_the_process_shows_its_time_and_memory(standing: Standing) -> None:
    text = Metrics(standing).render().decode()
    assert "process_cpu_seconds_total" in text
    assert "process_resident_memory_bytes" in text
