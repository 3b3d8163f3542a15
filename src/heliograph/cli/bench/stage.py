"""The exchange that is measured: `heliograph serve` on a throw-away folder, set up through the command line."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from heliograph.cli.bench.children import END_S, Child, Standing, child
from heliograph.services.refused import Refused

PROGRAM: Final = ("-c", "from heliograph.cli import main; raise SystemExit(main())")
WARM_UP: Final = 200

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
_COMMITS: Final = b"heliograph_store_commits_total "


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured. rate: messages a second, 0 for no limit.

    database: "" for a file, `postgresql://` for a server of the bench's own, or the address of an empty database.
    """

    messages: int
    per_request: int
    connections: int
    rate: float
    window: int
    policy: str
    database: str = ""

    @property
    def requests(self) -> int:
        """Whole requests."""
        return -(-self.messages // self.per_request)

    @property
    def sent(self) -> int:
        """Messages in whole requests."""
        return self.requests * self.per_request

    @property
    def warm_up_requests(self) -> int:
        """Requests that are sent before anything is measured."""
        return -(-WARM_UP // self.per_request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The server, and what is needed to talk to it."""

    server: Child
    port: int
    api_key: str

    async def commits(self) -> int:
        """Transactions that the store's writer has committed."""
        return commits_in(await page(self.port, "/metrics"))


def environ_for(folder: Path, environ: Mapping[str, str], *, database: str = "") -> dict[str, str]:
    """The environment of every `heliograph` that the bench runs: none of its owner's settings."""
    own = {
        "HELIOGRAPH_DATA": str(folder / "data"),
        "HELIOGRAPH_DATABASE": database,
        "HELIOGRAPH_LISTEN": "127.0.0.1:0",
        "HELIOGRAPH_WEBHOOK_ALLOW": "127.0.0.0/8",
        "HELIOGRAPH_RATE_LIMIT": "0",
    }
    return {name: value for name, value in environ.items() if not name.startswith("HELIOGRAPH_")} | own


@asynccontextmanager
async def stage(plan: Plan, folder: Path, *, environ: Mapping[str, str], standing: Standing) -> AsyncIterator[Stage]:
    """An exchange with one account, one carrier and one webhook, ready. Raises Refused.

    standing: has the ports of the message centre and the webhook; watches the server from now on.
    """
    ports = standing.counts
    credits = str(10 * (plan.sent + plan.warm_up_requests * plan.per_request))
    account = await command(folder, environ, "account", "add", "bench", "--credits", credits)
    url = f"smpp://bench:bench@127.0.0.1:{ports['smpp_port']}"
    options = ("--window", str(plan.window), "--policy", plan.policy)
    await command(folder, environ, "carrier", "add", "message-centre", "--url", url, *options)
    told = ("--dialect", "touchbasepro", "--type", "MessageStatusUpdate")
    await command(folder, environ, "webhook", "add", "bench", f"http://127.0.0.1:{ports['webhook_port']}/", *told)
    async with serving(folder, environ=environ, standing=standing, api_key=str(account["api_key"])) as staged:
        yield staged


@asynccontextmanager
async def serving(
    folder: Path, *, environ: Mapping[str, str], standing: Standing, api_key: str
) -> AsyncIterator[Stage]:
    """A server on what has been set up. Raises Refused. api_key: whose requests are sent to it."""
    hear = _port_heard(standing)
    async with child("server", (*PROGRAM, "serve"), folder=folder, environ=environ, hear=hear) as server:
        standing.watched.append(server)
        try:
            if not await standing.until(lambda counts: "server_port" in counts):
                raise Refused("The server of the bench did not come up.")
            yield Stage(server=server, port=standing.counts["server_port"], api_key=api_key)
        finally:
            standing.watched.remove(server)


def _port_heard(standing: Standing) -> Callable[[bytes], None]:
    """The server says where it listens."""

    def hear(line: bytes) -> None:
        found = _ADDRESS.search(line)
        standing.hear(b'{"server_port": %d}' % int(found[1]) if found else b"")

    return hear


async def command(folder: Path, environ: Mapping[str, str], *arguments: str, within_s: float = END_S) -> Any:
    """Run one command of ours, which must not take longer; its JSON answer."""
    written = bytearray()
    name = " ".join(arguments[:2])
    argv = (*PROGRAM, *arguments, "--json")
    async with child(name, argv, folder=folder, environ=environ, hear=written.extend) as ours:
        await ours.finish(within_s=within_s)
    return json.loads(written)


async def page(port: int, path: str) -> bytes:
    """The body of a page of the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2]


def commits_in(metrics: bytes) -> int:
    """The count of commits in Prometheus's text format."""
    for line in metrics.splitlines():
        if line.startswith(_COMMITS):
            return int(float(line.removeprefix(_COMMITS)))
    raise Refused("The server's metrics do not tell its commits.")


def disk_of(folder: Path, mounts: str) -> str:
    """The kind of file system a folder is on, by /proc/mounts."""
    best, kind = "", "unknown"
    for line in mounts.splitlines():
        _, point, found, *_ = line.split()
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, found
    return kind
