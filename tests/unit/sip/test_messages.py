import contextlib
import time

import pytest

from heliograph.sip.errors import LocalProtocolError, MessageError
from heliograph.sip.headers import every, first
from heliograph.sip.messages import (
    Message,
    Request,
    Response,
    call_id_of,
    content_length,
    cseq_of,
    read,
    response_to,
    stamped,
    tag_of,
    via_of,
    write,
)
from heliograph.sip.ways import Hop
from tests.unit.sip.samples import an_invite

WIRE = (
    b"OPTIONS sip:us@192.0.2.1 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2\r\n"
    b"VIA : SIP/2.0/TCP h3\r\n"
    b"f: <sip:a@b>;tag=1\r\n"
    b't: "An\r\n  Other" <sip:c@d>\r\n'
    b"i: id@h\r\n"
    b"CSeq: 0009\r\n\tOPTIONS\r\n"
    b"x-More:\r\n"
    b"l: 2\r\n"
    b"\r\n"
    b"hi"
)


def spoiled(old: bytes, new: bytes) -> bytes:
    assert old in WIRE
    return WIRE.replace(old, new)


def refused(octets: bytes) -> int:
    with pytest.raises(MessageError) as error:
        read(octets)
    return error.value.status


def test_compact_names_folds_and_lists() -> None:
    message = read(WIRE)
    assert isinstance(message, Request)
    assert (message.method, message.uri, message.body) == ("OPTIONS", "sip:us@192.0.2.1", b"hi")
    assert every(message.headers, "Via") == ["SIP/2.0/UDP h1;branch=z9hG4bK1", "SIP/2.0/UDP h2", "SIP/2.0/TCP h3"]
    assert first(message.headers, "To") == '"An Other" <sip:c@d>'
    assert first(message.headers, "X-More") == ""
    assert (call_id_of(message), cseq_of(message), tag_of(message, "From"), tag_of(message, "To")) == (
        "id@h",
        (9, "OPTIONS"),
        "1",
        "",
    )
    assert via_of(message).branch == "z9hG4bK1"


def test_what_was_read_is_written_and_read_again() -> None:
    message = read(WIRE)
    assert read(write(message)) == message


def test_lines_may_end_with_a_bare_line_feed_and_begin_with_empty_lines() -> None:
    assert read(b"\r\n\r\n" + WIRE.replace(b"\r\n", b"\n")) == read(WIRE)


def test_a_status_line_with_and_without_words() -> None:
    for line, phrase in ((b"SIP/2.0 180 = 2**3 * \xd0\xbf", "= 2**3 * п"), (b"SIP/2.0 180 ", ""), (b"SIP/2.0 180", "")):
        message = read(spoiled(b"OPTIONS sip:us@192.0.2.1 SIP/2.0", line))
        assert isinstance(message, Response)
        assert (message.status, message.phrase) == (180, phrase)


def test_octets_that_are_no_text_survive() -> None:
    message = read(spoiled(b"x-More:", b"x-More: \xff\xfe"))
    assert b"X-More: \xff\xfe\r\n" in write(message)


def test_a_body_is_cut_to_its_length_and_else_is_all_there_is() -> None:
    assert read(WIRE + b"junk").body == b"hi"
    assert read(spoiled(b"l: 2\r\n", b"") + b"\0more").body == b"hi\0more"


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"", 400),
        (b"\0" * 100, 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 505),
        (WIRE[:60], 400),
        (spoiled(b"SIP/2.0\r\nv", b"SIP/7.0\r\nv"), 505),
        (spoiled(b"OPTIONS sip:us@192.0.2.1", b"OPTIONS  sip:us@192.0.2.1"), 400),
        (spoiled(b"OPTIONS sip:us@192.0.2.1", b"OPTIONS sip:us@192.0.2.1; lr"), 400),
        (spoiled(b"OPTIONS sip", b"OPT{IONS sip"), 400),
        (spoiled(b"OPTIONS sip:us@192.0.2.1 SIP/2.0", b"SIP/2.0 4294967301 OK"), 400),
        (spoiled(b"OPTIONS sip:us@192.0.2.1 SIP/2.0", b"SIP/2.0 099 OK"), 400),
        (spoiled(b"l: 2", b"l: 3"), 400),
        (spoiled(b"l: 2", b"l: -2"), 400),
        (spoiled(b"l: 2", b"l: 9999999999"), 400),
        (spoiled(b"l: 2", b"l: 2\r\nContent-Length: 1"), 400),
        (spoiled(b"x-More:", b"x-More"), 400),
        (spoiled(b"x-More:", b"x More:"), 400),
        (spoiled(b"x-More:", b"x-More: \0"), 400),
        (spoiled(b"x-More:", b"x-More: a\rEvil: b"), 400),
        (spoiled(b"i: id@h\r\n", b""), 400),
        (spoiled(b"i: id@h\r\n", b"i:\r\n"), 400),
        (spoiled(b"i: id@h\r\n", b"i: id@h\r\ni: id@h\r\n"), 400),
        (spoiled(b"f: <sip:a@b>;tag=1\r\n", b""), 400),
        (spoiled(b"f: ", b"f: <sip:x@y>\r\nFrom: "), 400),
        (spoiled(b"0009\r\n\tOPTIONS", b"9 INVITE"), 400),
        (spoiled(b"0009\r\n\tOPTIONS", b"36893488147419103232 OPTIONS"), 400),
        (spoiled(b"v: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2\r\nVIA : SIP/2.0/TCP h3\r\n", b""), 400),
        (spoiled(b"v: SIP/2.0/UDP h1", b"v: what is this"), 400),
        (spoiled(b"x-More:", b"x-More: " + b"x" * 9_000), 513),
        (spoiled(b"x-More:", b"x-More: 1\r\n" * 201 + b"x:"), 513),
        (WIRE + b"x" * 65_536, 513),
    ],
)
def test_what_cannot_be_read(octets: bytes, status: int) -> None:
    assert refused(octets) == status


@pytest.mark.parametrize("filler", [b" ", b"\r\n ", b'"', b"<", b",", b";", b"a:", b"\\", b"\r\n"])
def test_a_datagram_full_of_anything_is_read_at_once(filler: bytes) -> None:
    began = time.process_time()
    for octets in (WIRE[:-4] + filler * (60_000 // len(filler)), spoiled(b"h2", b"h2;x=" + filler * 2_000)):
        with contextlib.suppress(MessageError):
            read(octets)
    assert time.process_time() - began < 0.5


def test_content_length() -> None:
    assert content_length(()) is None
    assert content_length((("Content-Length", "5"), ("Content-Length", "5"))) == 5


@pytest.mark.parametrize(
    "message",
    [
        Request(method="BYE", uri="sip:x", headers=(("Subject", "a\r\nEvil: 1"),)),
        Request(method="BYE", uri="sip:x SIP/2.0\nEvil: 1", headers=()),
        Request(method="BYE", uri="sip:x y", headers=()),
        Response(status=200, phrase="a\nb", headers=()),
        Response(status=200, phrase="", headers=(("X\0", "b"),)),
    ],
)
def test_nothing_written_ends_a_line_early(message: Message) -> None:
    with pytest.raises(LocalProtocolError):
        write(message)


def test_an_answer_goes_back_the_way_the_request_came() -> None:
    invite = an_invite(headers=(("Record-Route", "<sip:p;lr>"), ("Subject", "x")))
    answer = response_to(invite, 200, tag="ours", headers=(("Allow", "BYE"),), body=b"x")
    assert answer.phrase == "OK"
    assert [name for name, _ in answer.headers] == ["Via", "From", "To", "Call-ID", "CSeq", "Record-Route", "Allow"]
    assert tag_of(answer, "To") == "ours"
    assert response_to(invite, 486).headers[-1][0] == "CSeq"


def test_a_tag_is_not_put_where_one_is() -> None:
    invite = an_invite()
    headers = tuple((name, f"{value};tag=old" if name == "To" else value) for name, value in invite.headers)
    within = Request(method="INVITE", uri=invite.uri, headers=headers)
    assert tag_of(response_to(within, 200, tag="new"), "To") == "old"


def test_the_source_is_noted_whatever_the_peer_said() -> None:
    message = read(spoiled(b"h1;branch=z9hG4bK1", b"10.0.0.1:5060;rport;received=1.2.3.4;branch=z9hG4bK1"))
    assert isinstance(message, Request)
    noted = stamped(message, Hop("203.0.113.5", 6_000))
    assert via_of(noted).answer_hop == Hop("203.0.113.5", 6_000)
    assert via_of(noted).branch == "z9hG4bK1"
    assert len(every(noted.headers, "Via")) == 3
