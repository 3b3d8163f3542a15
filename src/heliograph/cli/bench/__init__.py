"""`heliograph bench`: durable messages a second on this machine, and what they cost.

It sets a whole exchange up on throw-away data, between a load of its own (`load`), and a message centre and webhook
receiver of its own (`far`), each in a process; `orders` is what they are told and what they write down, `report` is
what it comes to. `heliograph bench contacts` does the same with a broadcast to very many contacts (`broadcast`,
`broadcast_report`).
"""

from __future__ import annotations

from typing import Annotated, Literal

import typer

group = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="bench")


@group.callback()
def bench(  # noqa: PLR0913 (what can be asked for, and whether it is asked for at all)
    context: typer.Context,
    *,
    messages: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many; whole requests are sent.")] = 20_000,
    per_request: Annotated[int, typer.Option(min=1, max=10_000, help="Recipients in each request.")] = 1,
    connections: Annotated[int, typer.Option(min=1, max=10_000, help="Requests that wait for an answer at once.")] = 50,
    rate: Annotated[float, typer.Option(min=0, help="Messages a second; 0 sends as fast as answers come.")] = 0,
    window: Annotated[int, typer.Option(min=1, help="Unanswered segments on an SMPP session.")] = 500,
    policy: Annotated[Literal["resend", "hold"], typer.Option(help="For segments in doubt.")] = "resend",
    processes: Annotated[int, typer.Option(min=1, max=63, help="Of the server, each with an SMPP session.")] = 1,
    database_cores: Annotated[str, typer.Option(metavar="CORES", help="PostgreSQL's own processors, as 0,1.")] = "",
    process_share: Annotated[float, typer.Option(min=0, max=1, help="Of a core, for each process; 0: all.")] = 0,
) -> None:  # fmt: skip
    """Measure this machine: every message is stored, submitted over SMPP, receipted, and told to a webhook.

    With --database postgresql:// on a PostgreSQL server that is started for it, or on an empty database at an address.
    """
    if context.invoked_subcommand is not None:
        return
    import json
    import sys

    import msgspec

    from heliograph.cli.bench.database import cores_in
    from heliograph.cli.bench.report import text_of
    from heliograph.cli.bench.run import measure
    from heliograph.cli.bench.stage import Plan
    from heliograph.cli.world import world

    plan = Plan(
        messages=messages,
        per_request=per_request,
        connections=connections,
        rate=rate,
        window=window,
        policy=policy,
        database=world().flags.get("database", ""),
        processes=processes,
        database_cores=cores_in(database_cores),
        process_share=process_share,
    )
    report = measure(plan, is_watched=sys.stderr.isatty())
    print(json.dumps(msgspec.to_builtins(report), indent=2) if world().as_json else text_of(report))
    if not report.is_clean:
        raise typer.Exit(1)


@group.command()
def contacts(
    *,
    contacts: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many.")] = 1_000_000,
    beside: Annotated[float, typer.Option(min=0, max=1_000, help="Messages a second of another account.")] = 50,
) -> None:
    """Measure a broadcast: contacts are imported, and a text with merge fields goes to all of them over SMPP."""
    import json
    import sys

    import msgspec

    from heliograph.cli.bench.broadcast import Plan, measure
    from heliograph.cli.bench.broadcast_report import text_of
    from heliograph.cli.world import world

    report = measure(Plan(contacts=contacts, beside=beside), is_watched=sys.stderr.isatty())
    print(json.dumps(msgspec.to_builtins(report), indent=2) if world().as_json else text_of(report))
    if not report.is_clean:
        raise typer.Exit(1)
