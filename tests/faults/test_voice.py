"""Voice through a real server, its speech engine and the sandbox's phone: what is heard, and what a kill leaves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from heliograph.carriers.kinds import KINDS
from heliograph.core.directory import Policy
from heliograph.core.fates import Fate
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.rtp.wav import samples_from
from heliograph.sandbox.phone import Manners, Phone
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.speech.cache import SpeechCache
from heliograph.services.speech.speaker import EngineSpeaker
from heliograph.services.speech.workers import Workers
from heliograph.store.opening import open_store
from heliograph.testing.served import Served
from heliograph.testing.speech import likeness
from tests.conformance.test_drivers import number_with
from tests.faults.commands import Commands
from tests.faults.rig import live, until

PLAIN = "+27831234567"
TEXT = "Hello."


@dataclass(slots=True)
class Scene:
    """A server with a trunk, the phone at its other end, and the command line."""

    served: Served
    phone: Phone
    commands: Commands

    async def send(self, recipient: str, *, text: str = TEXT) -> str:
        """A voice message from the command line; the id of its message."""
        told = await self.commands.run(
            "message", "send", "--account", "acme", "--channel", "voice", "--to", recipient, "--text", text,
            "--language", "en-gb", "--gender", "male",
        )  # fmt: skip
        return str(told["messages"][0]["id"])

    async def trace(self, message: str) -> Any:
        """What the command line knows of a message."""
        return await self.commands.run("message", "trace", message)

    async def state(self, message: str, *wanted: str) -> str:
        """The state of a message, once it is one of these."""
        async with asyncio.timeout(20):
            while True:
                state = str((await self.trace(message))["message"]["state"])
                if state in wanted:
                    return state
                await asyncio.sleep(0.1)


@asynccontextmanager
async def scene(folder: Path, *, policy: Policy | None = None) -> AsyncIterator[Scene]:
    data, sounds = folder / "data", folder / "sounds"
    sounds.mkdir()
    clock = SystemClock()
    phone = Phone(clock, folder=sounds, manners=Manners(ring_s=0.05))
    port = await phone.start("127.0.0.1", 0)
    try:
        store = await open_store("", data)
        await Accounts(store, clock).add("acme", amount=100 * CREDIT)
        url = f"sip://shop:secret@127.0.0.1:{port}"
        options = CarrierOptions(url=url, policy=policy, settings={"pause_ms": 100})
        await Carriers(store, clock, kinds=KINDS).add("trunk", options)
        await store.close()
        async with Served(data) as served:
            await served.start()
            yield Scene(served, phone, Commands(data))
    finally:
        await phone.stop()


async def spoken(text: str, folder: Path) -> bytes:
    """What a text sounds like."""
    clock = SystemClock()
    workers = Workers(clock)
    speaker = EngineSpeaker(workers, SpeechCache(folder, clock, most_octets=0), clock)
    speech = await speaker.speak(text, language="en-gb", gender="male")
    await workers.end()
    return speech.samples


@live
async def test_a_text_is_heard_at_the_other_end(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        message = await it.send(PLAIN)
        await until(lambda: any(call.file for call in it.phone.calls))
        (call,) = it.phone.calls
        assert call.called == PLAIN
        assert call.file is not None
        heard = samples_from(call.file.read_bytes())
        assert likeness(await spoken(TEXT, tmp_path / "cache"), heard) >= 0.9
        await it.state(message, "delivered")
        events = (await it.trace(message))["events"]
        assert [event["state"] for event in events] == ["submitted", "delivered"]
        shown = await it.commands.run("account", "show", "acme")
        assert (shown["available"], shown["held"], shown["captured"]) == (98, 0, 2)
        assert await it.served.stop() == 0, "\n".join(it.served.log)
        audit = await it.commands.run("audit")
        assert audit["is_clean"], audit["findings"]


@pytest.mark.parametrize(
    "policy", [pytest.param(None, id="default"), pytest.param(Policy.RESEND, marks=pytest.mark.long)]
)
@live
async def test_a_phone_that_rang_when_the_power_failed(tmp_path: Path, policy: Policy | None) -> None:
    async with scene(tmp_path, policy=policy) as it:
        message = await it.send(number_with(Fate.EXPIRED))
        await until(lambda: len(it.phone.calls) == 1)
        await it.served.kill()
        await it.served.start()
        if policy is None:
            assert await it.state(message, "held") == "held"
            # A message behind it is called: nothing of the first one waits any more.
            await it.state(await it.send(PLAIN), "delivered")
            assert [call.called for call in it.phone.calls] == [number_with(Fate.EXPIRED), PLAIN]
        else:
            await until(lambda: len(it.phone.calls) == 2)
            assert len({call.called for call in it.phone.calls}) == 1


@pytest.mark.long
@live
async def test_somebody_who_was_being_spoken_to_when_the_power_failed_is_not_called_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        message = await it.send(PLAIN, text="This takes a while to say. " * 10)
        await it.state(message, "submitted")
        await it.served.kill()
        await it.served.start()
        await it.state(await it.send("+27831234568"), "delivered")
        assert (await it.trace(message))["message"]["state"] == "submitted"
        assert [call.called for call in it.phone.calls] == [PLAIN, "+27831234568"]
