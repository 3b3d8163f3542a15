"""Kannel, the free gateway of most distributions, as a customer of our message centre."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from heliograph.testing.ports import free_ports
from heliograph.testing.served import Requests
from tests.faults.rig import live
from tests.interop.peers import TEXTS, Peer, installed, our_message_centre, texts_at

CONFIG = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = interop
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
log-level = 1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = heliograph
host = 127.0.0.1
port = {centre}
smsc-username = kannel
smsc-password = secret
system-type = ""
transceiver-mode = true
max-pending-submits = 10
reconnect-delay = 1
source-addr-autodetect = true
dest-addr-ton = 1
dest-addr-npi = 1

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {box}
smsbox-id = box
sendsms-port = {send}
sendsms-interface = 127.0.0.1
log-level = 1

group = sendsms-user
username = interop
password = interop
max-messages = 10
concatenation = true
"""


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[list[str], int]]:
    """Targets of the GET requests that Kannel makes, and the port where it makes them."""
    targets: list[str] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                targets.append(head.split(b" ")[1].decode())
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        except (OSError, EOFError):
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield targets, server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def kannel(folder: Path, *, centre: int, more: str = "") -> AsyncIterator[tuple[Peer, int]]:
    """Both boxes, and the port where messages are handed in. more: of the configuration."""
    bearerbox, smsbox = installed("bearerbox", "smsbox")
    admin, box, send = free_ports(3)
    config = folder / "kannel.conf"
    config.write_text(CONFIG.format(admin=admin, box=box, send=send, centre=centre) + more)
    async with Peer(bearerbox, "-v", "1", str(config), folder=folder) as bearer:
        await bearer.answers(box)
        async with Peer(smsbox, "-v", "1", str(config), folder=folder) as peer:
            await peer.answers(send)
            yield bearer, send


def request_for(recipient: str, text: str, *, tell: int) -> str:
    url = quote(f"http://127.0.0.1:{tell}/told?to={recipient}&kind=%d", safe="")
    coding = "&coding=2" if any(ord(character) > 0x2FF and character != "€" for character in text) else ""
    return (
        f"/cgi-bin/sendsms?username=interop&password=interop&from=Kannel&to={recipient}"
        f"&charset=UTF-8{coding}&text={quote(text, safe='')}&dlr-mask=31&dlr-url={url}"
    )


def told(targets: list[str]) -> dict[str, list[int]]:
    """The kinds of reports by recipient: 1 delivered, 8 taken by the message centre."""
    kinds: dict[str, list[int]] = {}
    for target in targets:
        split = urlsplit(target)
        if split.path == "/told":
            query = parse_qs(split.query)
            kinds.setdefault(query["to"][0], []).append(int(query["kind"][0]))
    return kinds


@live
async def test_kannel_sends_everything_and_hears_of_it(tmp_path: Path) -> None:
    async with (
        our_message_centre() as (centre, port),
        listener() as (targets, heard_at),
        kannel(tmp_path, centre=port) as (bearer, send),
    ):
        await bearer.until(lambda: centre.sessions == 1)
        for recipient, text in TEXTS.items():
            async with Requests(send) as requests:
                reply = await requests.ask("GET", request_for(recipient, text, tell=heard_at))
            assert reply.status == 202, reply.body
        await bearer.until(lambda: all(1 in told(targets).get(recipient, []) for recipient in TEXTS))
        assert texts_at(centre) == TEXTS
        await bearer.until(lambda: centre.waiting == 0)

        centre.deliver_incoming("27831112222", "27600", "Hello Kannel", system_id="kannel")
        await bearer.until(lambda: centre.waiting == 0)
        assert centre.counts["rules broken"] == 0
