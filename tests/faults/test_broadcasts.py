"""kill -9 while a broadcast is expanded: it goes on where it was, and everybody gets one message."""

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from heliograph.core.directory import Policy
from tests.faults.rig import WINDOW, Rig, live, rig, until

CONTACTS = 450
"""More than are submitted together, fewer than are read together, and then some in another group."""

OTHERS = 120
TEXT = "Hello {first_name|friend}"
RESEND, HOLD = Policy.RESEND, Policy.HOLD

# Two stories at a time: each waits most of the time.
SHORT_FORM = (
    (("broadcast.read", 1, RESEND), ("accept.stored", 2, HOLD)),
    (("accept.committed", 2, RESEND), ("broadcast.moved", 3, HOLD)),
)


async def begin(it: Rig, folder: Path) -> str:
    """A broadcast to two groups, of whom some are in both; its uid."""
    numbers = it.customer.fresh("Hello", CONTACTS + OTHERS // 2)
    for name, its in (("first", numbers[:CONTACTS]), ("second", numbers[-OTHERS:])):
        path = folder / f"{name}.csv"
        lines = [f"+{number},{'Ann' if place % 2 else ''}" for place, number in enumerate(its)]
        path.write_text("\n".join(["msisdn,first_name", *lines, ""]))
        await it.commands.run("group", "add", "acme", name)
        await it.commands.run("contact", "import", "acme", name, str(path))
    begun = await it.commands.run("broadcast", "start", "acme", "--group", "first", "--group", "second", "--text", TEXT)
    it.customer.accepted.update(dict.fromkeys(numbers, "Hello"))
    return str(begun["uid"])


async def ended(it: Rig, uid: str) -> dict[str, Any]:
    """The broadcast when it is over."""
    document: dict[str, Any] = await it.commands.run("broadcast", "show", uid, "--follow")
    return document


async def check(it: Rig, uid: str, policy: Policy, *, window: int = WINDOW) -> None:
    document = await ended(it, uid)
    everybody = len(it.customer.accepted)
    assert (document["state"], document["accepted"], document["refused"]) == ("done", everybody, 0)
    outcome = await it.settle(seconds=80)
    outcome.check(policy, window=window)
    assert len(await it.messages()) == everybody
    texts = Counter(text for _, text in it.submits())
    assert set(texts) == {b"Hello Ann", b"Hello friend"}


async def story(folder: Path, point: str, count: int, policy: Policy) -> None:
    async with rig(folder, policy) as it:
        uid = await begin(it, folder)
        await it.served.start_doomed(point, count)
        assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)
        await it.served.start()
        await check(it, uid, policy)


@pytest.mark.parametrize("stories", SHORT_FORM, ids=lambda stories: "+".join(point for point, *_ in stories))
@live
async def test_a_kill_costs_nobody_a_message_and_gives_nobody_two(
    tmp_path: Path, stories: tuple[tuple[str, int, Policy], ...]
) -> None:
    async with asyncio.TaskGroup() as group:
        for place, (point, count, policy) in enumerate(stories):
            group.create_task(story(tmp_path / str(place), point, count, policy))


@live
async def test_a_cancelled_broadcast_stays_cancelled_and_its_messages_go_on(tmp_path: Path) -> None:
    async with rig(tmp_path, RESEND) as it:
        uid = await begin(it, tmp_path)
        await it.served.start_doomed("broadcast.moved", 2)
        assert await it.served.died() == -signal.SIGKILL
        cancelled = await it.commands.run("broadcast", "cancel", uid)
        assert cancelled["state"] == "cancelled"
        listed = {document["recipient"].lstrip("+") for document in await it.messages()}
        assert 0 < len(listed) == cancelled["accepted"] < CONTACTS
        it.customer.accepted = dict.fromkeys(listed, "Hello")
        await it.served.start()
        await until(lambda: it.carried() >= listed)
        outcome = await it.settle()
        outcome.check(RESEND)
        assert len(await it.messages()) == len(listed)


@pytest.mark.long
@pytest.mark.parametrize("policy", [RESEND, HOLD], ids=["resend", "hold"])
@pytest.mark.parametrize("count", [1, 2, 4, 5])
@pytest.mark.parametrize("point", ["broadcast.read", "broadcast.moved", "accept.stored", "accept.committed"])
@live
async def test_a_kill_at_every_point_early_and_late(tmp_path: Path, point: str, count: int, policy: Policy) -> None:
    if point == "broadcast.read" and count > 2:
        pytest.skip("there are two groups, of a page each")
    await story(tmp_path, point, count, policy)


@pytest.mark.long
@live
async def test_one_kill_after_another(tmp_path: Path) -> None:
    deaths = ("broadcast.read", "accept.committed", "broadcast.moved", "accept.stored", "accept.committed")
    async with rig(tmp_path, RESEND) as it:
        uid = await begin(it, tmp_path)
        for point in deaths:
            await it.served.start_doomed(point, 1)
            assert await it.served.died() == -signal.SIGKILL
        await it.served.start()
        await check(it, uid, RESEND, window=len(deaths) * WINDOW)
