import pytest

from heliograph.sip.errors import MessageError
from heliograph.sip.framing import PING, Framing

FIRST = b"INVITE sip:a SIP/2.0\r\nTo: x\r\nContent-Length: 6\r\n\r\nb\r\n\r\nx"
SECOND = b"SIP/2.0 200 OK\r\nl:\r\n 0\r\nX: content-length: 9\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_messages_however_they_are_cut(size: int) -> None:
    stream = FIRST + SECOND + b"\r\n\r\n" + FIRST + b"\r\n" + SECOND
    framing = Framing()
    pieces = [piece for at in range(0, len(stream), size) for piece in framing.take(stream[at : at + size])]
    assert pieces == [FIRST, SECOND, PING, FIRST, SECOND]


def test_a_message_without_its_length_ends_the_stream() -> None:
    with pytest.raises(MessageError, match="Content-Length"):
        Framing().take(b"BYE sip:a SIP/2.0\r\nTo: x\r\n\r\n")


@pytest.mark.parametrize("data", [b"x" * 65_536, b"BYE sip:a SIP/2.0\r\nl: 65536\r\n\r\n"])
def test_a_message_too_large_ends_the_stream(data: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        Framing().take(data)
    assert refused.value.status == 513
