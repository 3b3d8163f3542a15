"""The far end: a process that adapts pictures one by one until the near end is gone.

It is made to be lost. Before it looks at anything it gives up more memory than a large picture takes, core files, and
the right to open any file or socket; each picture has seconds of the processor, past which the system ends the process.
"""

import os
import resource
import signal
from contextlib import suppress
from io import BytesIO
from typing import Final

from PIL import Image

from heliograph.services.pictures.adapting import adapted
from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.frames import MOST_OCTETS, ORDER, READY, framed_answer

MOST_MEMORY: Final = 640 * 1024 * 1024
MOST_CPU_S: Final = 15
_KINDS: Final = (("GIF", "image/gif"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff"))
_INPUT: Final = 0
_OUTPUT: Final = 1
_PIECE: Final = 1 << 20


def give_up_rights() -> None:
    """Keep what adapting takes, for good."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # They are meant for the program as a whole: the near end decides.
        signal.signal(number, signal.SIG_IGN)
    _warm_up()
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        kept = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # Some systems do not limit memory; the limit on pixels holds everywhere.
        with suppress(OSError, ValueError):
            resource.setrlimit(limit, (kept, kept))


def _warm_up() -> None:
    """Adapt a small picture of each kind: the library imports what it needs when it first needs it, from files."""
    for kind, content_type in _KINDS:
        for mode in ("P", "RGBA"):
            file = BytesIO()
            Image.linear_gradient("L").convert(mode).save(file, kind)
            for most_octets in (len(file.getvalue()) // 2, 1 << 20):
                with suppress(BadPicture):
                    adapted(file.getvalue(), content_type, most_octets=most_octets)


def work_off() -> None:
    """Adapt what comes in until nothing more comes."""
    _write(READY)
    while head := _read(ORDER.size):
        most_octets, most_side, kind, octets = ORDER.unpack(head)
        if octets > MOST_OCTETS:
            return
        content_type, picture = _read(kind), _read(octets)
        if content_type is None or picture is None:
            return
        _allow_cpu()
        _write(_answer(picture, content_type.decode(), most_octets, most_side))


def _answer(picture: bytes, content_type: str, most_octets: int, most_side: int) -> bytes:
    try:
        good = adapted(picture, content_type, most_octets=most_octets, most_side=most_side)
    except BadPicture as bad:
        return framed_answer(b"", str(bad), is_good=False)
    except MemoryError:
        return framed_answer(b"", "takes more memory than a picture is given", is_good=False)
    return framed_answer(good.content, good.content_type, is_good=True)


def _allow_cpu() -> None:
    """Begin to count the seconds of the next picture; past them the system's signal ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + MOST_CPU_S, hard))


def _read(octets: int) -> bytes | None:
    """So many octets; None when the near end is gone before."""
    read = bytearray()
    while len(read) < octets:
        piece = os.read(_INPUT, min(octets - len(read), _PIECE))
        if not piece:
            return None
        read += piece
    return bytes(read)


def _write(answer: bytes) -> None:
    left = memoryview(answer)
    while left:
        left = left[os.write(_OUTPUT, left) :]


if __name__ == "__main__":
    give_up_rights()
    # The near end may be gone when the answer is ready.
    with suppress(BrokenPipeError, ConnectionResetError):
        work_off()
