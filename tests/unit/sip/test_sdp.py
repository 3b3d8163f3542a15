import pytest

from heliograph.sip.errors import SdpError
from heliograph.sip.sdp import Codec, Media, Stream, answer, offer, stream_of_answer

OURS = Media(host="192.0.2.1", port=40_000)
HEAD = "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n"


def said(*lines: str, head: str = HEAD) -> bytes:
    return (head + "".join(f"{line}\r\n" for line in lines)).encode()


def lines(body: bytes) -> list[str]:
    return body.decode().split("\r\n")[:-1]


def test_our_offer() -> None:
    assert lines(offer(OURS, session_id=5, version=2)) == [
        "v=0",
        "o=- 5 2 IN IP4 192.0.2.1",
        "s=-",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 40000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=sendrecv",
    ]
    assert b"IN IP6 ::1" in offer(Media(host="::1", port=4), session_id=5)


def test_both_ends_agree() -> None:
    theirs = Media(host="198.51.100.7", port=50_000, codecs=(Codec.PCMA, Codec.PCMU))
    body, at_them = answer(offer(OURS, session_id=1), theirs, session_id=2)
    at_us = stream_of_answer(body, OURS)
    assert at_us == Stream(
        host="198.51.100.7", port=50_000, codec=Codec.PCMU, payload_type=0, event_payload_type=101, ptime_ms=20
    )
    assert at_them == Stream(
        host="192.0.2.1", port=40_000, codec=Codec.PCMU, payload_type=0, event_payload_type=101, ptime_ms=20
    )


def test_every_other_stream_is_refused_in_its_place() -> None:
    body, stream = answer(
        said(
            "m=video 5000 RTP/AVP 31",
            "m=audio 5002 RTP/SAVP 0",
            "m=audio 5004 RTP/AVP 18 97 8",
            "a=rtpmap:97 speex/16000",
            "m=audio 5006 RTP/AVP 0",
            "m=application 5008 TCP/BFCP *",
        ),
        OURS,
        session_id=1,
    )
    assert (stream.port, stream.codec, stream.event_payload_type) == (5004, Codec.PCMA, None)
    assert [line for line in lines(body) if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 31",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 40000 RTP/AVP 8",
        "m=audio 0 RTP/AVP 0",
        "m=application 0 TCP/BFCP *",
    ]


def test_the_peers_numbers_are_kept() -> None:
    body, stream = answer(
        said(
            "m=audio 5000 RTP/AVP 110 96 97",
            "a=rtpmap:110 L16/44100",
            "a=rtpmap:96 pcma/8000/1",
            "a=rtpmap:97 telephone-event/8000",
        ),
        OURS,
        session_id=1,
    )
    assert (stream.codec, stream.payload_type, stream.event_payload_type) == (Codec.PCMA, 96, 97)
    assert "m=audio 40000 RTP/AVP 96 97" in lines(body)
    assert "a=rtpmap:96 PCMA/8000" in lines(body)


def test_a_number_may_mean_another_codec_than_usual() -> None:
    with pytest.raises(SdpError):
        answer(said("m=audio 5000 RTP/AVP 0", "a=rtpmap:0 opus/48000/2"), OURS, session_id=1)


@pytest.mark.parametrize(
    ("direction", "ours", "sends", "receives"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
def test_directions(direction: str, ours: str, sends: bool, receives: bool) -> None:
    for offered in (
        said("m=audio 5000 RTP/AVP 0", f"a={direction}"),
        said(f"a={direction}", "m=audio 5000 RTP/AVP 0"),
    ):
        body, stream = answer(offered, OURS, session_id=1)
        assert f"a={ours}" in lines(body)
        assert (stream.sends, stream.receives) == (sends, receives)


def test_hold_as_it_was_once_done() -> None:
    _, stream = answer(said("m=audio 5000 RTP/AVP 0", "c=IN IP4 0.0.0.0"), OURS, session_id=1)
    assert (stream.sends, stream.receives) == (False, True)


@pytest.mark.parametrize(
    ("attributes", "ptime_ms"),
    [
        ((), 20),
        (("a=ptime:30",), 30),
        (("a=ptime:25",), 20),
        (("a=ptime:200",), 60),
        (("a=ptime:0",), 10),
        (("a=maxptime:10",), 10),
        (("a=ptime:40", "a=maxptime:30"), 30),
        (("a=maxptime:240",), 20),
        (("a=ptime:x",), 20),
    ],
)
def test_how_much_sound_is_in_a_packet(attributes: tuple[str, ...], ptime_ms: int) -> None:
    _, stream = answer(said("m=audio 5000 RTP/AVP 0", *attributes), OURS, session_id=1)
    assert stream.ptime_ms == ptime_ms


def test_a_streams_own_address_counts() -> None:
    _, stream = answer(said("m=audio 5000/2 RTP/AVP 0", "c=IN IP6 2001:db8::1"), OURS, session_id=1)
    assert (stream.host, stream.port) == ("2001:db8::1", 5000)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"v=1\r\n",
        said(),
        said("m=audio 0 RTP/AVP 0"),
        said("m=audio 5000 RTP/AVP 18 9"),
        said("m=audio 70000 RTP/AVP 0"),
        said("m=audio x RTP/AVP 0"),
        said("m=audio 5000"),
        said("m=audio 5000 RTP/AVP 0", "c=IN IP4 host.example"),
        said("m=audio 5000 RTP/AVP 0", "c=IN IP4 224.0.0.1/127"),
        said("m=audio 5000 RTP/AVP 0", "c=IN IP4 255.255.255.255"),
        said("m=audio 5000 RTP/AVP 0", "c=nonsense"),
        said("m=audio 5000 RTP/AVP 0", head="v=0\r\n"),
        said(*["m=video 1 RTP/AVP 0"] * 17),
    ],
)
def test_what_does_not_suit_us(body: bytes) -> None:
    for judge in (lambda: answer(body, OURS, session_id=1), lambda: stream_of_answer(body, OURS)):
        with pytest.raises(SdpError) as refused:
            judge()
        assert refused.value.status == 488


def test_an_answer_with_one_law_only() -> None:
    only_a = Media(host="192.0.2.1", port=4, codecs=(Codec.PCMA,))
    assert stream_of_answer(said("m=audio 5 RTP/AVP 0 8"), only_a).codec is Codec.PCMA
    with pytest.raises(SdpError):
        stream_of_answer(said("m=audio 5 RTP/AVP 0"), only_a)
