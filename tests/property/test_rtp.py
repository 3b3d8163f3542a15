"""RTP takes anything, and loses nothing that came."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.rtp.g711 import Law, decode, encode
from heliograph.rtp.packets import RtpPacket
from heliograph.rtp.packets import decode as packet_from
from heliograph.rtp.packets import encode as octets_from
from heliograph.rtp.reception import Reception
from heliograph.rtp.recording import Recording

packets = st.builds(
    RtpPacket,
    payload_type=st.integers(0, 63) | st.integers(96, 127),
    sequence=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=300),
    is_marked=st.booleans(),
)


@given(st.binary(max_size=200))
def test_no_datagram_is_too_odd_to_be_read(octets: bytes) -> None:
    packet = packet_from(octets)
    assert packet is None or len(packet.payload) <= len(octets) - 12


@given(packets)
def test_packets_come_back(packet: RtpPacket) -> None:
    assert packet_from(octets_from(packet)) == packet


@given(st.binary(max_size=200), st.sampled_from(Law))
def test_speech_that_was_squeezed_once_loses_no_more(octets: bytes, law: Law) -> None:
    samples = decode(octets, law)
    assert decode(encode(samples, law), law) == samples


@given(st.lists(packets, max_size=30))
def test_no_sender_can_break_the_listener(odd: list[RtpPacket]) -> None:
    reception, recording = Reception(), Recording(most_s=2)
    for number, packet in enumerate(odd):
        reception.take(packet, number / 50)
        recording.take(packet)
        assert 0 <= reception.lost <= reception.expected
    assert len(recording.samples()) <= 2 * 2 * 8_000


@given(st.integers(0, 0xFFFF), st.permutations(range(40)), st.sets(st.integers(1, 38)))
def test_what_does_not_come_is_lost_and_nothing_else(first: int, order: list[int], missing: set[int]) -> None:
    """Packets that overtake each other within a second are none of the lost ones, once the first has come."""
    reception = Reception()
    for number in [0, *(number for number in order if number not in missing and number)]:
        reception.take(RtpPacket(0, (first + number) & 0xFFFF, number * 160, 1, b""), number / 50)
    assert reception.lost == len(missing)
