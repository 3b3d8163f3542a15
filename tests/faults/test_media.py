"""An MMS in a real server: its way from the command line to the carrier, and kill -9 at every point of it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heliograph.carriers.kinds import KINDS
from heliograph.core.events import EventKind
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.pipeline.ports import Kept
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.media import Links, key_of
from heliograph.services.webhooks import Webhooks
from heliograph.store.blobs.blobs import digest_of
from heliograph.store.opening import open_store
from heliograph.testing.doomed import POINTS
from heliograph.testing.receiver import Answer, Receiver
from heliograph.testing.served import Requests, Served
from tests.faults.commands import Commands
from tests.faults.rig import LOOK_S, live

PICTURE = b"GIF89a a picture"
NUMBERS = ("+27831234501", "+27831234511")
POINTS_OF_MMS = [point for point in POINTS if point.partition(".")[0] in ("fetch", "fetched", "keep")]
SHORT_FORM = ("fetch.kept", "fetched.stored")


@dataclass(slots=True)
class Scene:
    """A data folder, its server, a customer's web server and webhook, and the command line."""

    served: Served
    web: Receiver
    hook: Receiver
    commands: Commands

    async def send(self, *urls: str, to: tuple[str, ...] = NUMBERS) -> list[str]:
        """An MMS from the command line; the ids of its messages."""
        words = [word for url in urls for word in ("--media", url)] + [word for each in to for word in ("--to", each)]
        told = await self.commands.run("message", "send", "--account", "acme", "--channel", "mms", *words)
        return [each["id"] for each in told["messages"]]

    async def trace(self, message: str) -> Any:
        """What the command line knows of a message."""
        return await self.commands.run("message", "trace", message)

    async def credits(self) -> tuple[int, int, int]:
        """Available, held and captured ones."""
        shown = await self.commands.run("account", "show", "acme")
        return shown["available"], shown["held"], shown["captured"]

    async def end(self) -> None:
        """Stop in good order; the books agree."""
        assert await self.served.stop() == 0, "\n".join(self.served.log)
        audit = await self.commands.run("audit")
        assert audit["is_clean"], audit["findings"]


@asynccontextmanager
async def scene(data: Path, environ: dict[str, str] | None = None) -> AsyncIterator[Scene]:
    store = await open_store("", data)
    clock = SystemClock()
    async with Receiver(Answer(200, (("Content-Type", "image/gif"),), PICTURE)) as web, Receiver() as hook:
        made = await Accounts(store, clock).add("acme", amount=100 * CREDIT)
        await Carriers(store, clock, kinds=KINDS).add("loop", CarrierOptions(url="loopback:"))
        await Webhooks(store, clock, actor="test").add(
            made.account.account_id, dialect="touchbasepro", kind=EventKind.STATUS, url=f"{hook.url}/told"
        )
        await store.close()
        async with Served(data, environ) as served:
            yield Scene(served, web, hook, Commands(data))


async def link_to(data: Path, octets: bytes) -> str:
    """The path of a link to a file, as this installation signs it."""
    store = await open_store("", data)
    try:
        key = await key_of(store, os.urandom)
    finally:
        await store.close()
    links = Links(key, SystemClock(), base="", good_for_s=3_600)
    return links.link(Kept(digest_of(octets), "image/gif", len(octets))).url


async def told_of(it: Scene, word: bytes, count: int) -> None:
    """Wait until the webhook has heard a word so often."""
    for calls in range(1, 100):
        await it.hook.wait_for(calls, timeout_s=30)
        if sum(call.body.count(word) for call in it.hook.calls) >= count:
            return


@live
async def test_an_mms_reaches_its_recipients(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.served.start()
        messages = await it.send(f"{it.web.url}/a.gif", f"{it.web.url}/b.gif")
        await told_of(it, b'"Delivered"', 2)
        assert sorted(call.path for call in it.web.calls) == ["/a.gif", "/b.gif"]
        for message in messages:
            trace = await it.trace(message)
            assert [event["state"] for event in trace["events"]] == ["submitted", "delivered"]
            assert (trace["message"]["channel"], trace["message"]["segments"]) == ("mms", 1)
        assert await it.credits() == (94, 0, 6)
        assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1
        link = await link_to(tmp_path, PICTURE)
        async with Requests(it.served.port) as requests:
            reply = await requests.ask("GET", link)
            assert (reply.status, reply.body, reply.headers["content-type"]) == (200, PICTURE, "image/gif")
            assert reply.headers["x-content-type-options"] == "nosniff"
            guess = "A" if link[-5] != "A" else "B"
            assert (await requests.ask("GET", link[:-5] + guess + ".gif")).status == 404
        await it.end()


@live
async def test_a_file_that_is_not_there_fails_the_mms_and_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        it.web.answers["/gone.gif"] = Answer(404, (), b"secret words")
        await it.served.start()
        (message,) = await it.send(f"{it.web.url}/gone.gif", to=NUMBERS[:1])
        await told_of(it, b'"Undelivered"', 1)
        trace = await it.trace(message)
        (event,) = trace["events"]
        assert (event["state"], event["detail"]) == ("failed", "file 1 of 1: answered 404")
        assert event["reason"] == "A file of the message could not be fetched, or cannot be sent."
        assert trace["attempts"] == []
        assert await it.credits() == (100, 0, 0)
        await it.end()


@live
async def test_a_private_address_is_fetched_only_when_the_operator_allows_it(tmp_path: Path) -> None:
    hooked = {"HELIOGRAPH_WEBHOOK_ALLOW": "127.0.0.2/32"}
    async with scene(tmp_path, hooked) as it:
        await it.served.start()
        (message,) = await it.send(f"{it.web.url}/a.gif", to=NUMBERS[:1])
        trace = await it.trace(message)
        while trace["message"]["state"] == "queued":
            await asyncio.sleep(LOOK_S)
            trace = await it.trace(message)
        (event,) = trace["events"]
        assert event["detail"] == (
            "file 1 of 1: 127.0.0.1 is a loopback address; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW"
        )
        assert it.web.connections == 0
        await it.end()
    hooked["HELIOGRAPH_WEBHOOK_ALLOW"] = "127.0.0.0/8"
    async with Served(tmp_path, hooked) as served, Receiver(Answer(200, (), PICTURE)) as web:
        commands = Commands(tmp_path)
        await served.start()
        words = ("--account", "acme", "--channel", "mms", "--media", web.url, "--to", NUMBERS[0])
        told = await commands.run("message", "send", *words)
        message = told["messages"][0]["id"]
        while (await commands.run("message", "trace", message))["message"]["state"] != "delivered":  # noqa: ASYNC110 (another process)
            await asyncio.sleep(LOOK_S)
        assert await served.stop() == 0


@pytest.mark.parametrize(
    "point",
    [pytest.param(point, marks=() if point in SHORT_FORM else pytest.mark.long) for point in POINTS_OF_MMS],
)
@live
async def test_a_kill_on_the_way_loses_nothing_and_sends_nothing_twice(tmp_path: Path, point: str) -> None:
    async with scene(tmp_path) as it:
        messages = await it.send(f"{it.web.url}/a.gif", f"{it.web.url}/b.gif")
        await it.served.start_doomed(point, 1)
        assert await it.served.died() == -signal.SIGKILL, "\n".join(it.served.log)
        await it.served.start()
        await told_of(it, b'"Delivered"', 2)
        for message in messages:
            trace = await it.trace(message)
            assert [event["state"] for event in trace["events"]] == ["submitted", "delivered"]
            assert len(trace["attempts"]) == 1
        assert await it.credits() == (94, 0, 6)
        await it.end()
