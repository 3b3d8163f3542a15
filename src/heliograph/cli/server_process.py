"""What `heliograph serve` becomes once the line is understood: the server alone, on the settings of its environment."""

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from heliograph.cli.ending import ended
from heliograph.config import PREFIX, Settings, address_of, load_settings
from heliograph.services.refused import Refused


def main(listener: socket.socket | None = None) -> int:
    """Serve until interrupted; returns the exit status. listener: where requests come in, if it is open already."""

    def served() -> int:
        settings = load_settings(None, os.environ, {})
        if settings.processes > 1 and listener is None:
            return _lead(settings)
        if listener is not None:
            threading.Thread(target=_end_with_the_parent, daemon=True).start()
        serve(settings, listener)
        return 0

    return ended(served)


def _end_with_the_parent() -> None:
    """Stop in good order when the parent is gone, which is when nobody holds the other end of our input."""
    while os.read(0, 1):
        continue
    os.kill(os.getpid(), signal.SIGTERM)


def environs(settings: Settings, shown: str) -> Callable[[int], dict[str, str]]:
    """What a child is told at its place. shown: where all of them are served; each answers for itself at a port."""

    def environ(place: int) -> dict[str, str]:
        theirs = dict(os.environ) | {f"{PREFIX}LISTEN": shown}
        if settings.process_listen is not None:
            first_host, _, first = settings.process_listen.rpartition(":")
            theirs[f"{PREFIX}PROCESS_LISTEN"] = f"{first_host}:{int(first) + place}"
        return theirs

    return environ


def _lead(settings: Settings) -> int:
    from heliograph.cli import family
    from heliograph.ops import logs

    logs.configure(settings.log_level)
    host, port = address_of(settings.listen)
    try:
        sockets = family.sockets_at(host, port, settings.processes)
    except OSError as error:
        raise Refused(_why_not(error, settings)) from error
    # Links to files name the port; the children are told which one it was.
    port = sockets[0].getsockname()[1]
    shown = settings.listen.rpartition(":")[0] + f":{port}"

    command = [sys.executable, "-m", "heliograph.cli.server_process"]
    return family.lead(sockets, command, f"http://{host}:{port}", environ=environs(settings, shown))


def serve(settings: Settings, listener: socket.socket | None = None) -> None:
    """Serve until interrupted; says so when it does. Raises Refused."""
    # Nothing of what is imported becomes garbage: looking for some meanwhile takes a fifth of the time until we serve.
    gc.disable()
    import structlog

    from heliograph.ops import logs
    from heliograph.server import run

    gc.enable()
    logs.configure(settings.log_level)
    if settings.smpp_listen is not None:
        structlog.get_logger(__name__).warning(
            "this version does not listen for customers over SMPP", smpp_listen=settings.smpp_listen
        )
    serves = False

    def started(address: str) -> None:
        nonlocal serves
        serves = True
        print(f"Heliograph serves {address}", flush=True)

    try:
        run(settings, started=started, listener=listener)
    except OSError as error:
        if serves:
            raise
        raise Refused(_why_not(error, settings)) from error


def _why_not(error: OSError, settings: Settings) -> str:
    """Only errors of files name one; all others before the start are the listening socket's."""
    # asyncio and socket say again where they tried.
    why = (error.strerror or str(error)).partition(" (while")[0]
    if error.filename is not None:
        return f"Cannot use {error.filename}: {why}; check the data folder's rights."
    return f"Cannot listen on {settings.listen}: {why}; name another place with --listen."


if __name__ == "__main__":
    # A parent names the number of a socket that it has opened.
    sys.exit(main(socket.socket(fileno=int(sys.argv[1])) if len(sys.argv) > 1 else None))
