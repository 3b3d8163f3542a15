"""The command line: one module for each group of commands, imported only when it is asked for.

A module has `register(app)`, which adds its commands. `--json`, `--config`, `--data` and `--database` are taken
anywhere on the line. Whatever goes wrong ends in one line on standard error and a status that is not 0.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from heliograph.cli.ending import Misused, ended
from heliograph.cli.world import World, entered
from heliograph.services.refused import Refused

if TYPE_CHECKING:
    import typer


class Group(NamedTuple):
    """Where commands live, and what the overview says of them."""

    module: str
    about: str


GROUPS: Final = {
    "serve": Group("serve", "Serve everything: HTTP, carriers, webhooks."),
    "sandbox": Group("sandbox", "Try everything on throw-away data, with carriers that are not real."),
    "account": Group("account", "Customers: add, list, show, suspend, resume, topup, set."),
    "key": Group("key", "API keys: add, list, revoke."),
    "number": Group("number", "Numbers of accounts: add, set, list, remove."),
    "campaign": Group("campaign", "Registered campaigns: add, approve, list, remove."),
    "group": Group("group", "Contact groups of accounts: add, list, show, rename, remove."),
    "contact": Group("contact", "Contacts in groups: add, list, show, set, remove, import, export."),
    "carrier": Group("carrier", "Upstreams: add, list, show, set, probe, drain, remove."),
    "route": Group("route", "Which carriers messages take: add, list, remove."),
    "rate": Group("rate", "What messages cost: add, list, remove."),
    "webhook": Group("webhook", "Whom to tell: add, list, set, test, deliveries, replay, remove."),
    "message": Group("message", "Messages: send, list, show, trace, cancel, resolve."),
    "broadcast": Group("broadcast", "Submissions to groups of contacts: start, list, show, cancel."),
    "incoming": Group("incoming", "Messages from handsets: list, show, replay."),
    "explain": Group("explain", "What would become of a message, without sending it."),
    "audit": Group("audit", "Check that the books agree with the messages and nothing is lost."),
    "migrate": Group("migrate", "Bring the store of an older version up to date."),
    "copy": Group("copy", "Copy a store from a file to a PostgreSQL server."),
    "bench": Group("bench", "Measure durable messages a second on this machine, or a broadcast."),
    "drill": Group("drill", "Break everything on throw-away data, and check that every promise is kept."),
    "message-centre": Group("message_centre", "Run the SMPP message centre of the sandbox alone."),
}

_VALUES: Final = ("--config", "--data", "--database")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    written = list(sys.argv[1:] if arguments is None else arguments)

    def command() -> int:
        world, rest = world_from(written)
        with entered(world):
            return _run(rest)

    return ended(command)


def world_from(written: Sequence[str]) -> tuple[World, list[str]]:
    """Take the options that hold for every command off the line; what follows `--` is left alone."""
    rest: list[str] = []
    values: dict[str, str] = {}
    as_json = False
    left = list(written)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if word == "--":
            rest += [word, *left]
            break
        if word == "--json":
            as_json = True
        elif name in _VALUES:
            if not equals and not left:
                raise Refused(f"{name} needs a value.")
            values[name.removeprefix("--")] = value if equals else left.pop(0)
        else:
            rest.append(word)
    config = values.pop("config", None)
    return World(as_json=as_json, config=config, flags=values, environ=dict(os.environ)), rest


def _run(rest: list[str]) -> int:
    # Imported here, for the server is started without the command line's library and its 15 MB.
    import typer
    from typer.exceptions import TyperException

    wanted = next((word for word in rest if not word.startswith("-")), None)
    command = typer.main.get_command(_app(wanted))
    try:
        status = command.main(rest or ["--help"], prog_name="heliograph", standalone_mode=False)
    except TyperException as error:
        raise Misused(error.format_message(), error.exit_code) from error
    except typer.Abort:
        raise KeyboardInterrupt from None
    return status if isinstance(status, int) else 0


def _app(wanted: str | None) -> "typer.Typer":
    """Every group by its name; only the wanted one with its commands."""
    import typer

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.callback(help="A self-hosted messaging exchange. --json, --config, --data and --database fit every command.")(
        _nothing
    )
    for name, group in GROUPS.items():
        if name == wanted:
            import_module(f"heliograph.cli.{group.module}").register(app)
        else:
            app.command(name, help=group.about)(_nothing)
    return app


def _nothing() -> None:
    """What stands for a group in the overview."""
