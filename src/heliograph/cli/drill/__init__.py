"""`heliograph drill`: breaks a whole exchange again and again, and counts whether every promise was kept.

Without `--seed` it is the real thing on throw-away data: the server in a process of its own (`stage`), customers
(`customers`), a message centre and a webhook, wires between all of them, and `faults` for them, for so many rounds
(`run`); `report` is what it comes to. With `--seed` it is a simulation of the same (`simulated`), hours in seconds,
which repeats exactly.
"""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drill")(drill)


def drill(
    *,
    rounds: Annotated[int, typer.Option(min=1, max=10_000, help="Faults, one after the other.")] = 15,
    processes: Annotated[int, typer.Option(min=1, help="Processes of the server; needs PostgreSQL.")] = 1,
    postgres_bin: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Programs of a PostgreSQL server to start, and to stop.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Simulate what this number decides, under a time that leaps.")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0.05, max=1_000, help="How long the simulated time is: 10; on PostgreSQL 1.")
    ] = None,
    without: Annotated[str, typer.Option(metavar="KINDS", help="What does not happen, a list with commas.")] = "",
) -> None:
    """Break everything on throw-away data, and check that nothing is lost, sent or charged twice; fails if it is.

    With --database postgresql:// on a PostgreSQL server that is started for it, or on an empty database at an address.
    """
    import json
    import sys

    from heliograph.cli.world import world

    is_watched = sys.stderr.isatty()
    database = world().flags.get("database", "") or ("postgresql://" if postgres_bin else "")
    if seed is not None:
        from heliograph.cli.drill import simulated

        document, text, is_kept = simulated.drilled(
            seed, database=database, postgres_bin=postgres_bin, hours=hours, without=without, is_watched=is_watched
        )
    else:
        from heliograph.cli.drill import run
        from heliograph.cli.drill.stage import Plan

        plan = Plan(rounds=rounds, without=without, processes=processes, database=database, postgres_bin=postgres_bin)
        document, text, is_kept = run.drilled(plan, is_watched=is_watched)
    print(json.dumps(document, indent=2) if world().as_json else text)
    if not is_kept:
        raise typer.Exit(1)
