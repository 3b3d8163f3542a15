"""heliograph sandbox: everything on throw-away data, with a message centre and a webhook of its own."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heliograph.cli.show import answer_rows
from heliograph.cli.world import world
from heliograph.services.refused import Refused

if TYPE_CHECKING:
    from heliograph.cli.customer import Ports
    from heliograph.config import Settings
    from heliograph.sandbox.mmsc import Mmsc

HTTP_PORT = 8080
SMPP_PORT = 2775
MM7_PORT = 8090
SIP_PORT = 5060

OWN = {
    "database": "",
    "webhook_allow": "127.0.0.0/8",
    "webhook_https_only": False,
    "rate_limit": 0,
    "smpp_listen": "off",
    "public_url": "",
}
"""Settings without which the tour cannot succeed, whatever is set for real work on this machine."""

group = typer.Typer(help="Try everything on throw-away data.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="sandbox")


@group.callback()
def sandbox(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the tour; fails when a step failed.")] = False,
) -> None:
    """Start everything, show one message of each kind on its way, and keep serving for you to try."""
    if context.invoked_subcommand is not None:
        return
    from heliograph.ops import logs

    logs.configure("warning")
    with tempfile.TemporaryDirectory(prefix="heliograph-sandbox-") as folder:
        listen = f"127.0.0.1:{_free(HTTP_PORT)}"
        settings = world().settings(data=folder, listen=listen, **OWN)
        if not _run(settings, _emptied(Path(world().settings().data) / "sandbox"), once=once):
            raise Refused("A step of the tour failed.")


@group.command()
def fates() -> None:
    """List the endings of numbers that choose what the sandbox does with a message."""
    from heliograph.core.fates import table

    answer_rows("fates", [row._asdict() for row in table()], ("digits", "fate", "example", "sentence"))


def _emptied(folder: Path) -> Path:
    """Where pictures and recordings go: they outlast the command, until the next one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _free(port: int) -> int:
    """The port, or 0 for any when somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


async def _started(start: Callable[[str, int], Awaitable[int]], port: int) -> int:
    """Where something listens now: at its port, or at any when somebody has it."""
    try:
        return await start("127.0.0.1", port)
    except OSError:
        return await start("127.0.0.1", 0)


def _run(settings: Settings, handsets: Path, *, once: bool) -> bool:
    """Whether the tour succeeded. Interrupting what serves is its usual end; interrupting `once` is not."""
    import uvloop

    async def main() -> bool:
        task = asyncio.ensure_future(_serve(settings, handsets, once=once))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            if once:
                raise KeyboardInterrupt from None
            return True

    return uvloop.run(main())


async def _serve(settings: Settings, handsets: Path, *, once: bool) -> bool:
    from heliograph.cli.customer import set_up
    from heliograph.cli.tour import Place, Tour
    from heliograph.server import serve
    from heliograph.testing.receiver import Receiver

    up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with Receiver() as receiver, _far_ends(handsets) as (ports, mmsc):
        customer = await set_up(settings, ports=ports, hook=receiver.url)
        serving = asyncio.ensure_future(serve(settings, started=up.set_result))
        try:
            waiting: set[asyncio.Future[Any]] = {serving, up}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            mmsc.report_to = up.result() + customer.pictures_path
            tour = Tour(Place(up.result(), ports, Path(settings.data), handsets), customer, receiver)
            succeeded = await tour.run()
            if not once:
                tour.say_what_to_try()
                await serving
            return succeeded
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


@asynccontextmanager
async def _far_ends(handsets: Path) -> AsyncIterator[tuple[Ports, Mmsc]]:
    """What the sandbox's carriers reach: a message centre, an MMSC and a phone."""
    from ipaddress import ip_network

    from heliograph.cli.customer import Ports
    from heliograph.net.clock import SystemClock
    from heliograph.net.guard import Guard
    from heliograph.net.http import GuardedClient
    from heliograph.sandbox.habits import Habits
    from heliograph.sandbox.message_centre import MessageCentre
    from heliograph.sandbox.mmsc import Mmsc
    from heliograph.sandbox.phone import Phone

    clock = SystemClock()
    async with GuardedClient(Guard([ip_network("127.0.0.0/8")])) as caller, AsyncExitStack() as running:
        centre = MessageCentre(clock, Habits(receipt_delay_ms=200))
        smpp = await _started(centre.start, SMPP_PORT)
        running.push_async_callback(centre.stop)
        mmsc = Mmsc(clock, handsets, caller=caller)
        mm7 = await _started(mmsc.start, MM7_PORT)
        running.push_async_callback(mmsc.stop)
        phone = Phone(clock, folder=handsets)
        sip = await _started(phone.start, SIP_PORT)
        running.push_async_callback(phone.stop)
        yield Ports(smpp, mm7, sip), mmsc
