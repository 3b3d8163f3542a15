"""kill -9 at every named point inside each hop: nothing is lost, nobody pays twice, nothing is told too seldom."""

import asyncio
import signal
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.testing.doomed import POINTS
from tests.faults.rig import WINDOW, Rig, age_segments, incoming_texts, live, rig, until

MOST = 200
RESEND, HOLD = Policy.RESEND, Policy.HOLD
# Those that only an MMS or a broadcast passes have their own stories.
MMS_HOPS = frozenset({"fetch", "fetched", "keep"})
ELSEWHERE = MMS_HOPS | {"broadcast"}

# How often a point is passed before the process dies: late enough for all hops to be busy, early enough to come at all.
COUNTS = {"accept": 12, "mark": 6, "settle": 6, "submit": 6, "claim": 2}
OURS = "27820000000"
LONG_REPLY = "What I wanted to say is a long story, and it does not fit into one segment. " * 5
PARTIAL_REPLY = LONG_REPLY[:153] + "[…]" + LONG_REPLY[306:]
REPLIES = ("Hello there", LONG_REPLY)
MANY_COUNTS = {"accept": (1, 2, 5, 20), "mark": (1, 2, 4, 9), "settle": (1, 2, 4, 9, 14), "submit": (1, 2, 4, 9)}

# Three stories at a time: each waits most of the time.
SHORT_FORM = (
    (("accept.stored", HOLD), ("accept.committed", RESEND), ("recover.stored", HOLD)),
    (("mark.committed", RESEND), ("mark.committed", HOLD), ("notify.stored", RESEND)),
    (("settle.stored", HOLD), ("settle.committed", RESEND), ("notify.called", HOLD)),
    (("submit.taken", HOLD), ("partial.committed", HOLD), ("incoming.committed", RESEND)),
)
RECEIVING = ("incoming", "receive")


def hop_of(point: str) -> str:
    return point.partition(".")[0]


def is_partial(point: str) -> bool:
    """Whether a point is passed only by a message whose segments stay away."""
    return point in ("partial.stored", "partial.committed", "receive.given_up")


async def die_giving_up(it: Rig, point: str) -> None:
    """A long message has waited for an hour while the server was down."""
    await it.served.start()
    it.centre.deliver_incoming("27831112222", OURS, LONG_REPLY, system_id="rig", lost={2})
    await until(lambda: it.centre.delivered == 2)
    await it.served.kill()
    age_segments(it.served.data)
    await it.served.start_doomed(point, 1)
    assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)


async def die_under_load(it: Rig, point: str, count: int) -> None:
    if hop_of(point) == "recover":
        await it.served.start()
        load = asyncio.create_task(it.customer.load(MOST))
        await until(lambda: len(it.submits()) >= 40)
        await it.served.kill()
        await load
    await it.served.start_doomed(point, count)
    if hop_of(point) in RECEIVING:
        for text in REPLIES:
            it.centre.deliver_incoming("27831112222", OURS, text, system_id="rig")
    await it.customer.load(MOST)
    assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)


async def story(data: Path, point: str, policy: Policy, *, count: int = 0) -> None:
    # With little memory most messages wait in the store, from where they are claimed.
    environ = {"HELIOGRAPH_MEMORY_LIMIT": "20"} if hop_of(point) == "claim" else {}
    async with rig(data, policy, environ=environ) as it:
        await it.hear_replies(OURS)
        if is_partial(point):
            await die_giving_up(it, point)
            expected = [PARTIAL_REPLY]
        else:
            await die_under_load(it, point, count or COUNTS.get(hop_of(point), 1))
            expected = list(REPLIES) if hop_of(point) in RECEIVING else []
        await it.served.start()
        await until(lambda: len(it.replies()) >= len(expected))
        outcome = await it.settle()
        outcome.check(policy, window=WINDOW)
        # Each was stored once and told as one reply, however often the webhook was called.
        assert sorted(incoming_texts(data)) == sorted(it.replies()) == sorted(expected)


@pytest.mark.parametrize("stories", SHORT_FORM, ids=lambda stories: "+".join(point for point, _ in stories))
@live
async def test_a_kill_costs_no_more_than_promised(tmp_path: Path, stories: tuple[tuple[str, Policy], ...]) -> None:
    async with asyncio.TaskGroup() as group:
        for place, (point, policy) in enumerate(stories):
            group.create_task(story(tmp_path / str(place), point, policy))


@pytest.mark.long
@pytest.mark.parametrize(
    ("point", "count"),
    [
        (point, count)
        for point in POINTS
        if hop_of(point) not in ELSEWHERE
        for count in (0, *MANY_COUNTS.get(hop_of(point), ()))
    ],
)
@pytest.mark.parametrize("policy", [RESEND, HOLD], ids=["resend", "hold"])
@live
async def test_a_kill_at_every_point_early_and_late(tmp_path: Path, point: str, policy: Policy, count: int) -> None:
    await story(tmp_path, point, policy, count=count)


@pytest.mark.long
@pytest.mark.parametrize("policy", [RESEND, HOLD], ids=["resend", "hold"])
@live
async def test_one_kill_after_another(tmp_path: Path, policy: Policy) -> None:
    deaths = (("mark.committed", 3), ("settle.stored", 2), ("recover.committed", 1), ("settle.committed", 2))
    async with rig(tmp_path, policy) as it:
        for place, (point, count) in enumerate(deaths, start=1):
            await it.served.start_doomed(point, count)
            await it.customer.load(place * 60)
            assert await it.served.died() == -signal.SIGKILL
        await it.served.start()
        outcome = await it.settle()
        outcome.check(policy, window=len(deaths) * WINDOW)
