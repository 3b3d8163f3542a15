"""heliograph incoming …"""

from typing import Annotated

import typer

from heliograph.cli import dialects
from heliograph.cli.show import answer, answer_fields, answer_rows, time_from
from heliograph.cli.world import run
from heliograph.core.ids import AccountId, CarrierId
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.incoming import IncomingMessages
from heliograph.services.refused import Refused
from heliograph.store import carriers
from heliograph.store.engine import Store
from heliograph.store.incoming import IncomingView

group = typer.Typer(help="Messages that came in from handsets.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="incoming")


def _messages(store: Store) -> IncomingMessages:
    return IncomingMessages(store, SystemClock(), told=dialects.told)


async def _documents(store: Store, views: tuple[IncomingView, ...]) -> list[dict[str, object]]:
    accounts = {view.account.account_id: view.account.name for view in await Accounts(store, SystemClock()).list()}
    async with store.reading() as connection:
        known = {carrier.carrier_id: carrier.name for carrier in await carriers.every(connection)}
    return [_document(view, accounts, known) for view in views]


def _document(view: IncomingView, accounts: dict[AccountId, str], known: dict[CarrierId, str]) -> dict[str, object]:
    return {
        "id": view.incoming_id,
        "account": accounts.get(view.account_id),
        "sender": view.sender,
        "recipient": view.recipient,
        "text": view.text,
        "channel": view.channel.name.lower(),
        "missing": view.missing,
        "files": [{"digest": each.digest, "type": each.content_type, "octets": each.octets} for each in view.files],
        "told": view.told,
        "carrier": known.get(view.carrier_id),
        "received_at": time_from(view.received_at_ms),
    }


@group.command("list")
def list_(
    *,
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    number: Annotated[str | None, typer.Option(metavar="N", help="Only what came to this number.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
) -> None:
    """List what came in, also what is no account's; `told` is how many webhooks were to hear of it."""

    async def read(store: Store) -> list[dict[str, object]]:
        return await _documents(store, await _messages(store).list(account_name=account, number=number, limit=limit))

    columns = ("id", "account", "sender", "recipient", "text", "missing", "told", "received_at")
    answer_rows("incoming", run(read), columns)


@group.command()
def show(message: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one message."""

    async def read(store: Store) -> dict[str, object]:
        messages = _messages(store)
        (message_id,) = await messages.named([message])
        return (await _documents(store, (await messages.show(message_id),)))[0]

    answer_fields(run(read))


@group.command()
def replay(
    messages: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
    *,
    number: Annotated[str | None, typer.Option(metavar="N", help="With --untold: what came to this number.")] = None,
    is_untold: Annotated[bool, typer.Option("--untold", help="All that no webhook has heard of.")] = False,
) -> None:
    """Tell messages to the webhooks that want them now: by their ids, or what no webhook has heard of."""
    if bool(messages) == is_untold or is_untold != (number is not None):
        raise Refused("Name messages by their ids, or a number with --number N --untold.")
    if number is not None:
        count = run(lambda store: _messages(store).replay_untold(number))
    else:
        count = run(lambda store: _replayed(_messages(store), messages or []))
    answer({"replayed": count}, f"{count} messages will be told.")


async def _replayed(service: IncomingMessages, written: list[str]) -> int:
    return await service.replay(await service.named(written))
