"""heliograph explain: what would become of a message, without sending it."""

from typing import Annotated, Any

import typer

from heliograph.cli.sending import sending
from heliograph.cli.show import answer_fields, credits_from
from heliograph.cli.world import run
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.services.sending import Order


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    *,
    account: Annotated[str, typer.Option(help="Whose message it would be.")],
    to: Annotated[str, typer.Option(help="The recipient's number.")],
    text: Annotated[str, typer.Option(help="What it would say.")],
    sender: Annotated[str | None, typer.Option("--from", help="The sender; without it the account's.")] = None,
) -> None:
    """Say which carriers a message would take, how many segments it has, what it costs, or why it is refused."""
    order = Order((to,), text, sender)
    told = run(lambda store: sending(store).explain(account, order))
    if isinstance(told, Refusal):
        answer_fields({"is_accepted": False, **_why(told.reason)})
        return
    fields: dict[str, Any] = {
        "is_accepted": told.verdict.reason is None,
        "recipient": told.verdict.recipient or to,
        "sender": told.sender,
        "encoding": told.encoding.name,
        "segments": told.segments,
        "carriers": list(told.carriers),
        "price": credits_from(told.price),
    }
    answer_fields(fields | (_why(told.verdict.reason) if told.verdict.reason else {}))


def _why(reason: Reason) -> dict[str, Any]:
    return {"reason": reason.sentence, "reason_number": reason.number, "advice": reason.advice}
