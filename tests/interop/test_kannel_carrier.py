"""Kannel as a carrier of ours over HTTP: our driver hands it messages, and it tells us of their ends and of replies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from heliograph.carriers.http.callback import HttpCallback
from heliograph.carriers.http.driver import Around, HttpDriver
from heliograph.core.directory import Carrier
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import WHOLE, Channel, Content, Message, Parcel
from heliograph.core.outcomes import Submitted
from heliograph.core.states import MessageState
from heliograph.gsm import segments
from heliograph.net.clock import SystemClock
from heliograph.net.guard import Guard
from heliograph.net.http import GuardedClient
from heliograph.pipeline.ports import CallAnswer, CarrierCall
from heliograph.testing.feeds import NotingFeed, NotingSession
from tests.faults.rig import live
from tests.interop.peers import TEXTS, our_message_centre, texts_at
from tests.interop.test_kannel import kannel
from tests.unit.carriers.http.stories import link
from tests.unit.carriers.http.test_driver import Memory

SERVICE = """
group = smsbox-route
smsbox-id = box
smsc-id = heliograph

group = sms-service
keyword = default
catch-all = true
max-messages = 0
get-url = "http://127.0.0.1:{port}/incoming?from=%p&to=%P&text=%b&coding=%c&id=%I"
"""
LOOPBACK = Guard([ip_network("127.0.0.0/8")])


class Address:
    """Our address for its calls: a server that hands them to who reads them."""

    def __init__(self) -> None:
        self.callback: HttpCallback | None = None
        self.targets: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                target = head.split(" ")[1]
                self.targets.append(target)
                url = urlsplit(target)
                assert self.callback is not None
                answer = await self.callback.called(CarrierCall("GET", url.path, url.query, {}, b""))
                writer.write(_written(answer))
        except (OSError, EOFError):
            writer.close()


def _written(answer: CallAnswer) -> bytes:
    return b"HTTP/1.1 %d Told\r\nContent-Length: %d\r\n\r\n" % (answer.status, len(answer.body)) + answer.body


@asynccontextmanager
async def our_address() -> AsyncIterator[Address]:
    it = Address()
    server = await asyncio.start_server(it.serve, "127.0.0.1", 0)
    it.port = server.sockets[0].getsockname()[1]
    try:
        yield it
    finally:
        server.close()


def parcel(number: int, recipient: str, text: str) -> Parcel:
    encoding, cut = segments.split(text, reference=1)
    content = Content(SubmissionId(1), "27820000001", text, encoding, cut)
    message = Message(AccountId(1), MessageId(number), f"+{recipient}", content, (CarrierId(1),), 2**62)
    return Parcel(message, WHOLE if len(cut) > 1 else 0)


@live
async def test_kannel_carries_every_text_and_tells_of_its_end_and_of_replies(tmp_path: Path) -> None:
    async with our_address() as address, our_message_centre() as (centre, port):
        more = SERVICE.format(port=address.port)
        async with (
            kannel(tmp_path, centre=port, more=more) as (bearer, send),
            GuardedClient(LOOPBACK) as web,
        ):
            await bearer.until(lambda: centre.sessions == 1)
            carrier = Carrier(
                carrier_id=CarrierId(1),
                name="kannel",
                url=f"http-recipe://interop:interop@127.0.0.1:{send}?recipe=kannel&plain=yes",
                channels=frozenset({Channel.SMS}),
            )
            feed = NotingFeed()
            inbox = NotingSession(feed, 0)
            address.callback = HttpCallback(carrier, inbox, web=web, public=web)
            around = Around(web, web, f"http://127.0.0.1:{address.port}", link, inbox, Memory())
            driver = asyncio.create_task(HttpDriver(carrier, feed, SystemClock(), around=around).run())
            feed.offer(parcel(number, *each) for number, each in enumerate(TEXTS.items(), 100))
            await feed.until(lambda: len(feed.outcomes) == len(TEXTS))
            assert all(isinstance(outcome, Submitted) for outcome in feed.outcomes), feed.outcomes
            await bearer.until(lambda: len({receipt.key for receipt in feed.receipts}) == len(TEXTS))
            assert {receipt.state for receipt in feed.receipts} == {MessageState.DELIVERED}
            assert {receipt.key for receipt in feed.receipts} == {str(100 + place) for place in range(len(TEXTS))}
            assert texts_at(centre) == TEXTS

            for text in ("Hello you: grün, é", "Снег и €"):
                centre.deliver_incoming("27831112222", "27600", text, system_id="kannel")
            await bearer.until(lambda: len(feed.incoming) == 2)
            assert {(each.sender, each.recipient, each.text) for each in feed.incoming} == {
                ("27831112222", "27600", "Hello you: grün, é"), ("27831112222", "27600", "Снег и €"),
            }  # fmt: skip
            driver.cancel()
            await asyncio.wait((driver,))
