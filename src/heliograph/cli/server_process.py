"""What `heliograph serve` becomes once the line is understood: the server alone, on the settings of its environment."""

import os
import sys

from heliograph.cli.ending import ended
from heliograph.config import Settings, load_settings
from heliograph.services.refused import Refused


def main() -> int:
    """Serve until interrupted; returns the exit status."""

    def served() -> int:
        serve(load_settings(None, os.environ, {}))
        return 0

    return ended(served)


def serve(settings: Settings) -> None:
    """Serve until interrupted; says so when it does. Raises Refused."""
    import structlog

    from heliograph.ops import logs
    from heliograph.server import run

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
        run(settings, started=started)
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
    sys.exit(main())
