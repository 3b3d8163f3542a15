from typing import Any

import pytest

from heliograph.sip.events import Answered, CallEvent, EarlyMedia, Ended, Failed, Party, Ringing
from heliograph.sip.forks import MOST_FORKS
from heliograph.sip.headers import Headers, every, first
from heliograph.sip.messages import Request, Response, read, response_to, tag_of, via_of
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.sdp import Codec, Stream
from heliograph.sip.ways import Transport
from tests.unit.sip.samples import (
    CREDENTIALS,
    SDP,
    THEIR_CONTACT,
    THEIR_SDP,
    THEM,
    a_call,
    accepting,
    from_them,
    one_request,
    said,
    summary,
)

THEIR_STREAM = Stream(
    host=THEM.host, port=50_000, codec=Codec.PCMU, payload_type=0, event_payload_type=101, ptime_ms=20
)
DIGEST = 'Digest realm="r", nonce="n", qop="auth"'


def hear(call: OutgoingCall, response: Response, now: float = 1.0) -> list[CallEvent]:
    return call.receive(response, now=now)


def say(call: OutgoingCall, invite: Request, status: int, *headers: tuple[str, str], **more: Any) -> list[CallEvent]:
    made: Headers = headers
    return hear(call, response_to(invite, status, **{"tag": "them", "headers": made, **more}))


def answered_call(transport: Transport = Transport.UDP) -> tuple[OutgoingCall, Request]:
    call = a_call(transport)
    invite = one_request(call, "INVITE")
    assert hear(call, accepting(invite)) == [Answered(THEIR_STREAM)]
    said(call)
    return call, invite


def run_dry(call: OutgoingCall, until: float = 1_000.0) -> list[CallEvent]:
    """Let time pass until the call wants nothing any more."""
    events: list[CallEvent] = []
    while call.deadline is not None:
        assert call.deadline < until
        events += call.on_time(call.deadline)
    assert call.is_done
    return events


def test_the_invite() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    assert invite.uri == "sip:27821234567@carrier.example"
    headers = dict(invite.headers)
    assert headers["To"] == "<sip:27821234567@carrier.example>"
    assert headers["From"].startswith('"The \\"Shop\\"" <sip:27110000000@us.example>;tag=')
    assert headers["Contact"] == "<sip:27110000000@192.0.2.1:5060>"
    assert headers["Max-Forwards"] == "70"
    assert headers["Call-ID"] == call.call_id
    assert headers["Content-Type"] == "application/sdp"
    assert via_of(invite).branch.startswith("z9hG4bK")
    assert "Supported" not in headers
    assert invite.body.startswith(b"v=0\r\n")
    assert call.takes(response_to(invite, 100))


def test_a_call_that_is_answered_and_ended_by_us() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    assert say(call, invite, 100) == []
    assert say(call, invite, 180) == [Ringing(180)]
    assert hear(call, accepting(invite)) == [Answered(THEIR_STREAM)]
    ack = one_request(call, "ACK")
    assert ack.uri == "sip:278@198.51.100.7:5070"
    assert via_of(ack).branch != via_of(invite).branch
    assert first(ack.headers, "CSeq") == "1 ACK"
    assert (call.is_answered, call.is_over) == (True, False)
    assert call.hang_up(now=5.0, cause=16) == [Ended(Party.LOCAL, 16, "")]
    bye = one_request(call, "BYE")
    assert first(bye.headers, "Reason") == "Q.850;cause=16"
    assert first(bye.headers, "CSeq") == "2 BYE"
    assert call.hang_up(now=6.0) == []
    assert hear(call, response_to(bye, 200)) == []
    assert run_dry(call) == []


def test_a_call_that_the_peer_ends() -> None:
    call, invite = answered_call()
    bye = from_them(call, invite, "BYE", 1, headers=(("Reason", 'Q.850;cause=16;text="bye"'),))
    assert call.receive(bye, now=9.0) == [Ended(Party.REMOTE, 16, "bye")]
    assert call.receive(bye, now=9.5) == []
    assert summary(said(call)) == ["200 BYE", "200 BYE"]
    assert call.hang_up(now=10.0) == []
    assert said(call) == []
    run_dry(call)


def test_a_yes_that_comes_again_is_acknowledged_again() -> None:
    call, invite = answered_call()
    for _ in range(2):
        assert hear(call, accepting(invite)) == []
        assert summary(said(call)) == ["ACK 1"]


def test_early_media_is_told_once() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    early = {"headers": (THEIR_CONTACT, *SDP), "body": THEIR_SDP}
    assert say(call, invite, 183, **early) == [Ringing(183), EarlyMedia(THEIR_STREAM)]
    assert say(call, invite, 183, **early) == [Ringing(183)]
    assert say(call, invite, 183, body=b"rubbish") == [Ringing(183)]
    # A peer that described its sound already may leave it out of its answer.
    assert say(call, invite, 200, THEIR_CONTACT) == [Answered(THEIR_STREAM)]


@pytest.mark.parametrize(
    ("status", "headers", "failed"),
    [
        (486, (), Failed(486, None, None, "Busy Here", Party.REMOTE)),
        (480, (("Reason", 'Q.850;cause=20;text="absent"'),), Failed(480, 20, None, "absent", Party.REMOTE)),
        (503, (("Retry-After", "30"),), Failed(503, None, 30, "Service Unavailable", Party.REMOTE)),
        (302, (("Contact", "<sip:premium@elsewhere>"),), Failed(302, None, None, "Moved Temporarily", Party.REMOTE)),
        (603, (), Failed(603, None, None, "Decline", Party.REMOTE)),
        (401, (), Failed(401, None, None, "Unauthorized", Party.REMOTE)),
        (421, (("Require", "timer"),), Failed(421, None, None, "", Party.REMOTE)),
    ],
)
def test_a_call_that_is_refused(status: int, headers: Headers, failed: Failed) -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    assert say(call, invite, status, *headers) == [failed]
    assert summary(said(call)) == ["ACK 1"]
    assert say(call, invite, status, *headers) == []
    assert summary(said(call)) == ["ACK 1"]
    assert run_dry(call) == []


def test_nobody_answers() -> None:
    call = a_call()
    assert run_dry(call) == [Failed(408, None, None, "nobody answered", Party.NETWORK)]
    assert summary(said(call)) == ["INVITE 1"] * 7


def test_the_way_is_gone() -> None:
    call = a_call(Transport.TCP)
    assert call.lost("cut") == [Failed(503, None, None, "cut", Party.NETWORK)]
    assert call.is_done
    call, _ = answered_call(Transport.TCP)
    assert call.lost("cut") == [Ended(Party.NETWORK, None, "cut")]
    assert call.lost("cut") == []
    assert call.is_done


# Proofs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "asked", "proof"),
    [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")],
)
def test_a_challenge_is_met(status: int, asked: str, proof: str) -> None:
    call = a_call(credentials=CREDENTIALS)
    invite = one_request(call, "INVITE")
    assert say(call, invite, status, (asked, DIGEST)) == []
    ack, again = said(call)
    assert isinstance(again, Request)
    assert summary([ack, again]) == ["ACK 1", "INVITE 2"]
    assert via_of(ack).branch == via_of(invite).branch != via_of(again).branch
    assert (first(again.headers, "From"), first(again.headers, "To")) == (
        first(invite.headers, "From"),
        first(invite.headers, "To"),
    )
    assert 'username="bob"' in (first(again.headers, proof) or "")
    # A challenge that comes again is acknowledged again, and not met again.
    assert say(call, invite, status, (asked, DIGEST)) == []
    assert summary(said(call)) == ["ACK 1"]
    assert hear(call, accepting(again)) == [Answered(THEIR_STREAM)]
    (ack2,) = said(call)
    assert first(ack2.headers, "CSeq") == "2 ACK"
    assert first(ack2.headers, proof) == first(again.headers, proof)
    call.hang_up(now=2.0)
    bye = one_request(call, "BYE")
    assert first(bye.headers, "CSeq") == "3 BYE"
    assert "nc=00000002" in (first(bye.headers, proof) or "")
    # A nonce of its own for the BYE.
    assert say(call, bye, status, (asked, 'Digest realm="r", nonce="other", qop="auth"')) == []
    bye = one_request(call, "BYE")
    assert first(bye.headers, "CSeq") == "4 BYE"
    assert 'nonce="other"' in (first(bye.headers, proof) or "")


def test_wrong_credentials() -> None:
    call = a_call(credentials=CREDENTIALS)
    invite = one_request(call, "INVITE")
    assert say(call, invite, 401, ("WWW-Authenticate", DIGEST)) == []
    again = one_request(call, "INVITE")
    assert say(call, again, 401, ("WWW-Authenticate", DIGEST)) == [
        Failed(401, None, None, "Unauthorized", Party.REMOTE)
    ]
    run_dry(call)


# Giving up ---------------------------------------------------------------------------------------------------------


def test_giving_up_while_it_rings() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    say(call, invite, 180)
    assert call.hang_up(now=1.0, cause=19) == []
    assert call.hang_up(now=1.1) == []
    cancel = one_request(call, "CANCEL")
    assert via_of(cancel) == via_of(invite)
    assert (first(cancel.headers, "CSeq"), first(cancel.headers, "To")) == ("1 CANCEL", first(invite.headers, "To"))
    assert first(cancel.headers, "Reason") == "Q.850;cause=19"
    assert say(call, cancel, 200) == []
    assert say(call, invite, 487) == [Failed(487, None, None, "Request Terminated", Party.LOCAL)]
    assert summary(said(call)) == ["ACK 1"]
    assert run_dry(call) == []


def test_giving_up_before_the_peer_said_anything() -> None:
    """9.1: a CANCEL may not overtake its INVITE."""
    call = a_call()
    invite = one_request(call, "INVITE")
    assert call.hang_up(now=0.1) == []
    assert said(call) == []
    assert say(call, invite, 100) == []
    assert say(call, invite, 180) == []
    assert summary(said(call)) == ["CANCEL 1"]
    say(call, invite, 487)
    run_dry(call)


def test_giving_up_on_a_peer_that_never_says_anything() -> None:
    call = a_call()
    call.hang_up(now=0.1)
    assert run_dry(call) == [Failed(487, None, None, "nobody answered", Party.LOCAL)]


def test_giving_up_on_a_peer_that_rings_for_ever() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    say(call, invite, 180)
    call.hang_up(now=10.0)
    (failed,) = run_dry(call)
    assert isinstance(failed, Failed)
    assert (failed.status, failed.by) == (487, Party.LOCAL)


def test_an_answer_that_crosses_our_giving_up_is_ended() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    say(call, invite, 180)
    call.hang_up(now=1.0)
    (failed,) = hear(call, accepting(invite))
    assert isinstance(failed, Failed)
    assert (failed.status, failed.by) == (487, Party.LOCAL)
    assert summary(said(call)) == ["CANCEL 1", "ACK 1", "BYE 2"]
    assert hear(call, accepting(invite)) == []
    assert summary(said(call)) == ["ACK 1"]
    run_dry(call)


def test_a_challenge_after_giving_up_is_not_met() -> None:
    call = a_call(credentials=CREDENTIALS)
    invite = one_request(call, "INVITE")
    call.hang_up(now=0.0)
    (failed,) = say(call, invite, 401, ("WWW-Authenticate", DIGEST))
    assert isinstance(failed, Failed)
    assert (failed.status, failed.by) == (401, Party.LOCAL)


# Forks, and answers of the unusual kind ----------------------------------------------------------------------------


def test_a_second_phone_that_answers_is_told_bye() -> None:
    call, invite = answered_call()
    other = accepting(invite, tag="other")
    assert hear(call, other) == []
    ack, bye = said(call)
    assert summary([ack, bye]) == ["ACK 1", "BYE 2"]
    assert tag_of(ack, "To") == tag_of(bye, "To") == "other"
    assert hear(call, other) == []
    assert summary(said(call)) == ["ACK 1"]
    assert not call.is_over


def test_phones_without_number_fill_nothing() -> None:
    call, invite = answered_call()
    for number in range(3 * MOST_FORKS):
        hear(call, accepting(invite, tag=str(number)))
    assert len(said(call)) == 2 * (MOST_FORKS - 1)


@pytest.mark.parametrize("body", [b"", b"rubbish", THEIR_SDP.replace(b"RTP/AVP 0 8 101", b"RTP/AVP 18")])
def test_an_answer_without_sound_for_us_is_ended(body: bytes) -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    (failed,) = hear(call, accepting(invite, body=body))
    assert isinstance(failed, Failed)
    assert (failed.status, failed.by) == (488, Party.REMOTE)
    assert summary(said(call)) == ["ACK 1", "BYE 2"]
    run_dry(call)


def test_a_provisional_answer_that_must_be_acknowledged_is() -> None:
    """RFC 3262, although we do not offer it."""
    call = a_call()
    invite = one_request(call, "INVITE")
    reliable = (("Require", "100rel"), ("RSeq", "988789"), THEIR_CONTACT)
    assert say(call, invite, 180, *reliable) == [Ringing(180)]
    prack = one_request(call, "PRACK")
    assert (first(prack.headers, "RAck"), first(prack.headers, "CSeq")) == ("988789 1 INVITE", "2 PRACK")
    assert prack.uri == "sip:278@198.51.100.7:5070"
    assert say(call, invite, 180, *reliable) == []
    assert said(call) == []
    say(call, prack, 200)
    assert hear(call, accepting(invite)) == [Answered(THEIR_STREAM)]
    said(call)
    call.hang_up(now=3.0)
    assert summary(said(call)) == ["BYE 3"]


@pytest.mark.parametrize(("name", "value"), [("CSeq", "5 INVITE"), ("Via", "SIP/2.0/UDP h;branch=z9hG4bKother")])
def test_an_answer_to_another_invite_is_dropped(name: str, value: str) -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    response = accepting(invite)
    headers = tuple((key, value if key == name else old) for key, old in response.headers)
    assert hear(call, Response(status=200, phrase="", headers=headers, body=response.body)) == []
    assert said(call) == []


def test_the_way_that_proxies_recorded_is_gone() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    hear(call, accepting(invite, headers=(("Record-Route", "<sip:192.0.2.22:5080;lr>"),)))
    (packet,) = call.packets_to_send()
    assert packet.hop == ("192.0.2.22", 5080)
    assert every(read(packet.octets).headers, "Route") == ["<sip:192.0.2.22:5080;lr>"]


def test_requests_before_the_answer_belong_to_nothing() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    bye = from_them(call, invite, "BYE", 1)
    assert call.takes(bye)
    assert call.receive(bye, now=1.0) == []
    assert call.receive(from_them(call, invite, "ACK", 1), now=1.0) == []
    assert summary(said(call)) == ["481 BYE"]


def test_messages_of_others_are_not_taken() -> None:
    call = a_call()
    invite = one_request(call, "INVITE")
    foreign = from_them(call, invite, "BYE", 1)
    headers = tuple((name, "<sip:x>;tag=else" if name == "To" else value) for name, value in foreign.headers)
    assert not call.takes(Request(method="BYE", uri="sip:x", headers=headers))
