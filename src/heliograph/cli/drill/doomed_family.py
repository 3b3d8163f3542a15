"""Several processes of the server, the last of which dies at a named point of a hop: `... POINT COUNT`.

Whoever is started in its place lives. All else is as `heliograph serve --processes` has it.
"""

import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from heliograph.cli import family, server_process
from heliograph.config import Settings, address_of, load_settings
from heliograph.testing import doomed

_DOOM: Final = "DRILL_DOOM"
_CHILD: Final = "child"


def environs(settings: Settings, shown: str, doom: str) -> Callable[[int], Mapping[str, str]]:
    """What each child is told; the last one, once, that it is doomed. shown: where it is served."""
    usual = server_process.environs(settings, shown)
    waiting = [doom]

    def environ(place: int) -> Mapping[str, str]:
        theirs = {name: value for name, value in usual(place).items() if name != _DOOM}
        is_doomed = place == settings.processes - 1 and waiting
        return theirs | {_DOOM: waiting.pop()} if is_doomed else theirs

    return environ


def _lead(doom: str) -> int:
    settings = load_settings(None, os.environ, {})
    host, port = address_of(settings.listen)
    sockets = family.sockets_at(host, port, settings.processes)
    shown = f"{host}:{sockets[0].getsockname()[1]}"
    command = [sys.executable, "-m", __spec__.name, _CHILD]
    return family.lead(sockets, command, f"http://{shown}", environ=environs(settings, shown, doom))


def _serve(listener: socket.socket) -> int:
    point, _, count = os.environ.get(_DOOM, "").partition(" ")
    if not point:
        return server_process.main(listener)
    doomed.serve(point, int(count), listener)
    return 0


def main(arguments: Sequence[str]) -> int:
    """Lead the family, or be a child of it."""
    if arguments[0] == _CHILD:
        return _serve(socket.socket(fileno=int(arguments[1])))
    return _lead(" ".join(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
