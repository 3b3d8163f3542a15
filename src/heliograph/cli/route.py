"""heliograph route …"""

from typing import Annotated

import typer

from heliograph.cli.arguments import ChannelWord, amount_of, channel_of
from heliograph.cli.show import answer, answer_rows, credits_from
from heliograph.cli.world import run
from heliograph.net.clock import SystemClock
from heliograph.services.routes import Routes
from heliograph.store.engine import Store
from heliograph.store.routes import RouteRow

group = typer.Typer(help="Which carriers messages take.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="route")


def _routes(store: Store) -> Routes:
    return Routes(store, SystemClock())


def _document(row: RouteRow) -> dict[str, object]:
    return {
        "id": row.route_id,
        "carrier": row.carrier,
        "channel": row.route.channel.name.lower(),
        "prefix": row.route.prefix,
        "priority": row.route.priority,
        "cost": credits_from(row.route.cost),
    }


@group.command()
def add(
    *,
    carrier: Annotated[str, typer.Option(help="The carrier to take.")],
    prefix: Annotated[str, typer.Option(help="First digits of the numbers; none for every number.")] = "",
    channel: Annotated[ChannelWord, typer.Option(help="What is sent.")] = "sms",
    priority: Annotated[int, typer.Option(help="Lower numbers come first.")] = 0,
    cost: Annotated[str, typer.Option(metavar="X", help="Credits a segment; of equal routes the cheaper wins.")] = "0",
) -> None:
    """Let messages to numbers with a prefix take a carrier."""
    row = run(
        lambda store: _routes(store).add(
            carrier, channel=channel_of(channel), prefix=prefix, priority=priority, cost=amount_of(cost)
        )
    )
    answer(_document(row), f"Route {row.route_id} leads to {carrier}.")


@group.command("list")
def list_() -> None:
    """List routes in their order of preference."""
    rows = run(lambda store: _routes(store).list())
    columns = ("id", "channel", "prefix", "priority", "cost", "carrier")
    answer_rows("routes", [_document(row) for row in rows], columns)


@group.command()
def remove(route: Annotated[int, typer.Argument(help="Its number in the list.")]) -> None:
    """Take a route away."""
    run(lambda store: _routes(store).remove(route))
    answer({"id": route, "is_removed": True}, f"Route {route} is removed.")
