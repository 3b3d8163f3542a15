"""The sums of the bench's broadcast, and the file of its contacts."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec

from heliograph.cli.bench import orders, usage
from heliograph.cli.bench.broadcast import rows_of
from heliograph.cli.bench.broadcast_report import Report, Seen, Usage, report, text_of
from heliograph.cli.bench.children import child
from heliograph.cli.bench.orders import FarRecords, LoadRecords
from heliograph.cli.bench.report import Machine

MS = 1_000_000
S = 1_000_000_000
BEGIN = 100 * S
WAITS = """
import subprocess, sys
other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
print("{}", flush=True)
sys.stdin.read()
other.communicate(b"\\n")
"""


def carried() -> FarRecords:
    """Four messages, one every second, the first of them 50 ms after the beginning."""
    far = FarRecords(4)
    for index in range(4):
        assert far.submit(index, BEGIN + 50 * MS + index * S)
    return far


def beside() -> LoadRecords:
    """A request before the beginning and two after it, and some that were never sent."""
    load = LoadRecords(6)
    for index, (started, took) in enumerate([(BEGIN - S, 2), (BEGIN + S, 10), (BEGIN + 2 * S, 20)]):
        load.started[index], load.ended[index], load.status[index] = started, started + took * MS, 202
    return load


def figures(far: FarRecords, load: LoadRecords | None = None, **changes: Any) -> Report:
    seen: dict[str, Any] = {
        "begin_ns": BEGIN,
        "expanded_ns": BEGIN + 2 * S,
        "accepted": 4,
        "refused": 0,
        "cpu_s": 0.5,
        "peak_memory_mb": 100.04,
        "bench_cpu_s": 1.0,
    }
    return report(
        4,
        imported=Usage(seconds=0.5, peak_memory_mb=70.0),
        seen=Seen(**(seen | changes)),
        far=far,
        beside=load or beside(),
        machine=Machine(cores=2, python="3.11.2", disk="ext4", bench_cpu_s=1.0),
    )


def test_the_figures_of_a_clean_run() -> None:
    clean = figures(carried())
    assert clean.is_clean
    assert (clean.imported.contacts_per_s, clean.imported.seconds) == (8, 0.5)
    sent = clean.sent
    assert (sent.expanded_per_s, sent.submitted_per_s, sent.seconds) == (2, 1, 3.05)
    assert (sent.first_left_ms, sent.left_before_expanded, sent.cpu_s_per_1000, sent.peak_memory_mb) == (
        50,
        2,
        125,
        100,
    )
    others = clean.beside
    assert (others.requests, others.failed, others.quiet_ms.p99, others.meanwhile_ms.p50) == (3, 0, 2, 10)


def test_who_got_none_and_who_got_two_are_told_apart() -> None:
    far = FarRecords(4)
    for index in (0, 2, 2):
        far.submit(index, BEGIN + S)
    missing = figures(far)
    assert (missing.missed, missing.twice, missing.is_clean) == (2, 1, False)


def test_others_that_were_refused_are_no_clean_run() -> None:
    load = beside()
    load.status[1] = 503
    assert not figures(carried(), load).is_clean


def test_nothing_came_of_it() -> None:
    nothing = figures(FarRecords(4), LoadRecords(0), expanded_ns=0, accepted=0)
    assert (nothing.missed, nothing.sent.expanded_per_s, nothing.sent.first_left_ms) == (4, 0, None)
    assert "after - ms" in text_of(nothing)


def test_the_report_for_people_and_for_machines() -> None:
    clean = figures(carried())
    text = text_of(clean)
    assert text.startswith("2 contacts a second became messages, 1 a second were submitted")
    assert re.search(r"meanwhile +p50 10\.0, p95 20\.0", text)
    assert "TMPDIR" not in text
    in_memory = msgspec.structs.replace(clean, machine=msgspec.structs.replace(clean.machine, disk="tmpfs"))
    assert "TMPDIR" in text_of(in_memory)
    assert msgspec.to_builtins(clean)["beside"]["meanwhile_ms"]["p99"] == 20


def test_the_file_of_contacts() -> None:
    header, *rows = rows_of(5)
    assert header == ("phone", "first_name", "last_name", "order no", "shop")
    assert [row[0] for row in rows] == [f"+{orders.FIRST + index}" for index in range(5)]
    assert [bool(row[1]) for row in rows] == [False, True, True, False, True]
    assert [bool(row[4]) for row in rows] == [False, True, True, True, False]


def test_a_process_is_measured_with_those_that_it_started(tmp_path: Path) -> None:
    async def story() -> None:
        up = asyncio.Event()
        async with child("two", ("-c", WAITS), folder=tmp_path, environ={}, hear=lambda _: up.set()) as two:
            await up.wait()
            alone, *others = usage.family_of(two.pid)
            assert (alone, len(others)) == (two.pid, 1)
            assert two.peak_memory_mb() > usage.whole_peak_memory_mb(others[0]) > 0
            assert two.cpu_s() >= 0
            await two.finish()

    asyncio.run(story())
