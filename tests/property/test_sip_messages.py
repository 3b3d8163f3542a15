"""What is written is read again, and what anybody else writes is read, refused or dropped: never more than that."""

import contextlib
import time
from typing import Final

from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.sip.digest import Challenge, read_challenge, write_challenge
from heliograph.sip.errors import MessageError, SdpError
from heliograph.sip.events import Answered, Ended, Failed
from heliograph.sip.framing import PING, Framing
from heliograph.sip.headers import quote, read_via, split_list, split_parameters, unquote
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.messages import Message, Request, Response, read, response_to, stamped, write
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.sdp import Codec, Media, answer, offer, stream_of_answer
from heliograph.sip.uris import NameAddr, SipUri, read_name_addr, read_uri
from heliograph.sip.ways import Hop
from tests.unit.sip.samples import (
    CREDENTIALS,
    OUR_MEDIA,
    THEIR_SDP,
    a_call,
    accepting,
    an_invite,
    from_them,
    one_request,
    way,
)

TOKEN: Final = st.text("abcXYZ019-_.", min_size=1, max_size=12)
VALUE: Final = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=40).map(
    str.strip
)
ANY_TEXT: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
HOST: Final = st.sampled_from(["192.0.2.1", "2001:db8::1", "carrier.example", "a-b.c_d"])


@st.composite
def uris(draw: st.DrawFn) -> SipUri:
    return SipUri(
        scheme=draw(st.sampled_from(["sip", "sips"])),
        user=draw(ANY_TEXT),
        host=draw(HOST),
        port=draw(st.none() | st.integers(1, 65_535)),
        parameters=tuple(draw(st.lists(st.tuples(TOKEN.map(str.lower), st.none() | TOKEN), max_size=3))),
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    method = draw(st.sampled_from(["INVITE", "BYE", "X"]))
    headers = (
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"),
        ("From", str(NameAddr(uri=draw(uris()), display=draw(ANY_TEXT)))),
        ("To", str(NameAddr(uri=draw(uris())))),
        ("Call-ID", draw(TOKEN)),
        ("CSeq", f"{draw(st.integers(0, 2**31 - 1))} {method}"),
        *(("X-More", draw(VALUE)) for _ in range(draw(st.integers(0, 3)))),
    )
    body = draw(st.binary(max_size=50))
    if draw(st.booleans()):
        return Request(method=method, uri=str(draw(uris())), headers=headers, body=body)
    return Response(status=draw(st.integers(100, 699)), phrase=draw(VALUE), headers=headers, body=body)


@given(messages())
def test_messages_survive(message: Message) -> None:
    assert read(write(message)) == message


@given(st.lists(messages(), max_size=4), st.lists(st.integers(1, 300), min_size=1, max_size=20))
def test_streams_survive_any_cut(sent: list[Message], sizes: list[int]) -> None:
    stream = b"".join(write(each) for each in sent)
    framing, pieces, at = Framing(), list[bytes](), 0
    for size in (*sizes, len(stream)):
        pieces += framing.take(stream[at : at + size])
        at += size
    assert [read(piece) for piece in pieces if piece != PING] == sent


@given(uris(), ANY_TEXT)
def test_addresses_survive(uri: SipUri, display: str) -> None:
    assert read_uri(str(uri)) == uri
    assert read_name_addr(str(NameAddr(uri=uri, display=display))).uri == uri


@given(ANY_TEXT)
def test_quotes_survive(text: str) -> None:
    assert unquote(quote(text)) == text
    assert split_parameters(f"x;a={quote(text)}")[1] == {"a": text}


@given(VALUE, VALUE, st.sampled_from(["MD5", "SHA-256"]), st.booleans(), st.sampled_from(["", "auth", "auth-int"]))
def test_challenges_survive(realm: str, nonce: str, algorithm: str, is_session: bool, qop: str) -> None:
    challenge = Challenge(realm, nonce, None, algorithm, is_session, qop)
    assert read_challenge(write_challenge(challenge)) == challenge


CODECS: Final = st.permutations(list(Codec)).flatmap(lambda each: st.sampled_from([tuple(each), tuple(each[:1])]))


@given(CODECS, CODECS, st.sampled_from([10, 20, 30]))
def test_two_ends_agree_on_a_codec_or_have_none_in_common(
    ours: tuple[Codec, ...], theirs: tuple[Codec, ...], ptime_ms: int
) -> None:
    our_media = Media(host="192.0.2.1", port=4_000, codecs=ours, ptime_ms=ptime_ms)
    their_media = Media(host="192.0.2.2", port=4_002, codecs=theirs)
    try:
        body, at_them = answer(offer(our_media, session_id=1), their_media, session_id=1)
    except SdpError:
        assert not set(ours) & set(theirs)
        return
    at_us = stream_of_answer(body, our_media)
    assert at_us.codec is at_them.codec
    assert at_us.codec in set(ours) & set(theirs)
    assert (at_us.port, at_them.port, at_them.ptime_ms) == (4_002, 4_000, ptime_ms)


# Rubbish -----------------------------------------------------------------------------------------------------------

RUBBISH: Final = st.binary(max_size=200) | st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b" ",
            b"\t",
            b'"',
            b"<",
            b">",
            b";",
            b",",
            b":",
            b"@",
            b"\\",
            b"=",
            b"\0",
            b"SIP/2.0",
            b"sip:",
            b"\xff",
        ]
    ),
    max_size=60,
).map(b"".join)


@given(RUBBISH)
def test_readers_refuse_rubbish_with_their_own_error(rubbish: bytes) -> None:
    text = rubbish.decode("utf-8", "surrogateescape")
    split_list(text)
    split_parameters(text)
    read_challenge(f"Digest {text}")
    for reader in (read_uri, read_name_addr, read_via):
        with contextlib.suppress(MessageError):
            reader(text)
    with contextlib.suppress(MessageError):
        read(rubbish)
    with contextlib.suppress(MessageError):
        Framing().take(rubbish)
    for body in (rubbish, THEIR_SDP[:100] + rubbish, THEIR_SDP + rubbish):
        with contextlib.suppress(SdpError):
            answer(body, OUR_MEDIA, session_id=1)


EDIT: Final = st.tuples(st.floats(0, 1), st.integers(0, 12), RUBBISH)


def edited(octets: bytes, edits: list[tuple[float, int, bytes]]) -> bytes:
    for where, length, rubbish in edits:
        at = int(where * len(octets))
        octets = octets[:at] + rubbish + octets[at + length :]
    return octets


def outgoing() -> tuple[OutgoingCall, list[Message]]:
    """A call, and all that a peer might say in it."""
    call = a_call(credentials=CREDENTIALS)
    invite = one_request(call, "INVITE")
    route = (("Record-Route", "<sip:192.0.2.9;lr>, <sip:192.0.2.8>"), ("Require", "100rel"), ("RSeq", "1"))
    return call, [
        response_to(invite, 100),
        response_to(invite, 183, tag="them", headers=route),
        response_to(
            invite, 401, tag="them", headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'),)
        ),
        accepting(invite, headers=route[:1]),
        accepting(invite, tag="other"),
        response_to(invite, 486, tag="them", headers=(("Retry-After", "9"), ("Reason", "Q.850;cause=17"))),
        from_them(call, invite, "INVITE", 1, body=THEIR_SDP, headers=(("Content-Type", "application/sdp"),)),
        from_them(call, invite, "ACK", 1, body=THEIR_SDP),
        from_them(call, invite, "OPTIONS", 2),
        from_them(call, invite, "BYE", 3),
    ]


@given(st.lists(st.tuples(st.integers(0, 9), st.lists(EDIT, max_size=2), st.booleans()), max_size=12))
@example([(1, [], False), (3, [], False), (6, [], False), (9, [], True)])
def test_no_peer_makes_a_call_raise(script: list[tuple[int, list[tuple[float, int, bytes]], bool]]) -> None:
    call, repertoire = outgoing()
    events, now, began = [], 0.0, time.process_time()
    for number, edits, waits in script:
        with contextlib.suppress(MessageError):
            message = read(edited(write(repertoire[number]), edits))
            events += call.receive(message, now=now)
        if waits and call.deadline is not None:
            now = max(now, call.deadline)
            events += call.on_time(now)
        call.packets_to_send()
    events += call.hang_up(now=now)
    while call.deadline is not None:
        now = max(now, call.deadline)
        events += call.on_time(now)
    assert call.is_done
    kinds = [type(event) for event in events if isinstance(event, Answered | Ended | Failed)]
    assert kinds in ([Failed], [Answered, Ended])
    assert time.process_time() - began < 1.0


@given(st.lists(EDIT, max_size=3), st.sampled_from(["ring", "answer", "refuse"]), st.lists(EDIT, max_size=2))
def test_no_caller_makes_a_call_raise(
    edits: list[tuple[float, int, bytes]], does: str, later: list[tuple[float, int, bytes]]
) -> None:
    try:
        message = read(edited(write(an_invite(headers=(("Record-Route", "<sip:192.0.2.9>"),))), edits))
        if not isinstance(message, Request):
            return
        call = IncomingCall(stamped(message, Hop("192.0.2.3", 9)), way=way(), seed=b"s" * 16)
    except MessageError:
        return
    if does == "ring":
        call.ring(now=0.0)
    elif does == "refuse":
        call.refuse(603, now=0.0)
    else:
        with contextlib.suppress(SdpError):
            call.answer(OUR_MEDIA, now=0.0)
    for method in ("ACK", "OPTIONS", "BYE"):
        headers = tuple((name, f"8 {method}" if name == "CSeq" else value) for name, value in an_invite().headers)
        with contextlib.suppress(MessageError):
            call.receive(read(edited(write(Request(method=method, uri="sip:x", headers=headers)), later)), now=0.1)
    call.hang_up(now=0.2)
    while call.deadline is not None:
        call.on_time(call.deadline)
    assert call.is_done
