"""`heliograph serve`: reads the line, and becomes the server."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from heliograph.cli.world import world
from heliograph.services.refused import Refused
from heliograph.store.address import is_server

if TYPE_CHECKING:
    from heliograph.config import Settings

Role = Literal["api", "worker", "all"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    *,
    listen: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where HTTP is served.")] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes that share the work; SQLite takes one.")
    ] = None,
    role: Annotated[Role | None, typer.Option(help="What this process does; on SQLite all.")] = None,
    webhook_allow: Annotated[
        str | None, typer.Option(metavar="NETWORKS", help="Private networks that webhooks may reach.")
    ] = None,
    public_url: Annotated[str | None, typer.Option(metavar="URL", help="How customers reach us, for links.")] = None,
    rate_limit: Annotated[int | None, typer.Option(min=0, help="Requests a minute for each account.")] = None,
) -> None:
    """Serve the HTTP interface, the carriers and the webhooks until interrupted."""
    settings = world().settings(
        listen=listen,
        webhook_allow=webhook_allow,
        public_url=public_url,
        rate_limit=rate_limit,
        processes=processes,
        role=role,
    )
    if (settings.processes > 1 or settings.role != "all") and not is_server(settings.database):
        raise Refused(
            "A SQLite store has one writer: serve it with --processes 1 and --role all, or store in PostgreSQL."
        )
    _become(settings)


_THRIFTY = {"MALLOC_ARENA_MAX": "2"}
"""The C library keeps free memory for each thread apart: two stores of it for all threads are 2 MB less at the peak."""


def _become(settings: Settings) -> None:
    """Go on as the server alone: what reads the line takes as much memory as a quarter of the server."""
    from heliograph.cli import server_process
    from heliograph.config import PREFIX, environ_of

    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environ = _THRIFTY | inherited | environ_of(settings) | _debug()
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", server_process.__name__], environ)


def _debug() -> dict[str, str]:
    name = "HELIOGRAPH_DEBUG"
    return {name: os.environ[name]} if name in os.environ else {}
