"""The sums of the bench, its load against a server that answers as asked, and the processes it starts."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import typer

from heliograph.cli import bench
from heliograph.cli.bench import database, far, load, orders, run, shares, stage, usage
from heliograph.cli.bench import report as figures
from heliograph.cli.bench.children import Child, Standing, child
from heliograph.cli.bench.costs import BenchCost, Cost, DatabaseCost, Reading, Spent, bench_cost, database_cost
from heliograph.cli.bench.orders import FarOrder, FarRecords, LoadOrder, LoadRecords
from heliograph.cli.bench.report import Machine, Report, Spread, join, percentile, spread, text_of
from heliograph.cli.bench.stage import Plan
from heliograph.cli.bench.usage import cpu_s_from, memory_mb_from, peak_memory_mb_from
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.services.refused import Refused
from heliograph.store.postgres.footprint import Footprint
from heliograph.testing import postgres
from heliograph.testing.receiver import Answer, Call, Receiver

MS = 1_000_000
S = 1_000_000_000


def plan(**changes: Any) -> Plan:
    values: dict[str, Any] = {
        "messages": 4,
        "per_request": 2,
        "connections": 3,
        "rate": 0.0,
        "window": 10,
        "policy": "resend",
    }
    return Plan(**(values | changes))


def load_order(port: int, **changes: Any) -> LoadOrder:
    values: dict[str, Any] = {
        "port": port,
        "api_key": "1|key",
        "first": orders.FIRST,
        "requests": 7,
        "per_request": 2,
        "connections": 3,
        "rate": 0.0,
        "records": "",
    }
    return LoadOrder(**(values | changes))


def recorded() -> tuple[LoadRecords, FarRecords]:
    """Two requests of two messages, begun at 10 s and 11 s, answered 100 ms later; all submitted and told."""
    sent, seen = LoadRecords(2), FarRecords(4)
    for index in range(2):
        sent.started[index] = (10 + index) * S
        sent.ended[index] = sent.started[index] + 100 * MS
        sent.status[index] = 202
    for message in range(4):
        begin = sent.started[message // 2]
        seen.submit(message, begin + (message + 1) * 50 * MS)
        seen.tell(message, begin + S)
    return sent, seen


def spent(*, database_cpu_s: float | None = None, footprint: Footprint | None = None) -> Spent:
    """Between a reading of nothing and one of half a second; footprint: what a server has written meanwhile."""
    before = Reading(
        server_cpu_s=0.0,
        far_cpu_s=1.0,
        commits=0,
        database_cpu_s=None if database_cpu_s is None else 2.0,
        footprint=footprint and Footprint(5_000, 10_000),
    )
    after = Reading(
        server_cpu_s=0.5,
        far_cpu_s=1.5,
        commits=8,
        database_cpu_s=None if database_cpu_s is None else 2.0 + database_cpu_s,
        footprint=footprint and Footprint(5_000 + footprint.log_octets, 10_000 + footprint.disk_octets),
    )
    memory_mb = None if database_cpu_s is None else 200.04
    return Spent(before, after, load_cpu_s=0.75, peak_memory_mb=64.04, database_memory_mb=memory_mb)


def whole_report(sent: LoadRecords, seen: FarRecords) -> Report:
    return figures.report(
        plan(),
        load=sent,
        far=seen,
        spent=spent(),
        machine=Machine(cores=2, python="3.11.2", disk="ext4", bench_cpu_s=1.25),
    )


# Percentiles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [
        (1, 0.5, 1),
        (1, 0.99, 1),
        (2, 0.5, 1),
        (3, 0.5, 2),
        (100, 0.5, 50),
        (100, 0.95, 95),
        (100, 0.99, 99),
        (101, 0.99, 100),
    ],
)
def test_nearest_rank(count: int, share: float, expected: int) -> None:
    assert percentile(range(1, count + 1), share) == expected


def test_a_spread_of_unordered_durations() -> None:
    assert spread([30 * MS, 10 * MS, 20 * MS]) == Spread(p50=20, p95=30, p99=30, longest=30)


def test_a_spread_of_nothing() -> None:
    assert spread([]) == Spread(p50=None, p95=None, p99=None, longest=None)


# The join ----------------------------------------------------------------------------------------------------------


def test_every_message_is_followed_from_its_request() -> None:
    joined = join(*recorded(), per_request=2)
    assert list(joined.request_to_accept) == [100 * MS] * 2
    assert list(joined.request_to_submit) == [50 * MS, 100 * MS, 150 * MS, 200 * MS]
    assert list(joined.accept_to_submit) == [-50 * MS, 0, 50 * MS, 100 * MS]
    assert list(joined.accept_to_webhook) == [900 * MS] * 4
    assert (joined.lost, joined.untold) == (0, 0)


def test_the_figures_of_a_clean_run() -> None:
    report = whole_report(*recorded())
    assert report.is_clean
    assert (report.accepted, report.durable_per_s, report.accepted_per_s) == (4, 2, 4)
    assert report.submitted_per_s == 3
    assert report.seconds == 2.0
    assert report.server == Cost(
        cpu_s=0.5, cpu_s_per_1000=125.0, peak_memory_mb=64.0, commits=8, commits_per_1000=2000.0
    )


def test_what_was_not_accepted_cannot_be_lost() -> None:
    sent, _ = recorded()
    sent.status[1] = 503
    seen = FarRecords(4)
    for message in range(2):
        seen.submit(message, 11 * S)
        seen.tell(message, 12 * S)
    report = whole_report(sent, seen)
    assert (report.accepted, report.lost, report.requests_failed) == (2, 0, {"503": 1})
    assert not report.is_clean
    assert "1 with 503" in text_of(report)


def test_lost_untold_and_twice_are_told_apart() -> None:
    sent, _ = recorded()
    seen = FarRecords(4)
    seen.submit(1, 11 * S)
    seen.submit(2, 11 * S)
    seen.submit(2, 12 * S)
    for message in (2, 3, 3):
        seen.tell(message, 13 * S)
    report = whole_report(sent, seen)
    assert (report.lost, report.untold, report.submitted_twice, report.told_twice) == (2, 1, 1, 1)
    assert not report.is_clean


def test_a_run_of_which_nothing_came() -> None:
    report = whole_report(LoadRecords(2), FarRecords(4))
    assert (report.accepted, report.durable_per_s, report.requests_failed) == (0, 0, {"0": 2})
    assert "-" in text_of(report)


def test_the_report_for_people_and_for_machines() -> None:
    report = whole_report(*recorded())
    text = text_of(report)
    assert text.startswith("2 durable messages a second")
    assert re.search(r"accept to submit +0\.0 +100\.0 +100\.0 +100\.0", text)
    assert "8 commits (one fsync each)" in text
    document = msgspec.to_builtins(report)
    assert document["plan"]["per_request"] == 2
    assert document["latency_ms"]["accept_to_webhook"] == {"p50": 900, "p95": 900, "p99": 900, "longest": 900}


def test_what_one_message_costs_each_part() -> None:
    cost = database_cost(spent(database_cpu_s=0.3, footprint=Footprint(8_000, 4_000)), messages=4)
    assert cost == DatabaseCost(
        cpu_s=0.3, cpu_s_per_1000=75.0, memory_mb=200.0, log_octets_per_message=2_000, disk_octets_per_message=1_000
    )
    assert bench_cost(spent(), messages=4) == BenchCost(load_cpu_s_per_1000=187.5, far_cpu_s_per_1000=125.0)


def test_a_store_in_a_file_has_no_server_that_costs() -> None:
    assert database_cost(spent(), messages=4) is None
    assert "database" not in text_of(whole_report(*recorded()))


def test_of_a_server_that_was_not_started_here_only_what_it_wrote_is_known() -> None:
    cost = database_cost(spent(footprint=Footprint(8_000, 4_000)), messages=4)
    assert cost is not None
    assert (cost.cpu_s, cost.cpu_s_per_1000, cost.memory_mb, cost.log_octets_per_message) == (None, None, None, 2_000)
    report = msgspec.structs.replace(whole_report(*recorded()), database=cost)
    assert "database  CPU and memory not known" in text_of(report)
    assert "2,000 octets a message written to its log, 1,000 kept" in text_of(report)


def test_several_processes_and_processors_of_its_own_are_told() -> None:
    cost = database_cost(spent(database_cpu_s=0.3, footprint=Footprint(8_000, 4_000)), messages=4)
    report = whole_report(*recorded())
    report = msgspec.structs.replace(report, database=cost, plan=plan(processes=3, database_cores=(0, 2)))
    text = text_of(report)
    assert "server    3 processes, together 125.0 CPU seconds" in text
    held = msgspec.structs.replace(report, plan=plan(processes=3, process_share=0.2))
    assert "server    3 processes, held to 0.2 of a core each, together 125.0 CPU seconds" in text_of(held)
    assert "75.0 CPU seconds for 1,000 messages, 200.0 MB at the end; processors of its own: 0, 2" in text


def test_data_in_memory_is_pointed_out() -> None:
    report = whole_report(*recorded())
    in_memory = msgspec.structs.replace(report, machine=msgspec.structs.replace(report.machine, disk="tmpfs"))
    assert "TMPDIR" in text_of(in_memory)
    assert "TMPDIR" not in text_of(report)


# Records -----------------------------------------------------------------------------------------------------------


def test_records_come_back_from_a_file(tmp_path: Path) -> None:
    sent, seen = recorded()
    path = str(tmp_path / "records")
    for records, empty in ((sent, LoadRecords(2)), (seen, FarRecords(4))):
        orders.write(records, path)
        assert empty != records
        orders.read(empty, path)
        assert empty == records


def test_a_file_of_another_size_is_not_taken_for_records(tmp_path: Path) -> None:
    path = str(tmp_path / "records")
    orders.write(LoadRecords(2), path)
    for requests in (1, 3):
        with pytest.raises(ValueError, match="octets"):
            orders.read(LoadRecords(requests), path)


def test_messages_of_the_warm_up_are_not_written_down() -> None:
    seen = FarRecords(2)
    seen.submit(-1, 5)
    seen.submit(2, 5)
    seen.tell(orders.WARM_UP_FIRST - orders.FIRST, 5)
    assert seen == FarRecords(2)


def test_the_first_time_counts() -> None:
    seen = FarRecords(1)
    for at in range(300):
        seen.submit(0, 7 + at)
    assert (seen.submitted[0], seen.submits[0]) == (7, 255)


# The load ----------------------------------------------------------------------------------------------------------


async def run_load(receiver: Receiver, **changes: Any) -> load.Load:
    running = load.Load(load_order(receiver.port, **changes))
    running.start()
    await asyncio.wait_for(running.done.wait(), 10)
    return running


def recipients_of(calls: list[Call]) -> list[int]:
    return sorted(number for call in calls for number in msgspec.json.decode(call.body)["to"])


def test_every_recipient_is_asked_for_once() -> None:
    async def story() -> None:
        async with Receiver(Answer(202)) as receiver:
            done = await run_load(receiver)
            assert recipients_of(receiver.calls) == list(range(orders.FIRST, orders.FIRST + 14))
            assert receiver.connections == 3
            assert {call.headers["authorization"] for call in receiver.calls} == {"Bearer 1|key"}
            assert list(done.records.status) == [202] * 7
            assert all(0 < begin <= end for begin, end in zip(done.records.started, done.records.ended, strict=True))

    asyncio.run(story())


def test_answers_that_are_no_yes_are_counted() -> None:
    async def story() -> None:
        async with Receiver(Answer(503, body=b"not now")) as receiver:
            done = await run_load(receiver)
            assert (done.accepted, done.failed, set(done.records.status)) == (0, 7, {503})

    asyncio.run(story())


def test_with_a_rate_requests_are_due_at_even_times() -> None:
    async def story() -> None:
        async with Receiver(Answer(202)) as receiver:
            done = await run_load(receiver, rate=200.0)
            started = list(done.records.started)
            assert [each - started[0] for each in started] == [index * 5 * MS for index in range(7)]
            assert all(begin < end for begin, end in zip(started, done.records.ended, strict=True))

    asyncio.run(story())


def test_a_connection_that_is_cut_costs_one_request_and_no_more() -> None:
    async def story() -> None:
        async with Receiver(Answer(202, hangs=True)) as receiver:
            running = load.Load(load_order(receiver.port, connections=1, requests=3))
            running.start()
            await receiver.wait_for(1)
            receiver.answer = Answer(202)
            for transport in receiver._open:
                transport.abort()
            await asyncio.wait_for(running.done.wait(), 10)
            assert list(running.records.status) == [0, 202, 202]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}", (202, 46)),
        (b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{", None),
        (b"HTTP/1.1 202 Acc", None),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, 27)),
    ],
)
def test_where_an_answer_ends(pending: bytes, expected: tuple[int, int] | None) -> None:
    assert load.whole_answer(bytearray(pending)) == expected


# The far side ------------------------------------------------------------------------------------------------------


def test_the_webhook_is_told_of_deliveries() -> None:
    clock = far.SteadyClock()
    watch = far.Watch(FarOrder(first=100, messages=3, records=""), clock=clock, centre=MessageCentre(clock))
    events = [("101", "Delivered"), ("102", "Enroute"), ("99", "Delivered")]
    body = msgspec.json.encode(
        {
            "Timestamp": "2026-11-23T12:00:00.0000000Z",
            "Type": "MessageStatusUpdate",
            "Events": [{"Number": number, "Status": status} for number, status in events],
        }
    )
    watch.hear(Call("/", {}, body, 2.5))
    assert watch.told == 2
    assert list(watch.records.told) == [0, 2_500 * MS, 0]
    watch.hear(Call("/", {}, body, 3.5))
    assert (watch.told, watch.records.tellings[1]) == (3, 2), "the one that is written down is counted once"


def test_the_steady_clock_can_be_turned_back() -> None:
    clock = far.SteadyClock()
    before = int(clock.monotonic() * 1e9)
    at_ns = clock.monotonic_ns_from(clock.now_ms())
    after = int(clock.monotonic() * 1e9)
    assert before - MS <= at_ns <= after + MS


# Processes ---------------------------------------------------------------------------------------------------------

ECHO = "import json, sys; print(json.dumps({'length': len(sys.stdin.readline())}), flush=True); sys.stdin.read()"


def test_a_process_is_told_listened_to_and_ends(tmp_path: Path) -> None:
    async def story() -> None:
        standing = Standing()
        async with child("echo", ("-c", ECHO), folder=tmp_path, environ={}, hear=standing.hear) as echo:
            standing.watched.append(echo)
            echo.order(b"12345")
            assert await standing.until(lambda counts: counts.get("length") == 6)
            assert echo.cpu_s() >= 0
            assert echo.peak_memory_mb() > 1
            await echo.finish()
            assert echo.has_ended

    asyncio.run(story())


def test_a_process_that_fails_is_explained_by_its_last_words(tmp_path: Path) -> None:
    async def story() -> None:
        standing = Standing()
        arguments = ("-c", "raise SystemExit('no such thing')")
        async with child("far", arguments, folder=tmp_path, environ={}, hear=standing.hear) as failing:
            standing.watched.append(failing)
            with pytest.raises(Refused, match=r"The far of the bench ended: no such thing\."):
                await standing.until(bool)

    asyncio.run(story())


def test_a_process_does_not_outlive_its_block(tmp_path: Path) -> None:
    async def story() -> None:
        standing = Standing()
        async with child("echo", ("-c", ECHO), folder=tmp_path, environ={}, hear=standing.hear) as echo:
            assert not echo.has_ended
        assert echo.has_ended

    asyncio.run(story())


def test_what_proc_says() -> None:
    ticks = os.sysconf("SC_CLK_TCK")
    stat = f"7 (a) b) S 1 7 7 0 -1 0 1 0 0 0 {ticks} {ticks // 2} {2 * ticks} {ticks // 2} 20 0 9 0 1 1 1"
    assert cpu_s_from(stat) == pytest.approx(4.0)
    assert memory_mb_from("55-ff ---p 0 00:00 0 [rollup]\nRss: 9999 kB\nPss:   3072 kB\nPss_Anon: 1 kB\n") == 3.0
    assert peak_memory_mb_from("Name:\tx\nVmPeak:\t 9999 kB\nVmHWM:\t   2048 kB\n") == 2.0


# The stage ---------------------------------------------------------------------------------------------------------


def test_whole_requests_are_sent() -> None:
    odd = plan(messages=1_001, per_request=100)
    assert (odd.requests, odd.sent, odd.warm_up_requests) == (11, 1_100, 2)


def test_nobody_elses_settings_are_measured() -> None:
    made = stage.environ_for(Path("/made"), {"PATH": "/bin", "HELIOGRAPH_DATABASE": "sqlite:////mine"})
    assert made["PATH"] == "/bin"
    assert made["HELIOGRAPH_DATA"] == "/made/data"
    assert made["HELIOGRAPH_DATABASE"] == ""


def test_figures_are_read_from_the_metrics() -> None:
    text = b"# TYPE heliograph_store_commits_total counter\nheliograph_store_commits_total 12.0\n"
    assert stage.figure_in(text, stage.COMMITS) == 12
    with pytest.raises(Refused, match="do not tell heliograph_store_commits_total"):
        stage.figure_in(b"Internal Server Error", stage.COMMITS)


class _Server:
    """What `Stage` does not ask for here."""


def test_commits_are_those_of_all_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {
        1: b'heliograph_store_commits_total 12.0\nheliograph_carrier_sessions{carrier="message-centre"} 1.0\n',
        2: b'heliograph_store_commits_total 30.0\nheliograph_carrier_sessions{carrier="message-centre"} 0.0\n',
        3: b"heliograph_store_commits_total 7.0\n",
    }

    async def page(port: int, _path: str) -> bytes:
        if port not in pages:
            raise ConnectionRefusedError
        return pages[port]

    monkeypatch.setattr(stage, "page", page)

    def staged(*ports: int) -> stage.Stage:
        return stage.Stage(server=cast(Child, _Server()), port=1, api_key="", ports=ports)

    async def story() -> None:
        assert await staged().commits() == 12
        assert await staged(1, 2, 3).commits() == 49
        assert await staged().is_shared_out()
        for nobody_yet in (2, 3, 4):
            assert not await staged(1, nobody_yet).is_shared_out()

    asyncio.run(story())


# The store ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"processes": 2}, "A SQLite store has one writer"),
        ({"processes": 2, "database": "sqlite:////x"}, "A SQLite store has one writer"),
        ({"database_cores": (0,)}, "a server of the bench's own"),
        ({"database_cores": (0,), "database": "postgresql://there/x"}, "a server of the bench's own"),
        ({"database_cores": (0, 1), "database": "postgresql://"}, "some of the processors 0, 1, and leaves"),
        ({"database_cores": (7,), "database": "postgresql://"}, "some of the processors 0, 1, and leaves"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        database.check(plan(**changes), cores=(0, 1))


def test_what_can_be_measured_is_not() -> None:
    database.check(plan(), cores=(0, 1))
    database.check(plan(processes=4, database="postgresql://there/x"), cores=(0,))
    database.check(plan(database_cores=(1,), database="postgresql://"), cores=(0, 1))


def test_processors_are_named_by_numbers() -> None:
    assert database.cores_in("") == ()
    assert database.cores_in("3, 0,3") == (0, 3)
    with pytest.raises(Refused, match="first does not name processors"):
        database.cores_in("first")


def test_a_store_that_is_not_ours_tells_no_use() -> None:
    with database.database(plan(database="postgresql://there/x")) as there:
        assert there == database.Database("postgresql://there/x")
        assert (there.cpu_s(), there.memory_mb()) == (None, None)
    with database.database(plan()) as file:
        assert asyncio.run(file.footprint()) is None


@pytest.fixture
def postgres_from_a_wheel() -> None:
    """A server's programs are there."""
    pytest.importorskip(postgres.WHEEL, reason="a real PostgreSQL server from a wheel is not installed")


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor")
@pytest.mark.usefixtures("postgres_from_a_wheel")
def test_a_server_of_the_benchs_own_has_processors_of_its_own() -> None:
    """And its use is known, that of all its processes."""
    before = os.sched_getaffinity(0)
    alone = min(before)
    with database.database(plan(database="postgresql://", database_cores=(alone,))) as ours:
        assert os.sched_getaffinity(0) == before - {alone}
        assert ours.pid is not None
        assert len(family := list(usage.family_of(ours.pid))) > 2
        assert {frozenset(os.sched_getaffinity(each)) for each in family} == {frozenset({alone})}
        assert (ours.cpu_s() or 0) > 0
        assert (ours.memory_mb() or 0) > 5
        written = asyncio.run(ours.footprint())
        assert written is not None
        assert min(written) > 1_000_000
    assert os.sched_getaffinity(0) == before


@contextmanager
def busy() -> Iterator[int]:
    """A process that takes all of a core that it can get."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def share_of(pid: int, *, seconds: float = 0.3) -> float:
    """How much of a core a process uses."""
    before, begun = usage.whole_cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    return (usage.whole_cpu_s(pid) - before) / (time.monotonic() - begun)


def test_a_process_gets_its_share_of_a_core_and_no_more() -> None:
    with busy() as pid:
        try:
            with shares.shares([[pid]], 0.1):
                assert share_of(pid) < 0.2
        except Refused as refusal:
            pytest.skip(str(refusal))
        assert any(share_of(pid) > 0.2 for _ in range(30))
    assert not [each for place in shares.PLACES for each in place.glob(f"heliograph-bench-{os.getpid()}-*")]


def test_shares_that_cannot_be_dealt_out_are_refused(tmp_path: Path) -> None:
    with shares.shares([[os.getpid()]], 0, places=[tmp_path]):
        pass
    with pytest.raises(Refused, match="needs Linux with control groups"), shares.shares([], 0.1, places=[tmp_path]):
        pass
    nobody = 2**22 + 1
    with pytest.raises(Refused, match="--process-share"), shares.shares([[nobody]], 0.1):
        pass


def test_the_disk_a_folder_is_on() -> None:
    mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmpfiles xfs rw 0 0\n"
    assert [stage.disk_of(Path(each), mounts) for each in ("/home/x", "/tmp/x", "/tmpfiles")] == [
        "ext4",
        "tmpfs",
        "xfs",
    ]


@pytest.mark.long
@pytest.mark.usefixtures("postgres_from_a_wheel")
def test_two_processes_are_measured_on_a_server_of_the_benchs_own() -> None:
    wanted = plan(messages=400, per_request=1, processes=2, database="postgresql://")
    report = run.measure(wanted, is_watched=False)
    assert report.is_clean
    assert (report.accepted, report.told_twice) == (400, 0)
    assert report.database is not None
    assert report.database.log_octets_per_message > 500
    assert report.server.commits > 0


def test_the_command_is_there() -> None:
    app = typer.Typer()
    bench.register(app)
    assert [group.name for group in app.registered_groups] == ["bench"]
