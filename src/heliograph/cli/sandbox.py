"""heliograph sandbox: everything on throw-away data, with a message centre and a webhook of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heliograph.cli.show import answer_rows
from heliograph.cli.world import world
from heliograph.services.refused import Refused

if TYPE_CHECKING:
    from heliograph.config import Settings

HTTP_PORT = 8080
SMPP_PORT = 2775

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
        if not _run(settings, once=once):
            raise Refused("A step of the tour failed.")


@group.command()
def fates() -> None:
    """List the endings of numbers that choose what the sandbox does with a message."""
    from heliograph.core.fates import table

    answer_rows("fates", [row._asdict() for row in table()], ("digits", "fate", "example", "sentence"))


def _free(port: int) -> int:
    """The port, or 0 for any when somebody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _run(settings: Settings, *, once: bool) -> bool:
    """Whether the tour succeeded. Interrupting what serves is its usual end; interrupting `once` is not."""
    import uvloop

    async def main() -> bool:
        task = asyncio.ensure_future(_serve(settings, once=once))
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


async def _serve(settings: Settings, *, once: bool) -> bool:
    from heliograph.cli.tour import Tour, set_up
    from heliograph.net.clock import SystemClock
    from heliograph.sandbox.habits import Habits
    from heliograph.sandbox.message_centre import MessageCentre
    from heliograph.server import serve
    from heliograph.testing.receiver import Receiver

    centre = MessageCentre(SystemClock(), Habits(receipt_delay_ms=200))
    smpp_port = await centre.start("127.0.0.1", _free(SMPP_PORT))
    up: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with Receiver() as receiver:
        customer = await set_up(settings, smpp_port=smpp_port, hook=receiver.url)
        serving = asyncio.ensure_future(serve(settings, started=up.set_result))
        try:
            waiting: set[asyncio.Future[Any]] = {serving, up}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            tour = Tour(up.result(), customer, receiver, smpp_port=smpp_port, folder=Path(settings.data))
            succeeded = await tour.run()
            if not once:
                tour.say_what_to_try()
                await serving
            return succeeded
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await centre.stop()
