"""The far end: a process that commits batches until the near end is gone. It imports little, for memory's sake."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from heliograph.store.apart.frames import LENGTH_OCTETS, framed, unframed
from heliograph.store.hop import StoreUnavailable
from heliograph.store.hops.crossing import HOPS, ways
from heliograph.store.turns import Turns
from heliograph.store.writer import BatchWriter, connect, nothing


class _Kept(logging.Handler):
    """Keeps what was logged, for the near end to log in its own form."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(record.getMessage() + (f": {type(error).__name__}: {error}" if error else ""))


def work_off(path: Path, near: socket.socket, reach: Callable[[str], None] = nothing) -> None:
    """Commit batches until the near end is gone; the store is left as it stands, since the next server may wait."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # They are meant for the program as a whole: the near end decides.
        signal.signal(number, signal.SIG_IGN)
    kept = _Kept()
    logging.getLogger().addHandler(kept)
    turns = Turns(path.parent)
    writer = BatchWriter(
        lambda: connect(path), let_others_pass=turns.let_others_pass, post=lambda call: call(), reach=reach
    )
    ends = ways()
    stream = near.makefile("rb")
    while batch := _read(stream):
        results: list[tuple[str | None, Any]] = [("failed", "")] * len(batch)
        for place, (name, packed) in enumerate(batch):
            writer.put(HOPS[name], ends[name].unpack(packed), _noting(results, place, ends[name].pack_result))
        while writer.step():
            pass
        lines, kept.lines = kept.lines, []
        try:
            near.sendall(framed((writer.commits, lines, results)))
        except OSError:
            break


def _noting(results: list[tuple[str | None, Any]], place: int, pack: Callable[[Any], Any]) -> Callable[[Any], None]:
    def note(result: Any) -> None:
        if isinstance(result, StoreUnavailable):
            results[place] = ("unavailable", str(result))
        elif isinstance(result, Exception):
            results[place] = ("failed", f"{type(result).__name__}: {result}")
        else:
            results[place] = (None, pack(result))

    return note


def _read(stream: BinaryIO) -> list[tuple[str, Any]] | None:
    """The next batch; None when the near end is gone."""
    try:
        length = stream.read(LENGTH_OCTETS)
        written = stream.read(int.from_bytes(length, "big"))
    except OSError:
        return None
    if len(length) < LENGTH_OCTETS or len(written) < int.from_bytes(length, "big"):
        return None
    batch: list[tuple[str, Any]] = unframed(written)
    return batch


def main(arguments: Sequence[str], reach: Callable[[str], None] = nothing) -> None:
    """The far end, on the socket that is standard input."""
    (path,) = arguments
    with socket.socket(fileno=os.dup(0)) as near:
        work_off(Path(path), near, reach)


if __name__ == "__main__":
    main(sys.argv[1:])
