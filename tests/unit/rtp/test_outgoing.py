from heliograph.rtp.g711 import Law, silence
from heliograph.rtp.outgoing import Outgoing
from heliograph.rtp.packets import RtpPacket, decode


def said(outgoing: Outgoing, count: int) -> list[RtpPacket]:
    packets = [decode(outgoing.next_packet()) for _ in range(count)]
    return [packet for packet in packets if packet is not None]


def test_speech_is_cut_into_frames_and_the_last_one_is_filled() -> None:
    outgoing = Outgoing(Law.PCMA, ssrc=7, sequence=0xFFFF, timestamp=0xFFFFFFFF)
    outgoing.play(b"a" * 160 + b"b" * 100)
    first, second, third = said(outgoing, 3)
    assert (first.payload, second.payload) == (b"a" * 160, b"b" * 100 + silence(60, Law.PCMA))
    assert third.payload == silence(160, Law.PCMA)
    assert [each.sequence for each in (first, second, third)] == [0xFFFF, 0, 1]
    assert [each.timestamp for each in (first, second, third)] == [0xFFFFFFFF, 159, 319]
    assert {(each.ssrc, each.payload_type) for each in (first, second, third)} == {(7, 8)}
    assert [each.is_marked for each in (first, second, third)] == [True, False, False]


def test_it_says_when_all_has_been_said() -> None:
    outgoing = Outgoing(Law.PCMU, ssrc=1, sequence=1, timestamp=1)
    assert outgoing.is_silent
    outgoing.play(b"x" * 161)
    assert [(said(outgoing, 1), outgoing.is_silent)[1] for _ in range(3)] == [False, True, True]


def test_after_a_pause_the_speech_goes_on_where_it_was() -> None:
    outgoing = Outgoing(Law.PCMU, ssrc=1, sequence=1, timestamp=0)
    outgoing.play(b"a" * 160 + b"b" * 160)
    said(outgoing, 1)
    outgoing.pause(10)
    (packet,) = said(outgoing, 1)
    assert (packet.payload, packet.sequence, packet.timestamp) == (b"b" * 160, 2, 11 * 160)
    assert packet.is_marked


def test_new_speech_replaces_what_waits() -> None:
    outgoing = Outgoing(Law.PCMU, ssrc=1, sequence=1, timestamp=0)
    outgoing.play(b"a" * 1600)
    said(outgoing, 1)
    outgoing.play(b"b" * 160)
    assert [each.payload[:1] for each in said(outgoing, 2)] == [b"b", b"\xff"]
