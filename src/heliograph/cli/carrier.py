"""heliograph carrier …"""

from typing import Annotated, Literal

import typer

from heliograph.cli.arguments import OnOff, settings_of
from heliograph.cli.show import answer, answer_fields, answer_rows
from heliograph.cli.world import run, world
from heliograph.core.directory import Carrier, Policy
from heliograph.net.clock import SystemClock
from heliograph.services.carriers import CarrierOptions, Carriers, without_password
from heliograph.store.engine import Store

group = typer.Typer(help="Upstreams that messages are submitted to.")

Url = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="smpp://SYSTEM_ID:PASSWORD@HOST:PORT, or another kind's.")
]
Window = Annotated[int | None, typer.Option(metavar="N", help="Unanswered segments on each session (10).")]
Sessions = Annotated[int | None, typer.Option(metavar="N", help="Sessions to keep up (1).")]
Throughput = Annotated[int | None, typer.Option(metavar="N", help="Segments a second, 0 for no limit (0).")]
PolicyWord = Annotated[
    Literal["resend", "hold"] | None, typer.Option(help="What to do with a segment in doubt (resend).")
]
NameAndSettings = Annotated[list[str], typer.Argument(metavar="NAME [SETTING=VALUE]...")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="carrier")


def _carriers(store: Store) -> Carriers:
    from heliograph.carriers.kinds import KINDS

    return Carriers(store, SystemClock(), kinds=KINDS)


def _document(carrier: Carrier) -> dict[str, object]:
    return {
        "carrier": carrier.name,
        "id": carrier.carrier_id,
        "url": without_password(carrier.url),
        "channels": [channel.name.lower() for channel in sorted(carrier.channels)],
        "window": carrier.window,
        "sessions": carrier.sessions,
        "throughput": carrier.throughput,
        "policy": carrier.policy.name.lower(),
        "is_draining": carrier.is_draining,
        "settings": dict(carrier.settings),
    }


def _policy(word: str | None) -> Policy | None:
    return None if word is None else Policy[word.upper()]


@group.command()
def add(
    name: NameAndSettings,
    *,
    url: Url = None,
    window: Window = None,
    sessions: Sessions = None,
    throughput: Throughput = None,
    policy: PolicyWord = None,
) -> None:
    """Add a carrier; with one carrier of a channel and no route, messages go there."""
    options = CarrierOptions(
        url=url,
        window=window,
        sessions=sessions,
        throughput=throughput,
        policy=_policy(policy),
        settings=settings_of(name[1:]),
    )
    carrier = run(lambda store: _carriers(store).add(name[0], options))
    answer(_document(carrier), f"Carrier {carrier.name} is added.")


@group.command("set")
def set_(
    name: NameAndSettings,
    *,
    url: Url = None,
    window: Window = None,
    sessions: Sessions = None,
    throughput: Throughput = None,
    policy: PolicyWord = None,
) -> None:
    """Change what is named of a carrier; SETTING= takes a setting away."""
    options = CarrierOptions(
        url=url,
        window=window,
        sessions=sessions,
        throughput=throughput,
        policy=_policy(policy),
        settings=settings_of(name[1:]),
    )
    carrier = run(lambda store: _carriers(store).change(name[0], options))
    answer(_document(carrier), f"Carrier {carrier.name} is changed.")


@group.command("list")
def list_() -> None:
    """List carriers."""
    carriers = run(lambda store: _carriers(store).list())
    columns = ("carrier", "url", "channels", "window", "sessions", "throughput", "policy", "is_draining")
    answer_rows("carriers", [_document(carrier) for carrier in carriers], columns)


@group.command()
def show(name: str) -> None:
    """Show everything about a carrier but its password; callback: where it is to call us, if it does."""

    async def look(store: Store) -> tuple[Carrier, str]:
        carriers = _carriers(store)
        carrier = await carriers.show(name)
        return carrier, await carriers.callback(carrier)

    carrier, callback = run(look)
    settings = world().settings()
    base = settings.public_url or f"http://{settings.listen}"
    answer_fields({**_document(carrier), **({"callback": base + callback} if callback else {})})


@group.command()
def drain(
    name: str, switch: Annotated[OnOff, typer.Argument(help="off takes the carrier back into use.")] = "on"
) -> None:
    """Give a carrier no new messages."""
    carrier = run(lambda store: _carriers(store).drain(name, is_draining=switch == "on"))
    words = "gets no new messages" if carrier.is_draining else "is in use again"
    answer(_document(carrier), f"Carrier {name} {words}.")


@group.command()
def remove(name: str) -> None:
    """Forget a carrier and its routes, once its messages have ended."""
    run(lambda store: _carriers(store).remove(name))
    answer({"carrier": name, "is_removed": True}, f"Carrier {name} is removed.")


@group.command()
def probe(name: str) -> None:
    """Bind to a carrier once, or reach it, without sending anything, and say how long it took."""
    from heliograph.cli.probe import probe as probed

    tried = probed(run(lambda store: _carriers(store).show(name)))
    words = f"Carrier {name} at {tried.peer} was reached in {tried.ms} ms."
    answer({"carrier": name, **tried._asdict()}, words if tried.peer else f"Carrier {name} has nothing to connect to.")
