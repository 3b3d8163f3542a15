"""Jasmin as a carrier, played by a stub that was written from its documentation of `send`, its receipts and its `http`
connectors: it refuses what Jasmin refuses, and calls back until it is told `ACK/Jasmin`.
"""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode

from heliograph.carriers.http.callback import HttpCallback
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Deferred, Refused, Submitted
from heliograph.core.receipts import match_key
from heliograph.core.states import MessageState
from heliograph.net.http import Asked, Told
from heliograph.pipeline.ports import CarrierCall
from heliograph.testing.feeds import NotingSession
from tests.unit.carriers.http.stories import CALLBACK, Script, carrier, parcel
from tests.unit.carriers.http.test_driver import World, live

USER, PASSWORD = "shop", "1|s/cret"
_ALPHABET = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "13", "14"}


class Taken(NamedTuple):
    """A message as Jasmin took it."""

    identifier: str
    recipient: str
    text: str
    level: str


class Jasmin:
    """The stub. taken: what it took. is_routed: whether it knows a way for anything. refusal: of everything."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.is_routed = True
        self.refusal = ""

    def answer(self, asked: Asked) -> Told:
        """What `/send` says."""
        given = {name: values[0] for name, values in parse_qs((asked.body or b"").decode()).items()}
        refusal = self._refusal(asked, given)
        if refusal is not None:
            return refusal
        hexadecimal = given.get("hex-content")
        text = given.get("content", "") if hexadecimal is None else bytes.fromhex(hexadecimal).decode("utf-16-be")
        self.taken.append(Taken(str(uuid.uuid4()), given["to"], text, given["dlr-level"]))
        return Told(200, "text/html", f'Success "{self.taken[-1].identifier}"'.encode())

    def _refusal(self, asked: Asked, given: dict[str, str]) -> Told | None:
        if self.refusal:
            return self._error(400, self.refusal)
        for name in ("to", "username", "password"):
            if name not in given:
                return self._error(400, f"Mandatory argument [{name}] is not found.")
        if ("content" in given) == ("hex-content" in given):
            return self._error(400, "content and hex-content cannot be used both in same request.")
        if not asked.url.endswith("/send") or given.get("coding", "0") not in _ALPHABET:
            return self._error(400, "Argument [coding] has an invalid value.")
        if given.get("dlr") == "yes" and (given.get("dlr-level") not in ("1", "2", "3") or "dlr-url" not in given):
            return self._error(400, "Argument [dlr-level] has an invalid value.")
        if (given["username"], given["password"]) != (USER, PASSWORD):
            return self._error(403, f"Authentication failure for username:{given['username']}")
        return None if self.is_routed else self._error(412, "No route found")

    def _error(self, status: int, why: str) -> Told:
        return Told(status, "text/html", f'Error "{why}"'.encode())


class Call(NamedTuple):
    """What Jasmin was told when it called back."""

    status: int
    body: bytes


@asynccontextmanager
async def at_work() -> AsyncIterator[tuple[Jasmin, World, HttpCallback]]:
    """The stub, the driver, and our end of its calls."""
    jasmin = Jasmin()
    world = World("jasmin", Script(jasmin.answer))
    inbox = NotingSession(world.feed, 0)
    callback = HttpCallback(carrier("jasmin"), inbox, web=world.web, public=world.web)
    world.start()
    try:
        yield jasmin, world, callback
    finally:
        await world.stop()


async def post(callback: HttpCallback, path: str, **fields: str) -> Call:
    """Jasmin calls back."""
    answer = await callback.called(CarrierCall("POST", path, "", {}, urlencode(fields).encode()))
    return Call(answer.status, answer.body)


async def sent(world: World, each: Parcel) -> object:
    """What became of a parcel."""
    before = len(world.feed.outcomes)
    world.feed.offer([each])
    await world.feed.until(lambda: len(world.feed.outcomes) > before)
    return world.feed.outcomes[-1]


@live
async def test_texts_of_both_alphabets_arrive_whole_and_their_ends_are_told() -> None:
    texts = ["Hello [€]", "Снег и 🐪", "A long text. " * 30]
    async with at_work() as (jasmin, world, callback):
        for number, text in enumerate(texts):
            outcome = await sent(world, parcel(text, number=number))
            assert isinstance(outcome, Submitted)
            assert outcome.carrier_message_id == jasmin.taken[-1].identifier
        assert [each.text for each in jasmin.taken] == texts
        acknowledged = Call(200, b"ACK/Jasmin")
        for each, word in zip(jasmin.taken, ("DELIVRD", "EXPIRED", "UNDELIV"), strict=True):
            about = {"id": each.identifier, "connector": "c1"}
            assert await post(callback, "/receipt", **about, level="1", message_status="ESME_ROK") == acknowledged
            more = {
                "id_smsc": "17",
                "sub": "001",
                "dlvrd": "001",
                "subdate": "",
                "donedate": "",
                "err": "000",
                "text": "",
            }
            assert await post(callback, "/receipt", **about, level="2", message_status=word, **more) == acknowledged
        ends = {receipt.key: receipt.state for receipt in world.feed.receipts if receipt.state is not None}
        assert ends == dict(
            zip(
                [match_key(each.identifier, is_hex=False) for each in jasmin.taken],
                [MessageState.DELIVERED, MessageState.EXPIRED, MessageState.UNDELIVERED],
                strict=True,
            )
        )


@live
async def test_a_reply_is_taken_in_and_acknowledged() -> None:
    async with at_work() as (_, world, callback):
        content = {"content": "yes please", "binary": b"yes please".hex(), "coding": "0", "priority": "1"}
        about = {"id": "m1", "from": "27831234567", "to": "27600", "origin-connector": "c1", **content}
        for _ in range(2):
            assert await post(callback, "/incoming", **about) == Call(200, b"ACK/Jasmin")
        first, again = world.feed.incoming
        assert (first.sender, first.recipient, first.text) == ("27831234567", "27600", "yes please")
        assert first == again


@live
async def test_what_the_store_could_not_take_is_not_acknowledged() -> None:
    async with at_work() as (_, world, callback):
        world.feed.storing = "never"
        call = await post(callback, "/receipt", id="m1", level="2", message_status="DELIVRD")
        assert call.status == 503
        assert b"ACK" not in call.body


@live
async def test_its_refusals_are_understood() -> None:
    async with at_work() as (jasmin, world, _):
        jasmin.is_routed = False
        outcome = await sent(world, parcel())
        assert isinstance(outcome, Deferred)
        assert (outcome.counts, outcome.status) == (True, 'HTTP 412: Error "No route found"')
        jasmin.is_routed = True
        jasmin.refusal = "Argument [to] has an invalid value: [1]."
        assert isinstance(await sent(world, parcel()), Refused)
        assert CALLBACK in str(world.web.asked[0].body and parse_qs(world.web.asked[0].body.decode())["dlr-url"])
