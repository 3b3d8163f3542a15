"""One exchange sends through another, in each dialect: receipts and replies travel back over both."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from heliograph.carriers import http
from heliograph.core.fates import Fate
from heliograph.testing.ports import free_ports
from heliograph.testing.receiver import Answer, Receiver
from heliograph.testing.served import Requests, Served
from tests.faults.commands import Commands
from tests.faults.rig import live

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415478da63f8cfc0000003010100f70341430000000049454e44ae426082"
)
OURS = {"touchbasepro": "27820000001", "bulkvs": "13105550001", "textboost": "447700900001"}
"""The number that each account of the upper exchange has, and the account of the lower one has them all."""

PREFIX = {"touchbasepro": "2783123", "bulkvs": "1310555", "textboost": "4477009"}
SHORT = "Good day"
LONG = "A long text that has several segments, and nobody cuts it on the way: снег. " * 3


@dataclass(slots=True)
class Two:
    """Both exchanges, and the web server of the customer of the lower one. access: user and key, by recipe."""

    upper: Served
    lower: Served
    above: Commands
    below: Commands
    customer: Receiver
    access: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def send(self, recipe: str, digits: str, text: str, *more: str) -> str:
        """Send from the number that the recipe's carrier has; the message's id."""
        words = ("--account", "acme", "--to", "+" + PREFIX[recipe] + digits, "--from", OURS[recipe], "--text", text)
        sent = await self.below.run("message", "send", *words, *more)
        (message,) = sent["messages"]
        identifier: str = message["id"]
        return identifier

    async def states(self, commands: Commands) -> dict[str, tuple[str, int]]:
        """State and segments of all messages, by recipient."""
        listed = await commands.run("message", "list", "--limit", "1000")
        return {each["recipient"]: (each["state"], each["segments"]) for each in listed["messages"]}

    async def until(self, commands: Commands, wanted: dict[str, tuple[str, int]]) -> None:
        """Wait until messages stand as they should."""
        found: dict[str, tuple[str, int]] = {}
        try:
            async with asyncio.timeout(30):
                while not wanted.items() <= (found := await self.states(commands)).items():  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError("\n".join([str(found), *self.upper.log[-20:], *self.lower.log[-20:]])) from None

    async def until_all(self, commands: Commands, numbers: list[str], states: set[str]) -> None:
        """Wait until the messages to all numbers are in one of some states."""
        async with asyncio.timeout(30):
            while True:
                found = await self.states(commands)
                if all(number in found and found[number][0] in states for number in numbers):
                    return
                await asyncio.sleep(0.1)

    async def check_books(self) -> None:
        """Both agree with themselves."""
        for commands in (self.above, self.below):
            audit = await commands.run("audit")
            assert audit["is_clean"], audit["findings"]

    def replies(self) -> list[tuple[str, str]]:
        """What the customer's webhook was told as replies: from whom, and what."""
        bodies = [json.loads(call.body) for call in self.customer.calls if call.path == "/replies"]
        return [(event["Number"], event["Message"]) for body in bodies for event in body["Events"]]


@asynccontextmanager
async def two(folder: Path) -> AsyncIterator[Two]:
    """Two exchanges that run, the lower one with a carrier for each dialect of the upper."""
    # They find each other again after a restart.
    ports = free_ports(2)
    picture = Answer(200, (("Content-Type", "image/png"),), PICTURE)
    async with (
        Receiver(picture) as customer,
        Served(folder / "upper", {"HELIOGRAPH_LISTEN": f"127.0.0.1:{ports[0]}"}) as upper,
        Served(folder / "lower", {"HELIOGRAPH_LISTEN": f"127.0.0.1:{ports[1]}"}) as lower,
    ):
        it = Two(upper, lower, Commands(upper.data), Commands(lower.data), customer)
        await asyncio.gather(upper.start(), lower.start())
        await it.above.run("carrier", "add", "loop", "--url", "loopback:", "receipt_delay_ms=400")
        await it.below.run("account", "add", "acme", "--credits", "1000")
        for kind, path in (("MessageStatusUpdate", "states"), ("MessageReply", "replies")):
            about = ("--dialect", "touchbasepro", "--type", kind)
            await it.below.run("webhook", "add", "acme", f"{customer.url}/{path}", *about)
        for recipe, number in OURS.items():
            made = await it.above.run("account", "add", recipe, "--credits", "1000")
            await it.above.run("account", "set", recipe, "--sender", number)
            it.access[recipe] = made["user"], made["api_key"]
            await it.above.run("number", "add", recipe, f"+{number}")
            await it.below.run("number", "add", "acme", f"+{number}")
            await _connect(it, folder, recipe)
        yield it


async def _connect(it: Two, folder: Path, recipe: str) -> None:
    """Add the carrier, with its recipe in a file of the operator's own that asks for news more often."""
    text = resources.files(http).joinpath("recipes", f"{recipe}.toml").read_text("utf-8")
    own = folder / f"{recipe}.toml"
    own.write_text(text.replace("every_s = 5", "every_s = 1"), "utf-8")
    user, key = it.access[recipe]
    url = f"http-recipe://{user}:{quote(key)}@127.0.0.1:{it.upper.port}?recipe={own}&plain=yes"
    await it.below.run("carrier", "add", recipe, "--url", url, f"numbers={OURS[recipe]}")
    await it.below.run("route", "add", "--carrier", recipe, "--prefix", PREFIX[recipe])
    if recipe == "bulkvs":
        await it.below.run("route", "add", "--carrier", recipe, "--prefix", PREFIX[recipe], "--channel", "mms")


async def until_some(commands: Commands) -> None:
    """Wait until a message is on its way through."""
    async with asyncio.timeout(20):
        while True:
            listed = await commands.run("message", "list", "--limit", "1000")
            if any(each["state"] != "delivered" for each in listed["messages"]):
                return
            await asyncio.sleep(0.02)


async def eventually(look: Callable[[], Any]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(30):
        while not look():  # noqa: ASYNC110 (another process sets no event of ours)
            await asyncio.sleep(0.05)


async def _webhooks_are_made(it: Two) -> None:
    """The carriers' setups have run; what only the vendor's customer can choose there is chosen."""
    async with asyncio.timeout(20):
        while True:
            if len((await it.above.run("webhook", "list"))["webhooks"]) == 3:
                break
            await asyncio.sleep(0.1)
    basic = base64.b64encode(":".join(it.access["bulkvs"]).encode()).decode()
    async with Requests(it.upper.port) as requests:
        body = json.dumps({"TN": OURS["bulkvs"], "Webhook": "heliograph"}).encode()
        headers = {"Authorization": f"Basic {basic}"}
        assert (await requests.ask("POST", "/api/v1.0/tnRecord", body, headers=headers)).status == 200


@live
async def test_receipts_and_replies_come_back_over_both_in_every_dialect(tmp_path: Path) -> None:
    async with two(tmp_path) as it:
        await _webhooks_are_made(it)
        wanted: dict[str, tuple[str, int]] = {}
        for recipe, prefix in PREFIX.items():
            for digits, text, state, segments in (
                ("0001", SHORT, "delivered", 1),
                ("0002", LONG, "delivered", 4),
                ("99902", SHORT, "undelivered", 1),
                ("99909", LONG, "delivered", 4),
            ):
                await it.send(recipe, digits, text)
                wanted[f"+{prefix}{digits}"] = (state, segments)
        await it.send("bulkvs", "199909", "look", "--channel", "mms", "--media", f"{it.customer.url}/a.png")
        wanted[f"+{PREFIX['bulkvs']}199909"] = ("delivered", 1)
        await it.until(it.below, wanted)
        # The upper one has each text whole, however many segments it counts.
        assert wanted.items() <= (await it.states(it.above)).items()
        await eventually(lambda: len(it.replies()) >= 4)
        senders = [*(f"{prefix}99909" for prefix in PREFIX.values()), f"{PREFIX['bulkvs']}199909"]
        assert sorted(it.replies()) == sorted((sender, str(Fate.REPLIES.reply)) for sender in senders)
        came = (await it.below.run("incoming", "list"))["incoming"]
        assert {(each["sender"], each["recipient"]) for each in came} == {
            (sender, OURS[recipe]) for sender, recipe in zip(senders, [*PREFIX, "bulkvs"], strict=True)
        }
        (picture,) = [each for each in came if each["channel"] == "mms"]
        assert [file["type"] for file in picture["files"]] == ["image/png"]
        await it.check_books()


@pytest.mark.long
@live
async def test_neither_a_crash_above_nor_one_below_loses_or_doubles_a_message(tmp_path: Path) -> None:
    async with two(tmp_path) as it:
        await _webhooks_are_made(it)
        numbers: list[str] = []
        for victim in (it.lower, it.upper):
            for recipe, prefix in PREFIX.items():
                digits = f"000{victim is it.upper:d}"
                await it.send(recipe, digits, SHORT)
                numbers.append(f"+{prefix}{digits}")
            await until_some(it.above)
            await victim.kill()
            await victim.start()
            if victim is it.lower:
                await it.until(it.below, dict.fromkeys(numbers, ("delivered", 1)))
        # What the loopback carrier of the upper one had still to tell ended with it.
        ends = {"submitted", "delivered"}
        await it.until_all(it.below, numbers, ends)
        await it.until_all(it.above, numbers, ends)
        listed = (await it.above.run("message", "list", "--limit", "1000"))["messages"]
        assert sorted(each["recipient"] for each in listed) == sorted(numbers)
        await it.check_books()
