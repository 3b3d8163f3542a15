"""`heliograph serve`: everything in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from heliograph.cli.world import world
from heliograph.services.refused import Refused

if TYPE_CHECKING:
    from heliograph.config import Settings

Role = Literal["api", "worker", "all"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    *,
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where HTTP is served.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes that share the work; SQLite takes one.")] = 1,
    role: Annotated[Role, typer.Option(help="What this process does; on SQLite all.")] = "all",
    webhook_allow: Annotated[
        str | None, typer.Option(metavar="NETWORKS", help="Private networks that webhooks may reach.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(metavar="URL", help="How customers reach us, for links.")] = None,
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Requests a minute for each account.")] = None,
) -> None:
    """Serve the HTTP interface, the carriers and the webhooks until interrupted."""
    settings = world().settings(
        listen=listen, webhook_allow=webhook_allow, public_url=public_url, rate_limit=rate_limit
    )
    if processes > 1 or role != "all":
        raise Refused("A SQLite store has one writer: serve it with --processes 1 and --role all.")
    _serve(settings)


def _serve(settings: Settings) -> None:
    import structlog

    from heliograph.ops import logs
    from heliograph.server import run

    logs.configure(settings.log_level)
    if settings.smpp_listen is not None:
        structlog.get_logger(__name__).warning(
            "this version does not listen for customers over SMPP", smpp_listen=settings.smpp_listen
        )
    serves = False

    def started(address: str) -> None:
        nonlocal serves
        serves = True
        typer.echo(f"Heliograph serves {address}")

    try:
        run(settings, started=started)
    except OSError as error:
        if serves:
            raise
        raise Refused(_why_not(error, settings)) from error


def _why_not(error: OSError, settings: Settings) -> str:
    """Only errors of files name one; all others before the start are the listening socket's."""
    # asyncio and socket say again where they tried.
    why = (error.strerror or str(error)).partition(" (while")[0]
    if error.filename is not None:
        return f"Cannot use {error.filename}: {why}; check the data folder's rights."
    return f"Cannot listen on {settings.listen}: {why}; name another place with --listen."
