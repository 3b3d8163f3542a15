"""Servers on loopback and a name service, for tests of the guarded client."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network

from heliograph.net.guard import Guard

LOOPBACK = Guard([ip_network("127.0.0.0/8")])
STRICT = Guard()


class Names:
    """A name service of our own: the answers in turn, the last one for ever. Counts the questions."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@asynccontextmanager
async def raw_server(reply: bytes, *, closes: bool = False, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says `reply` to whatever comes first, and then hangs up or waits. Gives its port."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(reply)
        if not closes:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        done.set()
        server.close()
        await server.wait_closed()
