"""heliograph contact …"""

from typing import Annotated

import typer

from heliograph.cli import contact_files
from heliograph.cli.show import Document, answer, answer_fields, answer_rows, time_from
from heliograph.cli.world import run
from heliograph.core.contacts import Contact
from heliograph.core.ids import ContactId
from heliograph.net.clock import SystemClock
from heliograph.services.address_book import Found, find_contact, find_group, granted
from heliograph.services.contacts import Contacts
from heliograph.services.refused import Refused
from heliograph.store.engine import Store

group = typer.Typer(help="Contacts in groups.")

Whose = Annotated[tuple[str, str], typer.Argument(metavar="ACCOUNT GROUP")]
Which = Annotated[tuple[str, str, str], typer.Argument(metavar="ACCOUNT GROUP CONTACT")]
First = Annotated[str | None, typer.Option("--first-name", metavar="TEXT", help="First name; empty for none.")]
Last = Annotated[str | None, typer.Option("--last-name", metavar="TEXT", help="Last name; empty for none.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="NAME=VALUE", help="A field; NAME= takes it away; may be repeated."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group.command("import")(contact_files.import_)
    group.command("export")(contact_files.export)
    app.add_typer(group, name="contact")


def _contacts(store: Store) -> Contacts:
    return Contacts(store, SystemClock())


def _document(found: Found, contact: Contact) -> Document:
    return {
        "uid": found.uid_of(contact),
        "group": found.group.name,
        "number": contact.msisdn,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "fields": dict(contact.fields),
        "created_at": time_from(contact.created_at_ms),
        "modified_at": time_from(contact.modified_at_ms),
    }


def _with_fields(contact: Contact, words: list[str] | None) -> Contact:
    fields = dict(contact.fields)
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise Refused(f"{word!r} is no field: write NAME=VALUE, and NAME= to take one away.")
        fields[name.strip().lower()] = value
    return contact._replace(fields=fields)


@group.command()
def add(
    which: Annotated[tuple[str, str, str], typer.Argument(metavar="ACCOUNT GROUP MSISDN")],
    *,
    first_name: First = None,
    last_name: Last = None,
    field: Fields = None,
) -> None:
    """Add a contact to a group."""
    account, name, msisdn = which

    async def made(store: Store) -> Document:
        found = await find_group(store, account, name)
        key = found.account.account_id, found.group.group_id
        wanted = Contact(*key, ContactId(0), msisdn, first_name or "", last_name or "")
        return _document(found, granted(await _contacts(store).add(_with_fields(wanted, field))))

    document = run(made)
    answer(document, f"{document['number']} is in group {name}, with the uid {document['uid']}.")


@group.command("list")
def list_(
    whose: Whose,
    *,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many a page has, newest first.")] = 50,
) -> None:
    """List contacts of a group."""

    async def read(store: Store) -> list[Document]:
        found = await find_group(store, *whose)
        key = found.account.account_id, found.group.group_id
        listing = await _contacts(store).contacts(*key, page=page, per_page=limit)
        return [_document(found, each) for each in listing.items] if listing else []

    answer_rows("contacts", run(read), ("uid", "number", "first_name", "last_name", "fields"))


@group.command()
def show(which: Which) -> None:
    """Show a contact, named by its number or uid."""
    account, name, contact = which

    async def read(store: Store) -> Document:
        found = await find_group(store, account, name)
        return _document(found, await find_contact(store, found, contact))

    answer_fields(run(read))


@group.command("set")
def set_(
    which: Which,
    *,
    number: Annotated[str | None, typer.Option(metavar="MSISDN", help="Its new number.")] = None,
    first_name: First = None,
    last_name: Last = None,
    field: Fields = None,
) -> None:
    """Change what is named of a contact."""
    account, name, contact = which
    if number is first_name is last_name is None and not field:
        raise Refused("Nothing to change was named.")

    async def changed(store: Store) -> Document:
        found = await find_group(store, account, name)
        before = await find_contact(store, found, contact)
        wanted = before._replace(
            msisdn=before.msisdn if number is None else number,
            first_name=before.first_name if first_name is None else first_name,
            last_name=before.last_name if last_name is None else last_name,
        )
        return _document(found, granted(await _contacts(store).change(_with_fields(wanted, field))))

    document = run(changed)
    answer(document, f"{document['number']} in group {name} is changed.")


@group.command()
def remove(which: Which) -> None:
    """Remove a contact from a group."""
    account, name, contact = which

    async def removed(store: Store) -> Document:
        found = await find_group(store, account, name)
        its = await find_contact(store, found, contact)
        await _contacts(store).remove(its.account_id, its.group_id, contact_id=its.contact_id)
        return _document(found, its)

    document = run(removed)
    answer({**document, "is_removed": True}, f"{document['number']} is no longer in group {name}.")
