"""heliograph copy"""

from __future__ import annotations

from typing import Annotated

import typer

from heliograph.cli.show import answer
from heliograph.cli.world import world
from heliograph.services.refused import Refused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("copy")(copy)


def copy(
    *,
    source: Annotated[str, typer.Option("--from", metavar="sqlite:///PATH", help="The store that there is.")],
    target: Annotated[str, typer.Option("--to", metavar="postgresql://…", help="An empty database.")],
) -> None:
    """Copy a whole store from a file to a PostgreSQL server, and count what arrived."""
    import asyncio

    from heliograph.store.address import is_server

    if is_server(source) or not is_server(target):
        raise Refused("A store is copied from sqlite:///PATH to postgresql://…")
    rows = asyncio.run(_copied(source, target))
    total = sum(rows.values())
    answer(
        {"rows": rows, "total": total}, f"{total:,} rows in {len(rows)} tables were copied, and all of them arrived."
    )


async def _copied(source: str, target: str) -> dict[str, int]:
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from heliograph.store import copying
    from heliograph.store.opening import open_sqlite
    from heliograph.store.postgres.opening import open_store

    before = open_sqlite(source, world().settings().data)
    after = await open_store(target)
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    try:
        with (
            copying.held_still(before),
            Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as progress,
        ):
            async with before.reading() as connection:
                total = sum((await copying.counts(connection)).values())
            task = progress.add_task("", total=total)
            return await copying.copy(
                before, after, lambda table, rows: progress.update(task, advance=rows, description=table)
            )
    finally:
        await before.close()
        await after.close()
