"""The command line: one module for each group of commands, imported only when it is asked for.

A module has `register(app)`, which adds its commands. `--json`, `--config`, `--data` and `--database` are taken
anywhere on the line. Whatever goes wrong ends in one line on standard error and a status that is not 0.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

import typer
from typer.exceptions import TyperException

from heliograph.cli.world import World, entered
from heliograph.services.refused import Refused


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
    "carrier": Group("carrier", "Upstreams: add, list, show, set, probe, drain, remove."),
    "route": Group("route", "Which carriers messages take: add, list, remove."),
    "rate": Group("rate", "What messages cost: add, list, remove."),
    "webhook": Group("webhook", "Whom to tell: add, list, set, test, deliveries, replay, remove."),
    "message": Group("message", "Messages: send, list, show, trace, cancel, resolve."),
    "incoming": Group("incoming", "Messages from handsets: list, show, replay."),
    "explain": Group("explain", "What would become of a message, without sending it."),
    "audit": Group("audit", "Check that the books agree with the messages and nothing is lost."),
    "migrate": Group("migrate", "Bring the store of an older version up to date."),
    "bench": Group("bench", "Measure durable messages a second on this machine."),
    "message-centre": Group("message_centre", "Run the SMPP message centre of the sandbox alone."),
}

_VALUES: Final = ("--config", "--data", "--database")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    written = list(sys.argv[1:] if arguments is None else arguments)
    try:
        world, rest = world_from(written)
        with entered(world):
            return _run(rest)
    except TyperException as error:
        return _refuse(error.format_message(), error.exit_code)
    except Refused as error:
        return _refuse(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except ExceptionGroup as group:
        return _fail(_first(group))
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 (a person gets one line, whatever broke)
        return _fail(error)


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
    wanted = next((word for word in rest if not word.startswith("-")), None)
    command = typer.main.get_command(_app(wanted))
    status = command.main(rest or ["--help"], prog_name="heliograph", standalone_mode=False)
    return status if isinstance(status, int) else 0


def _app(wanted: str | None) -> typer.Typer:
    """Every group by its name; only the wanted one with its commands."""
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


def _refuse(sentence: str, status: int) -> int:
    print("heliograph:", " ".join(sentence.split()), file=sys.stderr)
    return status


def _first(error: Exception) -> Exception:
    """What ended a task group: everything else in it was only stopped."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _fail(error: Exception) -> int:
    from heliograph.store.engine import StoreRefused, StoreUnavailable

    if isinstance(error, Refused | StoreRefused):
        return _refuse(str(error), 1)
    if os.environ.get("HELIOGRAPH_DEBUG") == "1":
        traceback.print_exception(error)
    if isinstance(error, StoreUnavailable):
        return _refuse(f"the store cannot be used just now: {error}", 1)
    return _refuse(f"{type(error).__name__}: {error} (HELIOGRAPH_DEBUG=1 shows where)", 70)
