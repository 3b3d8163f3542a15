"""heliograph message …"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from heliograph.cli import dialects
from heliograph.cli.message_send import commands
from heliograph.cli.show import answer, answer_fields, answer_rows, credits_from, plain, time_from
from heliograph.cli.world import run, world
from heliograph.core.directory import Account
from heliograph.core.ids import AccountId, CarrierId, shown_id
from heliograph.core.settling import OutcomeKind
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.messages import Messages
from heliograph.services.refused import Refused
from heliograph.store import carriers
from heliograph.store.engine import Store
from heliograph.store.messages import AttemptRow, EventRow, MessageView

group = typer.Typer(help="Messages, one by one.")

Id = Annotated[str, typer.Argument(metavar="MESSAGE", help="Any id that somebody was shown.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.add_typer(commands)
    app.add_typer(group, name="message")


class Names:
    """What ids in messages stand for."""

    def __init__(self, accounts: dict[AccountId, Account], known: dict[CarrierId, str]) -> None:
        self.accounts = accounts
        self.carriers = known


async def _names(store: Store) -> Names:
    views = await Accounts(store, SystemClock()).list()
    async with store.reading() as connection:
        known = await carriers.every(connection)
    return Names(
        {view.account.account_id: view.account for view in views},
        {carrier.carrier_id: carrier.name for carrier in known},
    )


def _messages(store: Store) -> Messages:
    return Messages(store, SystemClock(), told=dialects.told)


def _document(view: MessageView, names: Names) -> dict[str, object]:
    account = names.accounts[view.account_id]
    return {
        "id": shown_id(view.message_id, account.mark),
        "number": view.message_id,
        "account": account.name,
        "recipient": view.recipient,
        "sender": view.sender,
        "text": view.text,
        "state": view.state.word,
        "reason": None if view.reason is None else view.reason.sentence,
        "segments": view.segments,
        "price": credits_from(view.price),
        "charge": view.charge.name.lower(),
        "carrier": names.carriers.get(view.carrier_id),
        "attempts": view.attempts,
        "reference": view.reference or None,
        "dialect": view.dialect,
        "channel": view.channel.name.lower(),
        **{name: value for name, value in view.traits._asdict().items() if value},
        "submission": view.submission_id,
        "accepted_at": time_from(view.accepted_at_ms),
        "send_at": time_from(view.send_at_ms or None),
        "expires_at": time_from(view.expires_at_ms),
    }


def _event_document(row: EventRow) -> dict[str, object]:
    return {
        "at": time_from(row.at_ms),
        "state": row.state.word,
        "reason": None if row.reason is None else row.reason.sentence,
        "detail": row.detail,
    }


def _attempt_document(row: AttemptRow, names: Names) -> dict[str, object]:
    return {
        "at": time_from(row.at_ms),
        "segment": row.segment,
        "carrier": names.carriers.get(row.carrier_id),
        "outcome": OutcomeKind(row.outcome).name.lower(),
        "carrier_message_id": row.carrier_message_id,
        "status": row.status,
    }


def _state(word: str) -> MessageState:
    known = {state.word: state for state in MessageState}
    if word.lower() not in known:
        raise Refused(f"{word!r} is not a state: there are {', '.join(known)}.")
    return known[word.lower()]


@group.command("list")
def list_(
    *,
    state: Annotated[str | None, typer.Option(metavar="S", help="Only messages in this state.")] = None,
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
) -> None:
    """List messages."""
    wanted = None if state is None else _state(state)

    async def read(store: Store) -> list[dict[str, object]]:
        views = await _messages(store).list(state=wanted, account_name=account, limit=limit)
        names = await _names(store)
        return [_document(view, names) for view in views]

    columns = ("number", "account", "recipient", "sender", "state", "segments", "price", "carrier", "accepted_at")
    answer_rows("messages", run(read), columns)


@group.command()
def show(message: Id) -> None:
    """Show a message."""

    async def read(store: Store) -> dict[str, object]:
        return _document(await _messages(store).find(message), await _names(store))

    answer_fields(run(read))


@group.command()
def trace(message: Id) -> None:
    """Show a message, what happened to it, and every try at a carrier."""

    async def read(store: Store) -> dict[str, Any]:
        found = await _messages(store).trace(message)
        names = await _names(store)
        return {
            "message": _document(found.message, names),
            "events": [_event_document(row) for row in found.events],
            "attempts": [_attempt_document(row, names) for row in found.attempts],
        }

    document = run(read)
    if world().as_json:
        answer(document, "")
        return
    answer_fields(document["message"])
    answer_rows("events", document["events"], ("at", "state", "reason", "detail"))
    columns = ("at", "segment", "carrier", "outcome", "carrier_message_id", "status")
    answer_rows("attempts", document["attempts"], columns)


@group.command()
def cancel(message: Id) -> None:
    """End a message that has not left; its price is given back."""
    _changed(lambda store: _messages(store).cancel(message))


@group.command()
def resolve(message: Id, *, as_: Annotated[str, typer.Option("--as", metavar="STATE")]) -> None:
    """Say what became of a held message: delivered, undelivered, rejected …"""
    state = _state(as_)
    _changed(lambda store: _messages(store).resolve(message, state))


def _changed(change: Callable[[Store], Awaitable[MessageView]]) -> None:
    async def work(store: Store) -> dict[str, object]:
        return _document(await change(store), await _names(store))

    document = run(work)
    answer(document, f"Message {document['number']} is {plain(document['state'])}.")
