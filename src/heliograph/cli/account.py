"""heliograph account …"""

from typing import Annotated

import typer

from heliograph.cli import dialects
from heliograph.cli.arguments import YesNo, amount_of, channels_of, settings_of, switch_of, word_of
from heliograph.cli.show import answer, answer_fields, answer_rows, credits_from, time_from
from heliograph.cli.world import run
from heliograph.net.clock import SystemClock
from heliograph.services.accounts import Accounts, AccountView
from heliograph.services.refused import Refused
from heliograph.store.engine import Store

group = typer.Typer(help="Customers of this exchange.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="account")


def _accounts(store: Store) -> Accounts:
    return Accounts(store, SystemClock())


def _document(view: AccountView) -> dict[str, object]:
    account = view.account
    return {
        "account": account.name,
        "user": account.user,
        "id": account.account_id,
        "mark": account.mark,
        "is_suspended": account.is_suspended,
        "available": credits_from(view.balance.available),
        "held": credits_from(view.balance.held),
        "captured": credits_from(view.balance.captured),
        "sender": account.sender,
        "senders": sorted(account.senders),
        "numbers": list(view.numbers),
        "channels": [word_of(each) for each in sorted(account.channels)],
        "rate_limit": account.rate_limit,
        "time_zone": account.time_zone,
        "agreement": account.has_agreed,
        "settings": {name: dict(settings) for name, settings in account.settings.items()},
        "created_at": time_from(view.created_at_ms),
    }


async def _found(store: Store, name: str) -> AccountView:
    view = await _accounts(store).find(name)
    if view is None:
        raise Refused(f"There is no account named {name!r}; `heliograph account list` shows them.")
    return view


@group.command()
def add(name: str, credits: Annotated[str, typer.Option(metavar="N", help="Credits to begin with.")] = "0") -> None:
    """Make an account and its first API key, which is shown this once."""
    made = run(lambda store: _accounts(store).add(name, amount=amount_of(credits)))
    document = {"account": made.account.name, "user": made.account.user, "api_key": made.api_key}
    answer(document, f"Account {name} is made.\n  user     {made.account.user}\n  API key  {made.api_key}")


@group.command("list")
def list_() -> None:
    """List accounts with their credits."""
    views = run(lambda store: _accounts(store).list())
    columns = ("account", "user", "available", "held", "captured", "is_suspended", "sender")
    answer_rows("accounts", [_document(view) for view in views], columns)


@group.command()
def show(name: str) -> None:
    """Show everything about an account."""
    answer_fields(_document(run(lambda store: _found(store, name))))


@group.command()
def suspend(name: str) -> None:
    """Refuse everything an account sends from now on."""
    run(lambda store: _accounts(store).suspend(name))
    answer({"account": name, "is_suspended": True}, f"Account {name} is suspended.")


@group.command()
def resume(name: str) -> None:
    """Let a suspended account send again."""
    run(lambda store: _accounts(store).resume(name))
    answer({"account": name, "is_suspended": False}, f"Account {name} may send again.")


@group.command()
def topup(
    name: str,
    amount: Annotated[str | None, typer.Argument(metavar="[N]", help="Credits to add.")] = None,
    *,
    credits: Annotated[str | None, typer.Option(metavar="N", help="The same; below 0 takes credits back.")] = None,
) -> None:
    """Add credits to an account."""
    if (amount is None) == (credits is None):
        raise Refused("Name the credits to add once: heliograph account topup NAME N.")
    added = amount_of(amount or credits or "")
    balance = run(lambda store: _accounts(store).top_up(name, added))
    available = credits_from(balance.available)
    answer({"account": name, "available": available}, f"Account {name} has {available} credits available.")


@group.command("set")
def set_(  # noqa: PLR0913 (what can be changed)
    named: Annotated[list[str], typer.Argument(metavar="NAME [DIALECT.SETTING=VALUE]...")],
    *,
    sender: Annotated[str | None, typer.Option(help="Default sender; empty for the operator's.")] = None,
    senders: Annotated[str | None, typer.Option(metavar="A,B", help="Allowed senders; empty for any.")] = None,
    rate_limit: Annotated[
        str | None, typer.Option(metavar="N", help="Requests a minute; 0 for no limit, or default.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option(metavar="ZONE", help="Such as Africa/Johannesburg.")] = None,
    agreement: Annotated[YesNo | None, typer.Option(help="Whether the terms were agreed to.")] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="sms,mms,voice", help="What it may send; empty for nothing.")
    ] = None,
) -> None:
    """Change what is named of an account; DIALECT.SETTING= takes a setting of a dialect away."""
    name, settings = named[0], dialects.account_settings_of(settings_of(named[1:]) or {})
    may_send = channels_of(channels)
    wanted = None if senders is None else [each.strip() for each in senders.split(",") if each.strip()]

    async def change(store: Store) -> AccountView:
        await _accounts(store).change(
            name,
            sender=sender,
            senders=wanted,
            rate_limit="default" if rate_limit == "default" else _count(rate_limit),
            time_zone=time_zone,
            has_agreed=switch_of(agreement),
            channels=may_send,
            settings=settings or None,
        )
        return await _found(store, name)

    answer(_document(run(change)), f"Account {name} is changed.")


def _count(written: str | None) -> int | None:
    if written is not None and not written.isdecimal():
        raise Refused("A rate limit is a number of requests a minute, 0 for none, or the word default.")
    return None if written is None else int(written)
