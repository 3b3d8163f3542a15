from heliograph.rtp.g711 import Law, decode, silence
from heliograph.rtp.packets import RtpPacket
from heliograph.rtp.recording import Recording


def packet(place: int, letter: bytes, *, ssrc: int = 1, payload_type: int = 0) -> RtpPacket:
    return RtpPacket(payload_type, place, (2**32 - 160 + place * 160) % 2**32, ssrc, letter * 160)


def recorded(*packets: RtpPacket, most_s: int = 10) -> bytes:
    recording = Recording(most_s=most_s)
    for each in packets:
        recording.take(each)
    return recording.samples()


def test_lost_packets_are_silence_and_late_ones_find_their_place() -> None:
    samples = recorded(packet(0, b"a"), packet(3, b"d"), packet(1, b"b"))
    assert samples == decode(b"a" * 160 + b"b" * 160 + silence(160, Law.PCMU) + b"d" * 160, Law.PCMU)


def test_what_belongs_to_somebody_else_is_passed_over() -> None:
    others = [packet(1, b"x", ssrc=2), packet(1, b"x", payload_type=8), packet(1, b"x", payload_type=101)]
    assert recorded(packet(0, b"a"), *others) == decode(b"a" * 160, Law.PCMU)


def test_it_waits_for_speech_in_a_law_it_knows() -> None:
    assert recorded(packet(0, b"x", payload_type=13), packet(5, b"a", payload_type=8)) == decode(b"a" * 160, Law.PCMA)
    assert recorded() == b""


def test_it_has_a_bound() -> None:
    recording = Recording(most_s=1)
    recording.take(packet(0, b"a"))
    recording.take(packet(49, b"b"))
    recording.take(packet(50, b"c"))
    recording.take(packet(-1, b"c"))
    assert recording.seconds == 1.0
