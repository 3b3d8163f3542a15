"""How every command ends: with a status, and when something went wrong with one line that says what."""

import os
import sys
import traceback
from collections.abc import Callable

from heliograph.services.refused import Refused


class Misused(Exception):
    """The line makes no sense; the text says what is wrong with it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def ended(command: Callable[[], int]) -> int:
    """Run something to its end; returns the exit status."""
    try:
        return command()
    except Misused as error:
        return _refuse(str(error), error.status)
    except Refused as error:
        return _refuse(str(error), 1)
    except KeyboardInterrupt:
        return 130
    except ExceptionGroup as group:
        return _fail(_first(group))
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # noqa: BLE001 (a person gets one line, whatever broke)
        return _fail(error)


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
