"""A wire that can be cut: a TCP proxy on loopback between a peer and the one it believes to be connected to.

What goes through may be delayed, sliced into single octets, swallowed in silence (a half-open connection: both ends
think it stands), or ended with a reset in the middle of everything, a frame included.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 65_536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CutWire:
    """The proxy; an async context. Every switch holds for open connections and for later ones.

    far_port: where the far end listens on loopback; for later connections.
    delay_s: how late octets arrive, in each direction. slices: whether they arrive one by one.
    is_silent: whether they are swallowed; is_mute: only those of the far end, which hears and never answers.
    is_cut: whether new connections are hung up on. cut_after: octets that may still pass before everything is cut,
    the last of them in the middle of what was sent together; None for any number.
    connections: how many have come so far.
    """

    def __init__(self, port: int) -> None:
        self.far_port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.delay_s = 0.0
        self.slices = False
        self.is_silent = False
        self.is_mute = False
        self.is_cut = False
        self.cut_after: int | None = None
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def cut(self) -> None:
        """End every open connection with a reset at both ends; what is on its way is lost."""
        for writer in list(self._open):
            raw: socket.socket | None = writer.get_extra_info("socket")
            if raw is not None:
                with suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.is_cut:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.far_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self._open |= ends
        carrying = {
            asyncio.create_task(self._carry(reader, far_writer, is_far=False)),
            asyncio.create_task(self._carry(far_reader, writer, is_far=True)),
        }
        self._carrying |= carrying
        try:
            await asyncio.wait(carrying)
        finally:
            self._open -= ends
            self._carrying -= carrying
            for end in ends:
                end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_far: bool) -> None:
        """One direction, until either end is gone. is_far: from the far end."""
        with suppress(OSError):
            while octets := await reader.read(_CHUNK):
                if self.is_silent or (self.is_mute and is_far):
                    continue
                if self.cut_after is not None and self.cut_after < len(octets):
                    await self._cut_within(octets[: self.cut_after], writer)
                    return
                if self.cut_after is not None:
                    self.cut_after -= len(octets)
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                await self._pass_on(octets, writer)
            writer.close()

    async def _cut_within(self, octets: bytes, writer: asyncio.StreamWriter) -> None:
        """Let the beginning of something arrive, and nothing after it."""
        self.cut_after = None
        writer.write(octets)
        await writer.drain()
        self.cut()

    async def _pass_on(self, octets: bytes, writer: asyncio.StreamWriter) -> None:
        if not self.slices:
            writer.write(octets)
            await writer.drain()
            return
        raw = writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(octets)):
            writer.write(octets[place : place + 1])
            # A turn of the loop sends what was written, so that the next octet travels alone.
            await asyncio.sleep(0)
