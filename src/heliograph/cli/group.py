"""heliograph group …"""

from typing import Annotated

import typer

from heliograph.cli.show import Document, answer, answer_fields, answer_rows, time_from
from heliograph.cli.world import run
from heliograph.core.contacts import ContactGroup
from heliograph.net.clock import SystemClock
from heliograph.services.address_book import Found, find_account, find_group, granted
from heliograph.services.contacts import Contacts
from heliograph.store.engine import Store

group = typer.Typer(help="Contact groups of accounts.")

Whose = Annotated[str, typer.Argument(metavar="ACCOUNT")]
Which = Annotated[str, typer.Argument(metavar="GROUP", help="Its name or uid.")]
Name = Annotated[str, typer.Argument(metavar="NAME")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="group")


def _contacts(store: Store) -> Contacts:
    return Contacts(store, SystemClock())


def document_of(found: Found) -> Document:
    """A group as commands show it."""
    its = found.group
    return {
        "uid": found.uid,
        "account": found.account.name,
        "name": its.name,
        "contacts": its.contacts,
        "created_at": time_from(its.created_at_ms),
        "modified_at": time_from(its.modified_at_ms),
    }


@group.command()
def add(account: Whose, name: Name) -> None:
    """Make a group."""

    async def made(store: Store) -> Found:
        owner = await find_account(store, account)
        return Found(owner, granted(await _contacts(store).add_group(owner.account_id, name)))

    found = run(made)
    answer(document_of(found), f"Group {found.group.name} of {account} has the uid {found.uid}.")


@group.command("list")
def list_(
    account: Whose,
    *,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many a page has, newest first.")] = 50,
) -> None:
    """List groups."""

    async def read(store: Store) -> list[Document]:
        owner = await find_account(store, account)
        found = await _contacts(store).groups(owner.account_id, page=page, per_page=limit)
        return [document_of(Found(owner, each)) for each in found.items]

    answer_rows("groups", run(read), ("uid", "name", "contacts", "created_at"))


@group.command()
def show(account: Whose, name: Which) -> None:
    """Show a group."""
    answer_fields(document_of(run(lambda store: find_group(store, account, name))))


@group.command()
def rename(account: Whose, name: Which, new: Annotated[str, typer.Argument(metavar="NEW_NAME")]) -> None:
    """Give a group another name."""

    async def renamed(store: Store) -> Found:
        owner, its = await find_group(store, account, name)
        made: ContactGroup = granted(await _contacts(store).rename_group(owner.account_id, its.group_id, name=new))
        return Found(owner, made)

    found = run(renamed)
    answer(document_of(found), f"Group {name} of {account} is called {found.group.name}.")


@group.command()
def remove(account: Whose, name: Which) -> None:
    """Remove a group with its contacts; a server removes those of a large one little by little."""

    async def removed(store: Store) -> Found:
        found = await find_group(store, account, name)
        await _contacts(store).remove_group(found.account.account_id, found.group.group_id)
        return found

    found = run(removed)
    answer({**document_of(found), "is_removed": True}, f"Group {found.group.name} of {account} is gone.")
