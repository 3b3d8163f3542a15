"""The line of the long stories is as bad as they believe."""

import select
import socket
from contextlib import closing

from tests.faults.line import FAIR, Line, Weather

COUNT = 100
"""A socket keeps so many datagrams for one who reads them later."""

FOUL = Weather(loss=0.2, doubles=0.2)


def arrived(made: Line, weather: Weather, *, count: int = COUNT) -> list[int]:
    """Which of so many datagrams reach the far end, in the order in which they do."""
    made.weather = weather
    with made.far_side():
        far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(far), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        far.bind((made.far, 0))
        for number in range(count):
            near.sendto(number.to_bytes(2, "big"), far.getsockname())
        found: list[int] = []
        # A machine with other work may let the line wait; what comes twice comes soon.
        while select.select([far], [], [], 1.5 if len(found) < count else 0.2)[0]:
            found.append(int.from_bytes(far.recv(2), "big"))
        return found


def test_a_bad_line_loses_doubles_and_reorders(bad_line: Line) -> None:
    found = arrived(bad_line, FOUL)
    assert COUNT * 0.5 < len(set(found)) < COUNT
    assert len(found) > len(set(found))
    assert found != sorted(found)
    assert bad_line.there.lost > 0
    assert bad_line.there.doubled > 0


def test_a_fair_line_brings_everything_once(bad_line: Line) -> None:
    assert sorted(arrived(bad_line, FAIR)) == list(range(COUNT))


def test_one_way_may_be_silent_alone(bad_line: Line) -> None:
    bad_line.there.is_silent = True
    assert not arrived(bad_line, FAIR, count=5)
    bad_line.there.is_silent, bad_line.back.is_silent = False, True
    assert len(arrived(bad_line, FAIR, count=5)) == 5
