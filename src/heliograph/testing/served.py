"""`heliograph serve` in a process of its own on a fresh data folder, driven as people and customers drive it.

The interface used is the promised one: settings in the environment, signals and HTTP.
"""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

PROGRAM: Final = (str(Path(sys.executable).with_name("heliograph")),)
"""The command, of the environment that runs the tests."""

START_S: Final = 20.0
END_S: Final = 30.0
_ADDRESS: Final = re.compile(rb"serves http://[\d.]+:(\d+)")
_MOST_LINES: Final = 2_000


class Served:
    """A data folder and the server on it; an async context that ends the server. environ: further settings.

    port: where HTTP is served, once it has started; 0 when it could not be. log: what the servers have said so far.
    """

    def __init__(self, data: Path, environ: Mapping[str, str] | None = None) -> None:
        self.data = data
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")},
            "HELIOGRAPH_DATA": str(data),
            "HELIOGRAPH_LISTEN": "127.0.0.1:0",
            "HELIOGRAPH_WEBHOOK_ALLOW": "127.0.0.0/8",
            "HELIOGRAPH_RATE_LIMIT": "0",
            # Nobody is called over TLS, and to read whom this machine trusts takes a tenth of a start.
            "SSL_CERT_FILE": os.devnull,
            **(environ or {}),
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reading: set[asyncio.Task[None]] = set()
        self.port = 0
        self.log: list[str] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._reading)

    @property
    def pid(self) -> int:
        """Of the server that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def was_killed(self) -> bool:
        """Whether the server that was started last died of SIGKILL."""
        return self._process is not None and self._process.returncode == -signal.SIGKILL

    def pids(self) -> list[int]:
        """Of the server and the process that writes for it."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [self.pid, *map(int, children.split())]

    async def start(self, *options: str) -> None:
        """Serve, and come back when requests are taken. options: of the command."""
        await self.begin(*PROGRAM, "serve", *options)

    async def start_doomed(self, point: str, count: int) -> None:
        """Serve until a crash point was passed so often; comes back when requests are taken, or when it has died."""
        await self.begin(sys.executable, "-m", "heliograph.testing.doomed", point, str(count))

    async def begin(self, *arguments: str) -> None:
        """Start whatever serves on these settings; comes back when requests are taken, or when it has ended."""
        self.port = 0
        self._process = process = await asyncio.create_subprocess_exec(
            *arguments,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout is not None
        is_up = asyncio.get_running_loop().create_future()
        reading = asyncio.create_task(self._read(process.stdout, is_up))
        self._reading.add(reading)
        reading.add_done_callback(self._reading.discard)
        async with self._within(START_S, "start"):
            await is_up

    async def _read(self, stream: asyncio.StreamReader, is_up: "asyncio.Future[None]") -> None:
        """Keep what a server says; the first address is where it is reached."""
        while line := await stream.readline():
            if len(self.log) < _MOST_LINES:
                self.log.append(line.decode("utf-8", "replace").rstrip())
            found = _ADDRESS.search(line)
            if found is not None and not is_up.done():
                self.port = int(found[1])
                is_up.set_result(None)
        if not is_up.done():
            is_up.set_result(None)

    async def died(self) -> int:
        """Wait until the server has ended by itself; its exit status, negative for a signal."""
        assert self._process is not None
        async with self._within(END_S, "end"):
            return await self._process.wait()

    @asynccontextmanager
    async def _within(self, seconds: float, what: str) -> AsyncIterator[None]:
        """Wait for so long; what the server said last, if that was not enough."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            last = " / ".join(self.log[-8:])
            raise TimeoutError(f"the server did not {what} within {seconds:.0f} s; it said last: {last}") from None

    async def kill(self) -> None:
        """End the server as a power cut would."""
        self.send(signal.SIGKILL)
        await self.died()

    async def stop(self) -> int:
        """End the server in good order; its exit status."""
        self.send(signal.SIGTERM)
        return await self.died()

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


class Reply(NamedTuple):
    """What a request got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Requests:
    """One HTTP connection, kept open; an async context. Any trouble on the wire is an OSError or EOFError."""

    def __init__(self, port: int, api_key: str = "", *, host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = port
        self._api_key = api_key

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def send(self, recipients: Sequence[str], text: str, *, key: str = "") -> Reply:
        """Send a text in the TouchBasePro dialect. key: the request's Idempotency-Key."""
        body = json.dumps({"text": text, "to": list(recipients)}).encode()
        return await self.ask("POST", "/sms/messages", body, headers={"Idempotency-Key": key} if key else {})

    async def ask(
        self, method: str, path: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request and its reply. headers: beside the usual ones, or in their place."""
        given = {
            "Host": "127.0.0.1",
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **(headers or {}),
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self._writer.drain()
        return await self._read_reply()

    async def _read_reply(self) -> Reply:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Reply(int(first.split(" ")[1]), headers, body)
