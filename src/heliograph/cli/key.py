"""heliograph key …"""

from typing import Annotated

import typer

from heliograph.cli.show import answer, answer_rows, time_from
from heliograph.cli.world import run
from heliograph.net.clock import SystemClock
from heliograph.services.keys import Keys
from heliograph.services.refused import Refused
from heliograph.store.engine import Store

group = typer.Typer(help="API keys of accounts.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="key")


def _keys(store: Store) -> Keys:
    return Keys(store, SystemClock())


@group.command()
def add(account: str) -> None:
    """Make a further key, which is shown this once."""
    api_key = run(lambda store: _keys(store).add(account))
    document = {"account": account, "id": int(api_key.partition("|")[0]), "api_key": api_key}
    answer(document, f"Account {account} has a new API key: {api_key}")


@group.command("list")
def list_(account: Annotated[str | None, typer.Option(help="Only this account's.")] = None) -> None:
    """List keys without their secrets."""
    documents = [
        {
            "id": row.key_id,
            "account": row.account,
            "created_at": time_from(row.created_at_ms),
            "revoked_at": time_from(row.revoked_at_ms),
        }
        for row in run(lambda store: _keys(store).list(account))
    ]
    answer_rows("keys", documents, ("id", "account", "created_at", "revoked_at"))


@group.command()
def revoke(key: Annotated[str, typer.Argument(help="The number before the bar.")]) -> None:
    """End a key; servers refuse it within a second."""
    number = key.partition("|")[0]
    if not number.isdecimal():
        raise Refused("A key is named by the number before its bar; `heliograph key list` shows them.")
    run(lambda store: _keys(store).revoke(int(number)))
    answer({"id": int(number), "is_revoked": True}, f"Key {number} is revoked.")
