import pytest

from heliograph.rtp.packets import RtpPacket
from heliograph.rtp.reception import Reception


def packet(number: int, *, ssrc: int = 1) -> RtpPacket:
    return RtpPacket(0, number % 65536, number * 160 % 2**32, ssrc, b"")


def received(numbers: list[int], *, late_s: float = 0.0) -> Reception:
    reception = Reception()
    for turn, number in enumerate(numbers):
        reception.take(packet(number), number * 0.02 + (late_s if turn % 2 else 0))
    return reception


def test_an_even_stream_has_neither_loss_nor_jitter() -> None:
    reception = received(list(range(100)))
    assert (reception.received, reception.expected, reception.lost) == (100, 100, 0)
    assert reception.jitter_s == pytest.approx(0, abs=1e-9)


def test_numbers_that_wrap_are_no_loss() -> None:
    reception = received(list(range(65500, 65600)))
    assert (reception.expected, reception.lost) == (100, 0)
    assert reception.jitter_s == pytest.approx(0, abs=1e-9)


def test_gaps_are_losses() -> None:
    assert received([number for number in range(100) if number % 10 != 5]).lost == 10


def test_packets_that_overtake_are_not_lost() -> None:
    assert received([0, 2, 1, 3, 5, 4, 6]).lost == 0


def test_a_packet_that_comes_twice_hides_no_more_than_one() -> None:
    assert received([0, 1, 1, 2]).lost == 0


def test_jitter_nears_the_difference_in_spacing() -> None:
    reception = received(list(range(400)), late_s=0.008)
    assert reception.jitter_s == pytest.approx(0.008, rel=0.01)
    assert reception.worst_s == pytest.approx(0.008)


def test_another_source_starts_anew() -> None:
    reception = received(list(range(10)))
    assert reception.take(packet(5_000, ssrc=2), 1.0)
    assert (reception.received, reception.lost) == (1, 0)


def test_a_stray_packet_does_not_count_but_two_in_a_row_are_a_new_beginning() -> None:
    reception = received(list(range(10)))
    assert not reception.take(packet(20_000), 1.0)
    assert reception.take(packet(10), 1.0)
    assert reception.received == 11
    assert not reception.take(packet(30_000), 1.0)
    assert reception.take(packet(30_001), 1.0)
    assert (reception.received, reception.lost) == (1, 0)


def test_nothing_received() -> None:
    reception = Reception()
    assert (reception.received, reception.expected, reception.lost, reception.jitter_s) == (0, 0, 0, 0.0)
