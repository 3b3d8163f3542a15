"""heliograph migrate"""

import asyncio

import typer

from heliograph.cli.show import answer
from heliograph.cli.world import world


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("migrate")(migrate)


def migrate() -> None:
    """Bring the store of an older version up to date; a store that is up to date is left alone."""
    from heliograph.store import migrations
    from heliograph.store.opening import upgrade

    settings = world().settings()
    before = asyncio.run(upgrade(settings.database, settings.data))
    head = migrations.HEAD
    words = f"The store is up to date (revision {head})." if before == head else f"The store is at revision {head} now."
    answer({"before": before, "revision": head}, words)
