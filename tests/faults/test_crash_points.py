"""kill -9 at every named point inside each hop: nothing is lost, nobody pays twice, nothing is told too seldom."""

import asyncio
import signal
from pathlib import Path

import pytest

from heliograph.core.directory import Policy
from heliograph.testing.doomed import POINTS
from tests.faults.rig import WINDOW, Rig, incoming_texts, live, rig, until

MOST = 200
RESEND, HOLD = Policy.RESEND, Policy.HOLD

# How often a point is passed before the process dies: late enough for all hops to be busy, early enough to come at all.
COUNTS = {"accept": 12, "mark": 6, "settle": 6, "submit": 6, "claim": 2}
MANY_COUNTS = {"accept": (1, 2, 5, 20), "mark": (1, 2, 4, 9), "settle": (1, 2, 4, 9, 14), "submit": (1, 2, 4, 9)}

# Three stories at a time: each waits most of the time.
SHORT_FORM = (
    (("accept.stored", HOLD), ("accept.committed", RESEND), ("recover.stored", HOLD)),
    (("mark.committed", RESEND), ("mark.committed", HOLD), ("notify.stored", RESEND)),
    (("settle.stored", HOLD), ("settle.committed", RESEND), ("notify.called", HOLD)),
    (("submit.taken", HOLD), ("submit.answered", RESEND), ("incoming.committed", RESEND)),
)


def hop_of(point: str) -> str:
    return point.partition(".")[0]


async def die_under_load(it: Rig, point: str, count: int) -> None:
    if hop_of(point) == "recover":
        await it.served.start()
        load = asyncio.create_task(it.customer.load(MOST))
        await until(lambda: len(it.submits()) >= 40)
        await it.served.kill()
        await load
    await it.served.start_doomed(point, count)
    if hop_of(point) == "incoming":
        it.centre.deliver_incoming("27831112222", "27600", "Hello there", system_id="rig")
    await it.customer.load(MOST)
    assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)


async def story(data: Path, point: str, policy: Policy, *, count: int = 0) -> None:
    # With little memory most messages wait in the store, from where they are claimed.
    environ = {"HELIOGRAPH_MEMORY_LIMIT": "20"} if hop_of(point) == "claim" else {}
    async with rig(data, policy, environ=environ) as it:
        await die_under_load(it, point, count or COUNTS.get(hop_of(point), 1))
        await it.served.start()
        outcome = await it.settle()
        outcome.check(policy, window=WINDOW)
        if hop_of(point) == "incoming":
            assert set(incoming_texts(data)) == {"Hello there"}


@pytest.mark.parametrize("stories", SHORT_FORM, ids=lambda stories: "+".join(point for point, _ in stories))
@live
async def test_a_kill_costs_no_more_than_promised(tmp_path: Path, stories: tuple[tuple[str, Policy], ...]) -> None:
    async with asyncio.TaskGroup() as group:
        for place, (point, policy) in enumerate(stories):
            group.create_task(story(tmp_path / str(place), point, policy))


@pytest.mark.long
@pytest.mark.parametrize(
    ("point", "count"), [(point, count) for point in POINTS for count in (0, *MANY_COUNTS.get(hop_of(point), ()))]
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
