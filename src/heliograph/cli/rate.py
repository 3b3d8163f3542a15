"""heliograph rate …"""

from typing import Annotated

import typer

from heliograph.cli.arguments import ChannelWord, amount_of, channel_of
from heliograph.cli.show import answer, answer_rows, credits_from
from heliograph.cli.world import run
from heliograph.net.clock import SystemClock
from heliograph.services.rates import Rates
from heliograph.store.engine import Store
from heliograph.store.rates import RateRow

group = typer.Typer(help="What messages cost.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="rate")


def _rates(store: Store) -> Rates:
    return Rates(store, SystemClock())


def _document(row: RateRow) -> dict[str, object]:
    return {
        "id": row.rate_id,
        "account": row.account,
        "channel": row.rate.channel.name.lower(),
        "prefix": row.rate.prefix,
        "price": credits_from(row.rate.price),
    }


@group.command()
def add(
    *,
    price: Annotated[str, typer.Option(metavar="X", help="Credits for each segment.")],
    prefix: Annotated[str, typer.Option(help="First digits of the numbers; none for every number.")] = "",
    channel: Annotated[ChannelWord, typer.Option(help="What is sent.")] = "sms",
    account: Annotated[str | None, typer.Option(help="Only for this account.")] = None,
) -> None:
    """Set a price; without any, a segment costs one credit."""
    row = run(
        lambda store: _rates(store).add(
            amount_of(price), channel=channel_of(channel), prefix=prefix, account_name=account
        )
    )
    answer(_document(row), f"Rate {row.rate_id} is added.")


@group.command("list")
def list_() -> None:
    """List rates."""
    rows = run(lambda store: _rates(store).list())
    answer_rows("rates", [_document(row) for row in rows], ("id", "account", "channel", "prefix", "price"))


@group.command()
def remove(rate: Annotated[int, typer.Argument(help="Its number in the list.")]) -> None:
    """Take a rate away."""
    run(lambda store: _rates(store).remove(rate))
    answer({"id": rate, "is_removed": True}, f"Rate {rate} is removed.")
