"""A network that drops, delays, cuts within a frame, trickles and half-opens, between every pair of parts.

Between them stands a proxy that knows TCP; a line that loses single packets is in test_real_line.py.
"""

import asyncio
import json
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.sandbox.habits import Habits
from heliograph.testing import postgres
from heliograph.testing.cut_wire import CutWire
from heliograph.testing.ports import free_ports
from heliograph.testing.served import Reply, Requests
from tests.faults.rig import SHORT, TROUBLE, WINDOW, Rig, live, rig, until

RESEND, HOLD = Policy.RESEND, Policy.HOLD
SLOW = Habits(response_delay_ms=100, receipt_delay_ms=10)
QUICK: dict[str, object] = {"enquire_link_s": 1, "response_s": 1}


async def insisted(it: Rig, wire: CutWire, numbers: list[str], key: str) -> Reply:
    """One request, under its key, until it is answered."""
    it.customer.tried.update(dict.fromkeys(numbers, SHORT))
    while True:
        try:
            async with asyncio.timeout(2), Requests(wire.port, it.api_key) as requests:
                reply = await requests.send(numbers, SHORT, key=key)
        except (*TROUBLE, TimeoutError):
            continue
        it.customer.accepted.update({each["to"]: SHORT for each in reply.json()["messages"] if each["accepted"]})
        return reply


@live
async def test_a_caller_whose_answers_are_lost_on_the_way_submits_nothing_twice(tmp_path: Path) -> None:
    async with rig(tmp_path, RESEND) as it:
        await it.served.start()
        async with CutWire(it.served.port) as wire:
            # The answer is cut within its head, or never comes: the message is accepted, and the caller does not know.
            for place in range(6):
                wire.is_mute, wire.cut_after = place % 3 == 2, (280, 600, None)[place % 3]
                asking = asyncio.create_task(insisted(it, wire, it.customer.fresh(SHORT, 2), f"key {place}"))
                await asyncio.wait([asking], timeout=0.3)
                wire.is_mute, wire.cut_after = False, None
                wire.cut()
                assert (await asking).status == 202
        outcome = await it.settle()
        outcome.check(RESEND, window=0)
        assert outcome.states == {"delivered": 12}


@pytest.mark.long
@live
async def test_a_webhook_behind_a_bad_line_hears_everything(tmp_path: Path) -> None:
    async with rig(tmp_path, RESEND) as it:
        await it.served.start()
        it.hooks.slices, it.hooks.delay_s = True, 0.05
        await it.customer.load(20)
        await until(lambda: bool(it.told()))
        it.hooks.slices, it.hooks.delay_s, it.hooks.cut_after = False, 0.0, 100
        await it.customer.load(40)
        # Cut in the middle of a call; the next try is due five seconds later.
        await until(lambda: it.hooks.cut_after is None)
        outcome = await it.settle()
        outcome.check(RESEND, window=0)
        bodies: dict[str, bytes] = {}
        for call in it.receiver.calls:
            assert bodies.setdefault(call.headers["webhook-id"], call.body) == call.body
            assert json.loads(call.body)["Events"]


@pytest.mark.parametrize("policy", [pytest.param(RESEND, marks=pytest.mark.long), HOLD], ids=["resend", "hold"])
@live
async def test_a_carrier_that_takes_and_never_answers_is_a_window_of_doubts(tmp_path: Path, policy: Policy) -> None:
    async with rig(tmp_path, policy, habits=SLOW, settings=QUICK) as it:
        await it.served.start()
        await it.customer.load(10)
        await until(lambda: len(it.told()) >= 5)
        it.wire.is_mute = True
        await it.customer.load(30)
        bound = it.wire.connections
        await until(lambda: it.wire.connections > bound, seconds=15)
        it.wire.is_mute = False
        it.wire.cut()
        outcome = await it.settle()
        # The session is given up at the silence, and the one that follows it as well.
        outcome.check(policy, window=2 * WINDOW)


@pytest.mark.long
@pytest.mark.parametrize("octets", range(1, 1_500, 97))
@live
async def test_a_cut_within_any_frame_between_server_and_carrier(tmp_path: Path, octets: int) -> None:
    async with rig(tmp_path, HOLD, habits=SLOW) as it:
        await it.served.start()
        await it.customer.load(5)
        it.wire.cut_after = octets
        await it.customer.load(60)
        outcome = await it.settle()
        outcome.check(HOLD)


async def shaken(wire: CutWire) -> None:
    """Cut, silent, slow and away, one after the other."""
    for _ in range(2):
        wire.cut()
        await asyncio.sleep(0.3)
        wire.delay_s = 0.1
        await asyncio.sleep(0.5)
        wire.delay_s, wire.is_cut = 0.0, True
        wire.cut()
        await asyncio.sleep(0.5)
        wire.is_cut = False


@pytest.mark.long
@live
async def test_a_bad_line_to_postgresql_loses_nothing(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    try:
        running = postgres.server(listen_addresses="'127.0.0.1'", port=str(port), fsync="off")
        with running:
            await between_server_and_postgresql(tmp_path, port)
    except LookupError as error:
        pytest.skip(str(error))


async def between_server_and_postgresql(folder: Path, port: int) -> None:
    async with CutWire(port) as base:
        address = f"postgresql://heliograph@127.0.0.1:{base.port}/postgres"
        async with rig(folder, RESEND, database=address) as it:
            await it.served.start()
            load = asyncio.create_task(it.customer.load(150))
            await until(lambda: len(it.submits()) >= 10)
            await shaken(base)
            await load
            outcome = await it.settle()
            outcome.check(RESEND)
