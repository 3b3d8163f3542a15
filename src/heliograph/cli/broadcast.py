"""heliograph broadcast …"""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from heliograph.cli.arguments import ChannelWord, channel_of, word_of
from heliograph.cli.sending import sending
from heliograph.cli.show import answer, answer_fields, answer_rows, time_from
from heliograph.cli.world import run
from heliograph.core.broadcasts import BroadcastState
from heliograph.core.ids import uid_from
from heliograph.core.messages import Traits
from heliograph.net.clock import SystemClock
from heliograph.services.address_book import find_group, granted
from heliograph.services.broadcasts import Broadcasts, BroadcastView
from heliograph.services.sending import Order
from heliograph.store.engine import Store

if TYPE_CHECKING:
    from rich.progress import Progress

group = typer.Typer(help="Submissions to groups of contacts.")

Id = Annotated[str, typer.Argument(metavar="BROADCAST", help="The uid that `start` and `list` show.")]

LOOK_S = 0.5


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="broadcast")


def _document(view: BroadcastView) -> dict[str, object]:
    broadcast, account, groups = view
    return {
        "uid": uid_from(broadcast.broadcast_id, account.mark),
        "account": account.name,
        "name": broadcast.name or None,
        "state": broadcast.state.name.lower(),
        "reason": broadcast.reason.sentence if broadcast.reason else None,
        "groups": [each.name or "(removed)" for each in groups],
        "contacts": view.contacts,
        "accepted": broadcast.accepted,
        "refused": broadcast.refused,
        "channel": word_of(broadcast.channel),
        "sender": broadcast.sender,
        "text": broadcast.text,
        "media": list(broadcast.media_urls),
        "send_at": time_from(broadcast.send_at_ms or None),
        "created_at": time_from(broadcast.created_at_ms),
        "ended_at": time_from(broadcast.ended_at_ms),
    }


@group.command()
def start(  # noqa: PLR0913 (what can be said of a broadcast)
    account: str,
    *,
    to: Annotated[list[str], typer.Option("--group", help="A group's name or uid; may be given several times.")],
    text: Annotated[str, typer.Option(help="What it says; may have merge fields such as {first_name|friend}.")] = "",
    sender: Annotated[str | None, typer.Option("--sender", "--from", help="Without it the account's.")] = None,
    name: Annotated[str, typer.Option(help="What to call it.")] = "",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When to begin, in the account's time zone: 2026-12-31 18:30.")
    ] = None,
    channel: ChannelWord = "sms",
    media: Annotated[
        list[str] | None, typer.Option(help="The address of a file of an MMS; may be given again.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the voice that reads the text, such as en-gb.")] = "",
    gender: Annotated[str, typer.Option(help="Of the voice: female or male.")] = "",
    template: Annotated[str, typer.Option(help="The id of a content template registered with the carriers.")] = "",
) -> None:
    """Begin to send a text to all contacts of one or more groups; a running server makes messages of it."""
    traits = Traits(template_id=template, language=language, gender=gender)
    order = Order((), text, sender, channel_of(channel), tuple(media or ()), at, traits)

    async def work(store: Store) -> BroadcastView:
        door = sending(store)
        service = Broadcasts(store, SystemClock(), check=door.check)
        submission = await door.submission_of(account, order)
        groups = [(await find_group(store, account, each)).group.group_id for each in to]
        begun = granted(await service.start(submission, groups, name=name))
        return await service.find(str(begun.broadcast_id))

    document = _document(run(work))
    answer(document, f"Broadcast {document['uid']} is {document['state']}: {document['contacts']} contacts.")


@group.command("list")
def list_(
    *,
    account: Annotated[str | None, typer.Option(help="Only this account's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
) -> None:
    """List broadcasts."""
    views = run(lambda store: Broadcasts(store, SystemClock()).list(account, limit=limit))
    columns = ("uid", "account", "name", "state", "contacts", "accepted", "refused", "send_at", "created_at")
    answer_rows("broadcasts", [_document(view) for view in views], columns)


@group.command()
def show(
    broadcast: Id,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Show how far it is until it is over.")] = False,
) -> None:
    """Show a broadcast."""

    async def read(store: Store) -> BroadcastView:
        service = Broadcasts(store, SystemClock())
        view = await service.find(broadcast)
        return await _followed(service, view) if follow else view

    answer_fields(_document(run(read)))


@group.command()
def cancel(broadcast: Id) -> None:
    """Expand no more of a broadcast; what has become a message stays (`message cancel` ends one)."""
    document = _document(run(lambda store: Broadcasts(store, SystemClock()).cancel(broadcast)))
    answer(document, f"Broadcast {document['uid']} is cancelled; {document['accepted']} messages were made of it.")


async def _followed(service: Broadcasts, view: BroadcastView) -> BroadcastView:
    """Look again and again until a broadcast is over; a bar shows how far it is, where there is a terminal."""
    number = str(view.broadcast.broadcast_id)
    with _bar() as progress:
        task = progress.add_task("", total=None)
        while True:
            broadcast = view.broadcast
            done = broadcast.accepted + broadcast.refused
            total = done if broadcast.state is BroadcastState.DONE else max(view.contacts, done)
            progress.update(task, description=_standing(view), completed=done, total=total)
            progress.refresh()
            if broadcast.state.is_over:
                return view
            await asyncio.sleep(LOOK_S)
            view = await service.find(number)


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def _standing(view: BroadcastView) -> str:
    """A broadcast's state, and why it pauses.

    An account's name is not in it, nor a text: they could steer the terminal.
    """
    broadcast = view.broadcast
    return broadcast.state.name.lower() + (f": {broadcast.reason.sentence}" if broadcast.reason else "")
