"""Many calls at once, measured where they are heard: nothing lost, and every packet in its time."""

import sys
from pathlib import Path
from typing import Any

import pytest

from heliograph.core.states import MessageState
from tests.faults.rig import live
from tests.interop.calling import ALIKE, calling, voice_parcels
from tests.interop.peers import Peer

CALLEE = Path(__file__).with_name("callee.py")


async def heard_of(calls: int, *, times: int) -> list[dict[str, Any]]:
    """How well so many calls at once were received."""
    async with Peer(sys.executable, str(CALLEE)) as callee:
        await callee.until(lambda: bool(callee.heard("port")))
        (port,) = callee.heard("port")
        async with calling(f"sip://127.0.0.1:{port}", lines=calls, times=times) as it:
            it.feed.offer(voice_parcels([f"+27831{number:06}" for number in range(calls)]))
            await it.feed.until(lambda: len(it.feed.receipts) == calls)
            assert {receipt.state for receipt in it.feed.receipts} == {MessageState.DELIVERED}
            await callee.until(lambda: len(callee.heard("call")) == calls)
            going: list[Any] = callee.heard("going")
            assert max(going) == calls
            return callee.heard("call")


def judge(told: list[dict[str, Any]], *, most_jitter_ms: float) -> None:
    worst = max(told, key=lambda each: float(each["jitter_ms"]))
    assert sum(each["lost"] for each in told) == 0
    assert worst["jitter_ms"] <= most_jitter_ms, worst
    compared = [each["likeness"] for each in told if each["likeness"] is not None]
    assert len(compared) == len(told) // 10
    assert min(compared) >= ALIKE


@live
async def test_ten_calls_at_once_are_heard_well() -> None:
    # Other tests run on the same cores meanwhile.
    judge(await heard_of(10, times=1), most_jitter_ms=40)


@pytest.mark.long
@live
async def test_fifty_calls_at_once_are_heard_well() -> None:
    judge(await heard_of(50, times=2), most_jitter_ms=10)
