"""heliograph campaign …"""

from typing import Annotated

import typer

from heliograph.cli.show import answer, answer_rows, time_from
from heliograph.cli.world import run
from heliograph.net.clock import SystemClock
from heliograph.services.campaigns import Campaigns
from heliograph.store.engine import Store

group = typer.Typer(help="Registered campaigns of accounts.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="campaign")


def _campaigns(store: Store) -> Campaigns:
    return Campaigns(store, SystemClock())


@group.command()
def add(account: str, tcr: str, *, brand: Annotated[str, typer.Option(help="Whose campaign it is.")]) -> None:
    """Register a campaign by its TCR id; it is approved later."""
    run(lambda store: _campaigns(store).add(account, tcr, brand=brand))
    document = {"account": account, "tcr": tcr, "brand": brand, "is_approved": False}
    answer(document, f"Campaign {tcr} is registered and waits for `heliograph campaign approve`.")


@group.command()
def approve(account: str, tcr: str) -> None:
    """Let the numbers of a campaign send."""
    known = run(lambda store: _campaigns(store).approve(account, tcr))
    answer({"account": account, "tcr": known, "is_approved": True}, f"Campaign {known} is approved.")


@group.command()
def remove(account: str, tcr: str) -> None:
    """Forget a campaign; its numbers are in none then."""
    known = run(lambda store: _campaigns(store).remove(account, tcr))
    answer({"account": account, "tcr": known, "is_removed": True}, f"Campaign {known} is removed.")


@group.command("list")
def list_(account: Annotated[str | None, typer.Option(help="Only this account's.")] = None) -> None:
    """List campaigns."""
    documents = [
        {
            "account": row.account,
            "tcr": row.tcr,
            "brand": row.brand,
            "is_approved": row.is_approved,
            "numbers": row.numbers,
            "created_at": time_from(row.created_at_ms),
        }
        for row in run(lambda store: _campaigns(store).list(account))
    ]
    answer_rows("campaigns", documents, ("account", "tcr", "brand", "is_approved", "numbers"))
