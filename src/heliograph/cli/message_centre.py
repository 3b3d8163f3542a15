"""`heliograph message-centre`: the SMPP simulator alone, for trying any SMPP software."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import asyncio

    from heliograph.sandbox.habits import Habits
    from heliograph.sandbox.message_centre import MessageCentre

REDRAW_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("message-centre")(message_centre)


def message_centre(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 takes a free port.")] = 2775,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    receipt_delay_ms: Annotated[int, typer.Option(min=0, help="From the answer to the receipt.")] = 0,
    response_delay_ms: Annotated[int, typer.Option(min=0, help="From a submit to its answer.")] = 0,
    system_id: Annotated[str | None, typer.Option(help="Let only this system_id bind.")] = None,
    password: Annotated[str | None, typer.Option(help="Let only those with this password bind.")] = None,
) -> None:
    """Run an SMPP message centre that carries nothing: the recipient's last digits choose what happens."""
    from heliograph.sandbox.habits import Habits

    habits = Habits(
        system_id=system_id,
        password=password,
        receipt_delay_ms=receipt_delay_ms,
        response_delay_ms=response_delay_ms,
    )
    raise typer.Exit(run(host, port, habits))


def run(host: str, port: int, habits: Habits) -> int:
    """Serve until interrupted; the exit status."""
    import sys

    import uvloop

    try:
        uvloop.run(_serve(host, port, habits))
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


async def _serve(host: str, port: int, habits: Habits) -> None:
    """Until SIGINT or SIGTERM, both of which are a clean end."""
    import asyncio
    import signal

    from heliograph.net.clock import SystemClock
    from heliograph.sandbox.message_centre import MessageCentre

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    centre = MessageCentre(SystemClock(), habits)
    bound_to = await centre.start(host, port)
    try:
        print(f"message centre on {host}:{bound_to}, Ctrl-C to stop", flush=True)
        await _show(centre, stopping)
    finally:
        await centre.stop()


async def _show(centre: MessageCentre, stopping: asyncio.Event) -> None:
    """Keep one line of counters fresh on a terminal; say nothing to a pipe."""
    import asyncio
    import sys

    from rich.live import Live

    if not sys.stdout.isatty():
        await stopping.wait()
        return
    with Live(counters(centre), auto_refresh=False, transient=True) as live:
        while not stopping.is_set():
            live.update(counters(centre), refresh=True)
            try:
                await asyncio.wait_for(stopping.wait(), REDRAW_S)
            except TimeoutError:
                continue


def counters(centre: MessageCentre) -> str:
    """What has happened so far, on one line."""
    counts = centre.counts
    return (
        f"sessions {centre.sessions}   submits {counts['submits']:,}   accepted {counts['accepted']:,}   "
        f"throttled {counts['throttled']:,}   refused {counts['refused']:,}   "
        f"delivered {centre.delivered:,}   waiting {centre.waiting:,}"
    )
