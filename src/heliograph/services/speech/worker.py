"""A process that reads texts: frames in at its standard input, frames out at its standard output, until the first ends.

It has bounds on memory, time and files, which it sets itself before it reads anything. What hangs or grows is ended,
by the system or by whoever asked.
"""

import os
import resource
import signal
import sys
from typing import BinaryIO, Final

from heliograph.services.speech.engine import Engine, EngineFailed
from heliograph.services.speech.frames import BAD, GOOD, LENGTH_OCTETS, framed, question_in
from heliograph.services.speech.sound import line_sound

MEMORY_OCTETS: Final = 512 << 20
LONGEST_S: Final = 1_800
"""Of what is read: longer calls nobody listens to."""


def work_off(source: BinaryIO, target: BinaryIO) -> None:
    """Read what is asked for until there is no more."""
    engine = Engine()
    _bound(resource.RLIMIT_NPROC, 0)
    while (question := _read(source)) is not None:
        voice, text = question_in(question)
        _bound_time(len(text))
        target.write(framed(_answer(engine, voice, text)))
        target.flush()


def cpu_s(chars: int) -> int:
    """Seconds of the processor that a text may take: some ten times what it does."""
    return 5 + chars // 40


def _answer(engine: Engine, voice: str, text: str) -> bytes:
    try:
        sound = line_sound(engine.read(voice, text, most_samples=LONGEST_S * engine.rate), engine.rate)
    except EngineFailed as error:
        return BAD + str(error).encode()
    return GOOD + sound if sound else BAD + b"the speech engine says nothing for this text"


def _read(source: BinaryIO) -> bytes | None:
    length = source.read(LENGTH_OCTETS)
    if len(length) < LENGTH_OCTETS:
        return None
    octets = source.read(int.from_bytes(length, "big"))
    return octets if len(octets) == int.from_bytes(length, "big") else None


def _bound(what: int, most: int) -> None:
    try:
        resource.setrlimit(what, (most, most))
    except (ValueError, OSError):
        # Some systems have no such bound, or a lower one already.
        return


def _bound_time(chars: int) -> None:
    """From now on. The system ends the process that takes more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + cpu_s(chars)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


def main() -> None:
    """Work off standard input."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # They are meant for the program as a whole, which ends this process by ending its input.
        signal.signal(number, signal.SIG_IGN)
    _bound(resource.RLIMIT_AS, MEMORY_OCTETS)
    _bound(resource.RLIMIT_CORE, 0)
    _bound(resource.RLIMIT_FSIZE, 0)
    _bound(resource.RLIMIT_NOFILE, 32)
    # The library may print; what it prints must not come between frames.
    with os.fdopen(os.dup(1), "wb") as target, open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        work_off(sys.stdin.buffer, target)


if __name__ == "__main__":
    main()
