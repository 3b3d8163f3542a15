"""heliograph webhook …"""

from typing import Annotated, Literal

import typer

from heliograph.cli import dialects
from heliograph.cli.arguments import OnOff, settings_of
from heliograph.cli.show import answer, answer_rows, time_from
from heliograph.cli.world import run, world
from heliograph.core.directory import Account, Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts
from heliograph.services.refused import Refused
from heliograph.services.webhooks import WebhookOptions, Webhooks
from heliograph.store.deliveries import DeliveryRow
from heliograph.store.engine import Store

group = typer.Typer(help="Addresses of customers that are told what happens.")

Id = Annotated[int, typer.Argument(metavar="ID")]
OfAccount = Annotated[str | None, typer.Option(help="Only this account's.")]
IdAndSettings = Annotated[list[str], typer.Argument(metavar="ID [SETTING=VALUE]...")]
Receipts = Annotated[OnOff | None, typer.Option(help="Whether it hears what became of messages.")]
Method = Annotated[Literal["POST", "3CX"] | None, typer.Option(help="The form it is told in.")]
OfWebhook = Annotated[int | None, typer.Option(metavar="ID", help="Only this webhook's.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="webhook")


def _webhooks(store: Store) -> Webhooks:
    return Webhooks(store, SystemClock())


async def _account_id(store: Store, name: str) -> AccountId:
    view = await Accounts(store, SystemClock()).find(name)
    if view is None:
        raise Refused(f"There is no account named {name!r}; `heliograph account list` shows them.")
    return view.account.account_id


async def _account_names(store: Store) -> dict[AccountId, str]:
    views = await Accounts(store, SystemClock()).list()
    return {view.account.account_id: view.account.name for view in views}


def _document(webhook: Webhook, account: str) -> dict[str, object]:
    return {
        "id": webhook.webhook_id,
        "account": account,
        "dialect": webhook.dialect,
        "kind": webhook.kind.name.lower(),
        "url": webhook.url,
        "name": webhook.name,
        "settings": dict(webhook.settings),
        "is_active": webhook.is_active,
        "note": webhook.note,
        "created_at": time_from(webhook.created_at_ms),
        "modified_at": time_from(webhook.modified_at_ms or webhook.created_at_ms),
    }


def _delivery_document(row: DeliveryRow, account: str | None) -> dict[str, object]:
    return {
        "id": row.delivery_id,
        "webhook": row.webhook_id,
        "account": account,
        "kind": row.kind.name.lower(),
        "events": row.events,
        "state": row.state.name.lower(),
        "attempts": row.attempts,
        "status": row.status,
        "note": row.note,
        "next_at": None if row.settled_at_ms else time_from(row.next_at_ms),
        "created_at": time_from(row.created_at_ms),
        "settled_at": time_from(row.settled_at_ms),
    }


def _settings(words: list[str], receipts: OnOff | None, method: str | None) -> dict[str, object]:
    named = {"receipts": receipts, "method": method}
    return {name: value for name, value in named.items() if value is not None} | (settings_of(words) or {})


def _kind(type_: str | None, name: str | None) -> EventKind:
    if type_ is None and name is None:
        raise Refused("Say with --type what the webhook is told of: MessageStatusUpdate or MessageReply.")
    return EventKind.REPLY if type_ is None else dialects.kind_of(type_)


@group.command()
def add(
    where: Annotated[list[str], typer.Argument(metavar="ACCOUNT URL [SETTING=VALUE]...")],
    *,
    dialect: Annotated[str, typer.Option(help="Whose words it is told in.")],
    type_: Annotated[
        str | None, typer.Option("--type", help="What it is told of: MessageStatusUpdate or MessageReply.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Numbers choose it by its name, and it hears of their messages only.")
    ] = None,
    receipts: Receipts = None,
    method: Method = None,
) -> None:
    """Tell an address of an account what happens; the secret signs what it is told."""
    if len(where) < 2:
        raise Refused("Name the account and the address to tell.")
    account, url, kind = where[0], where[1], _kind(type_, name)
    settings = dialects.settings_of(dialects.named(dialect), _settings(where[2:], receipts, method))
    options = WebhookOptions(name=name, settings=settings)

    async def make(store: Store) -> Webhook:
        account_id = await _account_id(store, account)
        return await _webhooks(store).add(account_id, dialect=dialect, kind=kind, url=url, options=options)

    made = run(make)
    answer(
        {**_document(made, account), "secret": made.secret},
        f"Webhook {made.webhook_id} is added.\n  secret  {made.secret}",
    )


@group.command("list")
def list_(account: OfAccount = None) -> None:
    """List webhooks."""

    async def read(store: Store) -> list[dict[str, object]]:
        account_id = None if account is None else await _account_id(store, account)
        names = await _account_names(store)
        return [_document(each, names[each.account_id]) for each in await _webhooks(store).list(account_id)]

    answer_rows("webhooks", run(read), ("id", "account", "name", "dialect", "kind", "url", "is_active", "note"))


@group.command()
def deliveries(
    *,
    account: OfAccount = None,
    webhook: OfWebhook = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
) -> None:
    """List what was told, or is to be told."""

    async def read(store: Store) -> list[dict[str, object]]:
        account_id = None if account is None else await _account_id(store, account)
        webhook_id = None if webhook is None else WebhookId(webhook)
        names = await _account_names(store)
        rows = await _webhooks(store).deliveries(account_id, webhook_id, limit=limit)
        return [_delivery_document(row, names.get(row.account_id)) for row in rows]

    columns = ("id", "webhook", "account", "events", "state", "attempts", "status", "note", "created_at")
    answer_rows("deliveries", run(read), columns)


@group.command()
def replay(
    deliveries: Annotated[list[int] | None, typer.Argument(metavar="[DELIVERY]...")] = None,
    *,
    webhook: Annotated[int | None, typer.Option(metavar="ID", help="All that failed of this webhook.")] = None,
) -> None:
    """Tell again: deliveries by their ids, or everything that failed of a webhook."""
    if bool(deliveries) == (webhook is not None):
        raise Refused("Name deliveries by their ids, or a webhook with --webhook.")
    if webhook is not None:
        count = run(lambda store: _webhooks(store).replay_failed(WebhookId(webhook)))
    else:
        count = run(lambda store: _webhooks(store).replay(deliveries or []))
        if not count:
            raise Refused("There are no such deliveries; `heliograph webhook deliveries` shows them.")
    answer({"replayed": count}, f"{count} deliveries will be told again.")


@group.command()
def remove(webhook: Id) -> None:
    """Tell an address nothing any more."""
    if not run(lambda store: _webhooks(store).remove(None, WebhookId(webhook))):
        raise _unknown(webhook)
    answer({"id": webhook, "is_removed": True}, f"Webhook {webhook} is removed.")


@group.command("set")
def set_(
    webhook: IdAndSettings,
    *,
    url: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Where to tell it from now on.")] = None,
    is_active: Annotated[
        bool | None, typer.Option("--on/--off", help="Whether to tell it anything; --on forgets past failures.")
    ] = None,
    receipts: Receipts = None,
    method: Method = None,
) -> None:
    """Change what is named of a webhook; SETTING= takes a setting away."""
    number, wanted = _number(webhook[0]), _settings(webhook[1:], receipts, method)
    if url is None and is_active is None and not wanted:
        raise Refused("Nothing to change was named.")

    async def change(store: Store) -> dict[str, object]:
        found, account = await _webhook_of(store, number)
        settings = dialects.settings_of(found.dialect, wanted)
        changed = await _webhooks(store).change(
            found.account_id, found.webhook_id, url=url, is_active=is_active, settings=settings
        )
        return _document(changed or found, account.name)

    answer(run(change), f"Webhook {number} is changed.")


def _number(word: str) -> int:
    if not (word.isascii() and word.isdecimal()):
        raise Refused(f"{word!r} is not the id of a webhook; `heliograph webhook list` shows them.")
    return int(word)


@group.command()
def test(webhook: Id) -> None:
    """Call a webhook once with an example event, and show what it answers."""
    from heliograph.cli.probe import try_webhook

    settings = world().settings()
    found, account = run(lambda store: _webhook_of(store, webhook))
    result = try_webhook(
        found,
        account,
        writer=dialects.writer(found.dialect),
        allowed=settings.webhook_allow,
        https_only=settings.webhook_https_only,
    )
    if not result.is_success:
        raise Refused(f"Webhook {webhook} did not take the call: {result.note}.")
    answer({"id": webhook, "status": result.status, "note": result.note}, f"Webhook {webhook} took it: {result.note}.")


async def _webhook_of(store: Store, number: int) -> tuple[Webhook, Account]:
    webhook = await _webhooks(store).show(None, WebhookId(number))
    if webhook is None:
        raise _unknown(number)
    views = await Accounts(store, SystemClock()).list()
    return webhook, next(view.account for view in views if view.account.account_id == webhook.account_id)


def _unknown(number: int) -> Refused:
    return Refused(f"There is no webhook {number}; `heliograph webhook list` shows them.")
