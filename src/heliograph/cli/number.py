"""heliograph number …"""

from typing import Annotated

import typer

from heliograph.cli.arguments import OnOff, switch_of
from heliograph.cli.show import answer, answer_rows
from heliograph.cli.world import run
from heliograph.net.clock import SystemClock
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from heliograph.store.numbers import NumberRow

group = typer.Typer(help="Numbers that belong to accounts.")

Sms = Annotated[OnOff | None, typer.Option(help="Whether it carries SMS.")]
Mms = Annotated[OnOff | None, typer.Option(help="Whether it carries MMS.")]
Voice = Annotated[OnOff | None, typer.Option(help="Whether it carries voice.")]
WebhookName = Annotated[str | None, typer.Option(metavar="NAME", help="Who is told what it receives; empty: nobody.")]
Tcr = Annotated[str | None, typer.Option(metavar="TCR", help="The campaign it sends for; empty: none.")]
OfAccount = Annotated[str | None, typer.Option(help="Only this account's.")]
OfWebhook = Annotated[str | None, typer.Option(metavar="NAME", help="Only those that name this webhook; empty: none.")]
OfCampaign = Annotated[str | None, typer.Option(metavar="TCR", help="Only those of this campaign; empty: of none.")]
Whose = Annotated[list[str], typer.Argument(metavar="[ACCOUNT] MSISDN")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="number")


def _numbers(store: Store) -> Numbers:
    return Numbers(store, SystemClock())


def _document(row: NumberRow) -> dict[str, object]:
    return {
        "number": row.msisdn,
        "account": row.account,
        "sms": row.sms,
        "mms": row.mms,
        "voice": row.voice,
        "webhook": row.webhook,
        "campaign": row.campaign,
    }


def _whose(words: list[str]) -> tuple[str | None, str]:
    if len(words) > 2:
        raise Refused("Name the account, if you like, and one number.")
    return (words[0] if len(words) == 2 else None), words[-1]


@group.command()
def add(
    whose: Annotated[tuple[str, str], typer.Argument(metavar="ACCOUNT MSISDN")],
    *,
    sms: Sms = None,
    mms: Mms = None,
    voice: Voice = None,
    webhook: WebhookName = None,
    campaign: Tcr = None,
) -> None:
    """Give a number to an account; SMS and MMS are on unless switched off."""
    options = NumberOptions(
        sms=switch_of(sms), mms=switch_of(mms), voice=switch_of(voice), webhook=webhook, campaign=campaign
    )
    row = run(lambda store: _numbers(store).add(*whose, options=options))
    answer(_document(row), f"{row.msisdn} is {row.account}'s.")


@group.command("set")
def set_(
    whose: Whose,
    *,
    sms: Sms = None,
    mms: Mms = None,
    voice: Voice = None,
    webhook: WebhookName = None,
    campaign: Tcr = None,
) -> None:
    """Change what is named of a number."""
    account, msisdn = _whose(whose)
    options = NumberOptions(
        sms=switch_of(sms), mms=switch_of(mms), voice=switch_of(voice), webhook=webhook, campaign=campaign
    )
    row = run(lambda store: _numbers(store).change(msisdn, options, account_name=account))
    answer(_document(row), f"{row.msisdn} is changed.")


@group.command("list")
def list_(account: OfAccount = None, *, webhook: OfWebhook = None, campaign: OfCampaign = None) -> None:
    """List numbers."""
    having = NumberOptions(webhook=webhook, campaign=campaign)
    rows = run(lambda store: _numbers(store).list(account, having=having))
    columns = ("number", "account", "sms", "mms", "voice", "webhook", "campaign")
    answer_rows("numbers", [_document(row) for row in rows], columns)


@group.command()
def remove(whose: Whose) -> None:
    """Take a number from its account."""
    account, msisdn = _whose(whose)
    run(lambda store: _numbers(store).remove(msisdn, account_name=account))
    answer({"number": msisdn, "is_removed": True}, f"{msisdn} belongs to nobody now.")
