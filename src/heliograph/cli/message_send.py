"""heliograph message send"""

from typing import Annotated

import typer

from heliograph.cli.sending import sending
from heliograph.cli.show import answer_rows
from heliograph.cli.world import run
from heliograph.core.ids import shown_id
from heliograph.core.messages import Channel, Refusal, Traits
from heliograph.services.refused import Refused
from heliograph.services.sending import Order

_CHANNELS = {channel.name.lower(): channel for channel in Channel}


commands = typer.Typer()


@commands.command()
def send(  # noqa: PLR0913 (what can be said of a message)
    *,
    account: Annotated[str, typer.Option(help="Who sends and pays.")],
    to: Annotated[list[str], typer.Option(help="A recipient's number; may be given several times.")],
    text: Annotated[str, typer.Option(help="What it says.")] = "",
    sender: Annotated[str | None, typer.Option("--from", help="The sender; without it the account's.")] = None,
    channel: Annotated[str, typer.Option(help="sms, mms or voice.")] = "sms",
    media: Annotated[
        list[str] | None, typer.Option(help="The address of a file of an MMS; may be given again.")
    ] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When to send, in the account's time zone: 2026-12-31 18:30.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the voice that reads the text, such as en-gb.")] = "",
    gender: Annotated[str, typer.Option(help="Of the voice: female or male.")] = "",
    template: Annotated[str, typer.Option(help="The id of a content template registered with the carriers.")] = "",
) -> None:
    """Send a message to each of one or more recipients; fails when there is none it can go to."""
    kind = _CHANNELS.get(channel.lower())
    if kind is None:
        raise Refused(f"--channel is {' or '.join(_CHANNELS)}, not {channel!r}.")
    traits = Traits(template_id=template, language=language, gender=gender)
    order = Order(tuple(to), text, sender, kind, tuple(media or ()), at, traits)
    sent = run(lambda store: sending(store).send(account, order))
    answer = sent.answer
    if isinstance(answer, Refusal):
        raise Refused(f"{answer.sentence} {answer.reason.advice}")
    documents = [
        {
            "recipient": verdict.recipient or written,
            "id": shown_id(verdict.message_id, sent.account.mark) if verdict.message_id else None,
            "segments": verdict.segments,
            "reason": verdict.reason.sentence if verdict.reason else None,
        }
        for written, verdict in zip(to, answer.verdicts, strict=True)
    ]
    answer_rows("messages", documents, ("recipient", "id", "segments", "reason"))
    if not any(verdict.message_id for verdict in answer.verdicts):
        raise Refused("Nothing was sent: no recipient could be accepted.")
