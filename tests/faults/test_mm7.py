"""MMS through a real server and an MM7 centre that shares no code with it: out, reports back, and replies in."""

import asyncio
import http.client
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from heliograph.carriers import loopback
from heliograph.carriers.kinds import KINDS
from heliograph.core.directory import Policy
from heliograph.core.events import EventKind
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.webhooks import Webhooks
from heliograph.store.opening import open_store
from heliograph.testing.receiver import Answer, Receiver
from heliograph.testing.served import Served
from tests.conformance.mmsc import Answering, Centre, Posted, Said
from tests.faults.commands import Commands
from tests.faults.rig import live, until

PICTURE = loopback.PICTURE.content
REPLY = b"\x89PNG\r\n\x1a\n another"
HANDSET = "+27831234567"
OURS = "+27820000000"
MEDIA_URL = re.compile(rb'"(http://[^"]+/media/[^"]+)"')


@dataclass(slots=True)
class Scene:
    """A server with an MM7 carrier, its centre, a customer's web server and webhook, and the command line."""

    served: Served
    centre: Centre
    web: Receiver
    hook: Receiver
    commands: Commands

    async def send(self) -> str:
        """An MMS from the command line; the id of its message."""
        told = await self.commands.run(
            "message", "send", "--account", "acme", "--channel", "mms", "--from", OURS, "--text", "Look 🦉",
            "--media", f"{self.web.url}/a.png", "--to", HANDSET,
        )  # fmt: skip
        return str(told["messages"][0]["id"])

    async def tell(self, posted: Posted) -> Said:
        """The centre calls the address that the operator gave it."""
        shown = await self.commands.run("carrier", "show", "picture")
        path = urlsplit(shown["callback"]).path
        return await asyncio.to_thread(self.centre.post, f"http://127.0.0.1:{self.served.port}{path}", posted)

    async def trace(self, message: str) -> Any:
        """What the command line knows of a message."""
        return await self.commands.run("message", "trace", message)

    async def heard(self, word: bytes) -> bytes:
        """The body in which the webhook has heard a word, once it has."""
        await until(lambda: any(word in call.body for call in self.hook.calls))
        return next(call.body for call in self.hook.calls if word in call.body)


@asynccontextmanager
async def scene(data: Path, *, policy: Policy = Policy.RESEND) -> AsyncIterator[Scene]:
    store = await open_store("", data)
    clock = SystemClock()
    with Centre() as centre:
        async with Receiver(Answer(200, (("Content-Type", "image/png"),), PICTURE)) as web, Receiver() as hook:
            made = await Accounts(store, clock).add("acme", amount=100 * CREDIT)
            await Numbers(store, clock).add("acme", OURS, options=NumberOptions())
            url = f"mm7+http://shop:se%40cret@127.0.0.1:{centre.port}/mm7"
            await Carriers(store, clock, kinds=KINDS).add("picture", CarrierOptions(url=url, policy=policy))
            for dialect, kind in (("touchbasepro", EventKind.STATUS), ("bulkvs", EventKind.REPLY)):
                await Webhooks(store, clock, actor="test").add(
                    made.account.account_id, dialect=dialect, kind=kind, url=f"{hook.url}/told"
                )
            await store.close()
            async with Served(data) as served:
                yield Scene(served, centre, web, hook, Commands(data))
        assert centre.complaints == []


@live
async def test_an_mms_goes_out_is_reported_and_answered_with_a_picture(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.served.start()
        message = await it.send()
        await until(lambda: len(it.centre.submitted) == 1)
        (submitted,) = it.centre.submitted
        assert (submitted.recipient, submitted.text) == (HANDSET, "Look 🦉")
        assert [each.content for each in submitted.files if each.content_type == "image/png"] == [PICTURE]

        said = await it.tell(it.centre.delivery_report(submitted.message_id, HANDSET[1:], status="Forwarded"))
        assert said.status == 200
        said = await it.tell(it.centre.delivery_report(submitted.message_id, HANDSET[1:]))
        assert (said.status, said.answer.text("Status/StatusCode")) == (200, "1000")
        await it.heard(b'"Delivered"')
        events = (await it.trace(message))["events"]
        assert [event["state"] for event in events] == ["submitted", "delivered"]

        said = await it.tell(it.centre.from_handset(HANDSET[1:], OURS, text="And you?", picture=REPLY))
        assert (said.status, said.answer.name) == (200, "DeliverRsp")
        found = MEDIA_URL.search(await it.heard(b"And+you"))
        assert found is not None
        assert await asyncio.to_thread(fetched, it.served.port, urlsplit(found[1].decode()).path) == REPLY

        shown = await it.commands.run("account", "show", "acme")
        assert (shown["available"], shown["held"], shown["captured"]) == (97, 0, 3)
        assert await it.served.stop() == 0, "\n".join(it.served.log)
        audit = await it.commands.run("audit")
        assert audit["is_clean"], audit["findings"]


def fetched(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


@live
async def test_what_was_stored_and_not_answered_is_known_again_when_it_is_repeated(tmp_path: Path) -> None:
    async with scene(tmp_path) as it:
        await it.served.start_doomed("receive.taken", 1)
        posted = it.centre.from_handset(HANDSET[1:], OURS, text="Once", picture=REPLY)
        with pytest.raises((OSError, http.client.HTTPException)):
            await it.tell(posted)
        await it.served.died()
        await it.served.start()
        assert (await it.tell(posted)).status == 200
        assert (await it.tell(it.centre.from_handset(HANDSET[1:], OURS, text="Twice", picture=REPLY))).status == 200
        await it.heard(b"Once")
        await it.heard(b"Twice")
        assert sum(call.body.count(b"Once") for call in it.hook.calls) == 1


@pytest.mark.long
@pytest.mark.parametrize("policy", Policy)
@live
async def test_a_call_that_was_on_its_way_when_the_power_failed(tmp_path: Path, policy: Policy) -> None:
    async with scene(tmp_path, policy=policy) as it:
        it.centre.answer = lambda _: Answering(hangs=True)
        await it.served.start()
        message = await it.send()
        await until(lambda: len(it.centre.submitted) == 1)
        await it.served.kill()
        it.centre.answer = lambda _: Answering()
        it.centre.let_go()
        await it.served.start()
        if policy is Policy.HOLD:
            assert (await it.trace(message))["message"]["state"] == "held"
            said = await it.tell(it.centre.delivery_report(it.centre.submitted[0].message_id, HANDSET[1:]))
            assert said.status == 200
            await it.heard(b'"Delivered"')
            assert len(it.centre.submitted) == 1
        else:
            await until(lambda: len(it.centre.submitted) == 2)
            assert len(set(it.centre.recipients)) == 1
