from heliograph.rtp.packets import RtpPacket, decode, encode

PACKET = RtpPacket(8, 0xFFFE, 0xFFFFFF60, 0xDEADBEEF, b"\xd5" * 160, is_marked=True)


def test_a_packet_comes_back() -> None:
    assert decode(encode(PACKET)) == PACKET


def test_numbers_wrap() -> None:
    read = decode(encode(PACKET._replace(sequence=0x10000, timestamp=0x1_0000_00A0)))
    assert read is not None
    assert (read.sequence, read.timestamp) == (0, 160)


def test_sources_extension_and_padding_are_passed_over() -> None:
    octets = (
        bytes.fromhex("b28000010000000a0000cafe" + "11111111" * 2 + "bede0001" + "22222222") + b"speech" + b"\0\0\3"
    )
    assert decode(octets) == RtpPacket(0, 1, 10, 0xCAFE, b"speech", is_marked=True)


def test_what_is_no_packet() -> None:
    whole = encode(PACKET)
    assert decode(b"") is None
    assert decode(whole[:11]) is None
    assert decode(b"\x40" + whole[1:]) is None
    # RTCP on the same port: a sender report and a goodbye.
    assert decode(b"\x80\xc8" + whole[2:]) is None
    assert decode(b"\x80\xcb" + whole[2:]) is None
    # Sources, an extension or padding that there is no room for.
    assert decode(b"\x8f" + whole[1:12]) is None
    assert decode(b"\x90" + whole[1:12] + b"\0\0\0\1") is None
    assert decode(b"\xa0" + whole[1:12] + b"\xff") is None
    assert decode(b"\xa0" + whole[1:12] + b"..\0") is None
