"""`heliograph serve`: everything in one process."""

from __future__ import annotations

from typing import Annotated

import typer

from heliograph.cli.world import world
from heliograph.services.refused import Refused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    listen: Annotated[str | None, typer.Option(help="HOST:PORT of the HTTP interface.")] = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes to share the work.")] = 1,
    webhook_allow: Annotated[str | None, typer.Option(help="Private networks that webhooks may reach.")] = None,
    public_url: Annotated[str | None, typer.Option(help="How customers reach us, for links.")] = None,
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Requests a minute for each account.")] = None,
    sender: Annotated[str | None, typer.Option(help="The operator's sender.")] = None,
) -> None:
    """Serve the HTTP interface, the carriers and the webhooks until interrupted."""
    settings = world().settings(
        listen=listen, webhook_allow=webhook_allow, public_url=public_url, rate_limit=rate_limit, sender=sender
    )
    if processes > 1:
        raise Refused("A SQLite store has one writer: serve it with --processes 1.")
    from heliograph.ops import logs
    from heliograph.server import run

    logs.configure(settings.log_level)
    try:
        run(settings, started=_say)
    except OSError as error:
        raise Refused(f"Cannot listen on {settings.listen}: {error.strerror or error}.") from error


def _say(address: str) -> None:
    typer.echo(f"Heliograph serves {address}")
