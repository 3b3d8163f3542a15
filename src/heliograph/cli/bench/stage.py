"""The exchange that is measured: `heliograph serve` on a throw-away folder, set up through the command line."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from heliograph.cli.bench import usage
from heliograph.cli.bench.children import END_S, Child, Standing, child
from heliograph.services.refused import Refused
from heliograph.testing.ports import free_ports

PROGRAM: Final = ("-c", "from heliograph.cli import main; raise SystemExit(main())")
WARM_UP: Final = 200

_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")
COMMITS: Final = b"heliograph_store_commits_total "
SESSIONS: Final = b'heliograph_carrier_sessions{carrier="message-centre"} '


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured. rate: messages a second, 0 for no limit. window: of each session; every process has one.

    database: "" for a file, `postgresql://` for a server of the bench's own, or the address of an empty database.
    database_cores: processors that this server alone uses; none: it shares all of them with everybody.
    process_share: of a core, to which each process of the server is held; 0: to none.
    """

    messages: int
    per_request: int
    connections: int
    rate: float
    window: int
    policy: str
    database: str = ""
    processes: int = 1
    database_cores: tuple[int, ...] = ()
    process_share: float = 0

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
    """The server, and what is needed to talk to it. ports: where each of its processes answers for itself."""

    server: Child
    port: int
    api_key: str
    ports: Sequence[int] = ()

    async def commits(self) -> int:
        """Transactions that the store's writers have committed, in all processes."""
        return sum([figure_in(await page(port, "/metrics"), COMMITS) for port in self.ports or [self.port]])

    def families(self) -> list[list[int]]:
        """The processes that carry messages, each with those that it has started."""
        pids = usage.children_of(self.server.pid) if self.ports else [self.server.pid]
        return [list(usage.family_of(pid)) for pid in pids]

    async def is_shared_out(self) -> bool:
        """Whether every process has a session. One that has just begun may not answer for itself yet."""
        try:
            pages = [await page(port, "/metrics") for port in self.ports or [self.port]]
        except ConnectionError:
            return False
        return all(SESSIONS in each and figure_in(each, SESSIONS) for each in pages)


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
    options = ("--window", str(plan.window), "--sessions", str(plan.processes), "--policy", plan.policy)
    await command(folder, environ, "carrier", "add", "message-centre", "--url", url, *options)
    told = ("--dialect", "touchbasepro", "--type", "MessageStatusUpdate")
    await command(folder, environ, "webhook", "add", "bench", f"http://127.0.0.1:{ports['webhook_port']}/", *told)
    api_key = str(account["api_key"])
    async with serving(folder, environ=environ, standing=standing, api_key=api_key, processes=plan.processes) as staged:
        yield staged


@asynccontextmanager
async def serving(
    folder: Path, *, environ: Mapping[str, str], standing: Standing, api_key: str, processes: int = 1
) -> AsyncIterator[Stage]:
    """A server on what has been set up. Raises Refused. api_key: whose requests are sent to it."""
    hear = _port_heard(standing)
    ports = free_ports(processes) if processes > 1 else range(0)
    if ports:
        apart = {"HELIOGRAPH_PROCESSES": str(processes), "HELIOGRAPH_PROCESS_LISTEN": f"127.0.0.1:{ports[0]}"}
        environ = {**environ, **apart}
    async with child("server", (*PROGRAM, "serve"), folder=folder, environ=environ, hear=hear) as server:
        standing.watched.append(server)
        try:
            if not await standing.until(lambda counts: "server_port" in counts):
                raise Refused("The server of the bench did not come up.")
            yield Stage(server=server, port=standing.counts["server_port"], api_key=api_key, ports=ports)
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


def figure_in(metrics: bytes, name: bytes) -> int:
    """One figure in Prometheus's text format. name: with its labels and the space behind them."""
    for line in metrics.splitlines():
        if line.startswith(name):
            return int(float(line.removeprefix(name)))
    raise Refused(f"The server's metrics do not tell {name.decode().strip()}.")


def disk_of(folder: Path, mounts: str) -> str:
    """The kind of file system a folder is on, by /proc/mounts."""
    best, kind = "", "unknown"
    for line in mounts.splitlines():
        _, point, found, *_ = line.split()
        if folder.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, found
    return kind
