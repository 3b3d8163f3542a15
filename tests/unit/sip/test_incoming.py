import pytest

from heliograph.sip.errors import LocalProtocolError, MessageError, SdpError
from heliograph.sip.events import Answered, CallEvent, Ended, Failed, Party
from heliograph.sip.headers import Headers, first
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.messages import Message, Request, Response, cseq_of, tag_of
from heliograph.sip.sdp import Codec, Media
from heliograph.sip.ways import Transport
from tests.unit.sip.samples import OUR_MEDIA, THEIR_SDP, an_invite, read_all, summary, way

G729 = THEIR_SDP.replace(b"RTP/AVP 0 8 101", b"RTP/AVP 18")


def incoming(invite: Request | None = None, transport: Transport = Transport.UDP) -> IncomingCall:
    return IncomingCall(invite or an_invite(), way=way(transport), seed=b"r" * 16)


def said(call: IncomingCall) -> list[Message]:
    return read_all(call.packets_to_send())


def within(call: IncomingCall, method: str, number: int, *, tag: str, branch: str = "", body: bytes = b"") -> Request:
    """A request of the caller's; with the INVITE's branch it is its ACK or CANCEL."""
    changed = {
        "Via": f"SIP/2.0/UDP 198.51.100.7:5070;branch={branch or f'z9hG4bK{method}{number}'}",
        "To": f"<sip:278@us.example>{f';tag={tag}' if tag else ''}",
        "CSeq": f"{number} {method}",
    }
    headers: Headers = tuple((name, changed.get(name, value)) for name, value in call.invite.headers)
    return Request(method=method, uri="sip:278@us.example", headers=headers, body=body)


def answered(call: IncomingCall) -> tuple[str, Response]:
    """Answer, and return our tag and what was said."""
    call.answer(OUR_MEDIA, now=0.0)
    ok = said(call)[-1]
    assert isinstance(ok, Response)
    return tag_of(ok, "To"), ok


def confirmed() -> tuple[IncomingCall, str]:
    call = incoming()
    tag, _ = answered(call)
    (event,) = call.receive(within(call, "ACK", 7, tag=tag), now=0.1)
    assert isinstance(event, Answered)
    return call, tag


def run_dry(call: IncomingCall) -> list[CallEvent]:
    events: list[CallEvent] = []
    while call.deadline is not None:
        events += call.on_time(call.deadline)
    assert call.is_done
    return events


def test_who_calls_whom() -> None:
    call = incoming()
    assert (call.call_id, call.called.user, call.caller.display, call.caller.uri.user) == (
        "call-1",
        "278",
        "Ann",
        "ann",
    )
    assert summary(said(call)) == ["100 INVITE"]


def test_a_call_whose_addresses_cannot_be_read() -> None:
    headers = tuple((name, '"x' if name == "From" else value) for name, value in an_invite().headers)
    with pytest.raises(MessageError):
        incoming(Request(method="INVITE", uri="sip:x", headers=headers))


def test_it_rings_is_answered_and_ended_by_the_caller() -> None:
    call = incoming()
    call.ring(now=0.0)
    tag, ok = answered(call)
    assert b"m=audio 40000 RTP/AVP 0 101" in ok.body
    (event,) = call.receive(within(call, "ACK", 7, tag=tag), now=0.1)
    assert isinstance(event, Answered)
    assert (event.stream.host, event.stream.port, event.stream.codec) == ("198.51.100.7", 50_000, Codec.PCMU)
    assert call.is_answered
    assert call.receive(within(call, "ACK", 7, tag=tag), now=0.2) == []
    assert call.receive(within(call, "BYE", 8, tag=tag), now=1.0) == [Ended(Party.REMOTE, None, "")]
    assert summary(said(call)) == ["200 BYE"]
    assert run_dry(call) == []


def test_we_hang_up() -> None:
    call, _ = confirmed()
    assert call.hang_up(now=2.0, cause=16) == [Ended(Party.LOCAL, 16, "")]
    (bye,) = said(call)
    assert isinstance(bye, Request)
    assert (bye.uri, first(bye.headers, "CSeq")) == ("sip:278@198.51.100.7:5070", "1 BYE")
    assert run_dry(call) == []


def test_we_hang_up_before_the_caller_acknowledged() -> None:
    """15: no BYE before the ACK."""
    call = incoming()
    tag, _ = answered(call)
    assert call.hang_up(now=0.1) == []
    assert said(call) == []
    events = call.receive(within(call, "ACK", 7, tag=tag), now=0.2)
    assert [type(event) for event in events] == [Answered, Ended]
    assert summary(said(call)) == ["BYE 1"]


def test_early_media_goes_along_with_the_ringing() -> None:
    call = incoming()
    said(call)
    call.ring(now=0.0, status=183, media=OUR_MEDIA)
    (ringing,) = said(call)
    _, ok = answered(call)
    assert isinstance(ringing, Response)
    assert ringing.status == 183
    assert ringing.body == ok.body


def test_we_refuse() -> None:
    call = incoming()
    call.refuse(486, now=0.0, cause=17, headers=(("Retry-After", "9"),))
    refusal = said(call)[-1]
    assert isinstance(refusal, Response)
    assert (refusal.status, first(refusal.headers, "Reason")) == (486, "Q.850;cause=17")
    assert first(refusal.headers, "Retry-After") == "9"
    call.answer(OUR_MEDIA, now=0.0)
    call.ring(now=0.0)
    call.refuse(603, now=0.0)
    assert said(call) == []
    assert call.receive(within(call, "ACK", 7, tag="", branch="z9hG4bKfirst"), now=0.1) == []
    assert run_dry(call) == []


def test_only_a_refusal_refuses() -> None:
    with pytest.raises(LocalProtocolError):
        incoming().refuse(200, now=0.0)


def test_hanging_up_before_answering_is_a_refusal() -> None:
    call = incoming()
    assert call.hang_up(now=0.0) == []
    assert summary(said(call)) == ["100 INVITE", "480 INVITE"]


def test_no_codec_in_common() -> None:
    call = incoming(an_invite(body=G729))
    with pytest.raises(SdpError):
        call.answer(OUR_MEDIA, now=0.0)
    assert summary(said(call)) == ["100 INVITE", "488 INVITE"]
    call.receive(within(call, "ACK", 7, tag="", branch="z9hG4bKfirst"), now=0.1)
    run_dry(call)


@pytest.mark.parametrize("method", ["CANCEL", "BYE"])
def test_the_caller_gives_up(method: str) -> None:
    call = incoming()
    call.ring(now=0.0)
    tag = tag_of(said(call)[-1], "To")
    request = within(
        call, method, 7 if method == "CANCEL" else 8, tag=tag, branch="z9hG4bKfirst" if method == "CANCEL" else ""
    )
    (failed,) = call.receive(request, now=1.0)
    assert failed == Failed(487, None, None, "the caller gave up", Party.REMOTE)
    assert summary(said(call)) == [f"200 {method}", "487 INVITE"]
    assert call.receive(request, now=1.1) == []
    assert summary(said(call)) == [f"200 {method}"]
    assert call.receive(within(call, "ACK", 7, tag=tag, branch="z9hG4bKfirst"), now=1.2) == []
    assert run_dry(call) == []


def test_a_cancel_that_comes_too_late() -> None:
    call = incoming()
    answered(call)
    assert call.receive(within(call, "CANCEL", 7, tag="", branch="z9hG4bKfirst"), now=0.1) == []
    assert summary(said(call)) == ["200 CANCEL"]


def test_an_invite_that_comes_again_gets_the_last_answer_again() -> None:
    call = incoming()
    call.ring(now=0.0)
    assert call.takes(an_invite())
    call.receive(an_invite(), now=0.5)
    assert summary(said(call)) == ["100 INVITE", "180 INVITE", "180 INVITE"]


def test_an_answer_that_is_never_acknowledged() -> None:
    call = incoming()
    answered(call)
    assert run_dry(call) == [Failed(408, None, None, "the answer was never acknowledged", Party.NETWORK)]
    sent = summary(said(call))
    assert sent.count("200 INVITE") == 10
    assert "BYE 1" in sent


def test_a_bye_that_overtakes_the_acknowledgement() -> None:
    call = incoming()
    tag, _ = answered(call)
    events = call.receive(within(call, "BYE", 8, tag=tag), now=0.1)
    assert [type(event) for event in events] == [Answered, Ended]
    assert call.receive(within(call, "ACK", 7, tag=tag), now=0.2) == []
    assert run_dry(call) == []


def test_a_caller_that_lets_us_offer() -> None:
    call = incoming(an_invite(body=b""))
    tag, ok = answered(call)
    assert b"m=audio 40000 RTP/AVP 0 8 101" in ok.body
    (event,) = call.receive(within(call, "ACK", 7, tag=tag, body=THEIR_SDP), now=0.1)
    assert isinstance(event, Answered)
    assert event.stream.port == 50_000


def test_a_caller_that_lets_us_offer_and_takes_nothing() -> None:
    call = incoming(an_invite(body=b""))
    tag, _ = answered(call)
    (failed,) = call.receive(within(call, "ACK", 7, tag=tag), now=0.1)
    assert isinstance(failed, Failed)
    assert (failed.status, summary(said(call))) == (488, ["BYE 1"])
    call = incoming(an_invite(body=b""))
    tag, _ = answered(call)
    (failed,) = call.receive(within(call, "BYE", 8, tag=tag), now=0.1)
    assert isinstance(failed, Failed)
    assert failed.status == 487
    run_dry(call)


def test_the_connection_is_lost() -> None:
    call = incoming(transport=Transport.TCP)
    assert call.lost("cut") == [Failed(503, None, None, "cut", Party.NETWORK)]
    assert call.is_done
    call, _ = confirmed()
    assert call.lost("cut") == [Ended(Party.NETWORK, None, "cut")]
    assert call.is_done


def test_what_belongs_to_the_call() -> None:
    call, tag = confirmed()
    assert call.takes(within(call, "BYE", 8, tag=tag))
    assert not call.takes(within(call, "BYE", 8, tag="else"))
    call.hang_up(now=1.0)
    (bye,) = said(call)
    assert isinstance(bye, Request)
    assert call.takes(Response(status=200, phrase="", headers=bye.headers))
    assert call.receive(Response(status=200, phrase="", headers=bye.headers), now=1.1) == []


def test_requests_before_the_answer() -> None:
    call = incoming()
    said(call)
    assert call.receive(within(call, "OPTIONS", 8, tag="x"), now=0.1) == []
    assert call.receive(within(call, "ACK", 9, tag="x"), now=0.1) == []
    assert summary(said(call)) == ["481 OPTIONS"]
    assert cseq_of(call.invite).number == 7


def test_other_media_for_ringing_and_answer() -> None:
    call = incoming()
    call.ring(now=0.0, media=OUR_MEDIA)
    call.answer(Media(host="192.0.2.1", port=41_000), now=0.0)
    ok = said(call)[-1]
    assert isinstance(ok, Response)
    assert b"m=audio 41000" in ok.body
