"""What happens within an answered call, seen from a call that we placed."""

from heliograph.sip.events import Answered, CallEvent, Ended, MediaMoved, Party
from heliograph.sip.headers import Headers, first
from heliograph.sip.messages import Request, Response, response_to
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.sdp import Media, offer
from tests.unit.sip.samples import SDP, THEIR_MEDIA, THEM, a_call, accepting, from_them, one_request, said, summary

MOVED = offer(Media(host="198.51.100.9", port=51_000), session_id=2, version=2)
HELD = offer(THEIR_MEDIA, session_id=2, version=2).replace(b"sendrecv", b"sendonly")


class Answer:
    """An answered call, and what the peer says in it."""

    def __init__(self) -> None:
        self.call: OutgoingCall = a_call()
        self.invite = one_request(self.call, "INVITE")
        (event,) = self.call.receive(accepting(self.invite), now=0.0)
        assert isinstance(event, Answered)
        said(self.call)

    def hear(self, method: str, number: int, *headers: tuple[str, str], body: bytes = b"") -> list[CallEvent]:
        made: Headers = headers
        request = from_them(self.call, self.invite, method, number, headers=made, body=body)
        return self.call.receive(request, now=1.0)

    def reinvite(self, number: int, body: bytes) -> list[CallEvent]:
        return self.hear("INVITE", number, *(SDP if body else ()), body=body)

    def answers(self) -> list[Response]:
        return [each for each in said(self.call) if isinstance(each, Response)]


def moved(events: list[CallEvent]) -> MediaMoved:
    (event,) = events
    assert isinstance(event, MediaMoved)
    return event


def test_the_peer_moves_its_sound() -> None:
    answer = Answer()
    stream = moved(answer.reinvite(1, MOVED)).stream
    assert (stream.host, stream.port) == ("198.51.100.9", 51_000)
    trying, ok = answer.answers()
    assert summary([trying, ok]) == ["100 INVITE", "200 INVITE"]
    assert b"m=audio 40000 RTP/AVP 0 101" in ok.body
    assert first(ok.headers, "Contact") == "<sip:27110000000@192.0.2.1:5060>"
    assert answer.hear("ACK", 1) == []
    assert answer.call.deadline is not None


def test_the_peer_holds_the_call_and_takes_it_up_again() -> None:
    answer = Answer()
    assert not moved(answer.reinvite(1, HELD)).stream.sends
    assert b"a=recvonly" in answer.answers()[-1].body
    answer.hear("ACK", 1)
    assert moved(answer.reinvite(2, MOVED)).stream.sends


def test_the_peer_only_asks_whether_we_live() -> None:
    answer = Answer()
    same = offer(THEIR_MEDIA, session_id=2, version=2)
    assert answer.reinvite(1, same) == []
    assert summary(list(answer.answers())) == ["100 INVITE", "200 INVITE"]
    assert answer.reinvite(1, same) == []
    assert summary(list(answer.answers())) == ["200 INVITE"]


def test_the_peer_lets_us_offer() -> None:
    answer = Answer()
    assert answer.reinvite(1, b"") == []
    assert b"m=audio 40000 RTP/AVP 0 8 101" in answer.answers()[-1].body
    assert moved(answer.hear("ACK", 1, *SDP, body=MOVED)).stream.port == 51_000
    assert answer.hear("ACK", 1, *SDP, body=MOVED) == []


def test_the_peer_lets_us_offer_and_takes_nothing() -> None:
    answer = Answer()
    answer.reinvite(1, b"")
    (ended,) = answer.hear("ACK", 1)
    assert isinstance(ended, Ended)
    assert ended.by is Party.NETWORK
    assert summary(said(answer.call))[-1] == "BYE 2"


def test_what_does_not_suit_us_changes_nothing() -> None:
    answer = Answer()
    assert answer.reinvite(1, MOVED.replace(b"RTP/AVP 0 8 101", b"RTP/AVP 18")) == []
    assert summary(list(answer.answers())) == ["100 INVITE", "488 INVITE"]
    answer.hear("ACK", 1)
    assert answer.hear("INVITE", 2, ("Content-Type", "text/plain"), body=b"x") == []
    assert summary(list(answer.answers())) == ["100 INVITE", "415 INVITE"]
    answer.hear("ACK", 2)
    assert answer.hear("INVITE", 3, ("Require", "timer"), *SDP, body=MOVED) == []
    assert summary(list(answer.answers())) == ["100 INVITE", "420 INVITE"]
    assert not answer.call.is_over


def test_a_second_invite_waits_for_the_first() -> None:
    answer = Answer()
    answer.reinvite(1, MOVED)
    assert answer.reinvite(2, HELD) == []
    assert summary(list(answer.answers())) == ["100 INVITE", "200 INVITE", "491 INVITE"]


def test_a_peer_that_never_acknowledges_is_given_up() -> None:
    """14.2."""
    answer = Answer()
    answer.reinvite(1, MOVED)
    events: list[CallEvent] = []
    while not events:
        assert answer.call.deadline is not None
        events = answer.call.on_time(answer.call.deadline)
    assert events == [Ended(Party.NETWORK, None, "an answer was never acknowledged")]
    sent = summary(said(answer.call))
    assert sent.count("200 INVITE") == 11
    assert sent[-1] == "BYE 2"


def test_signs_of_life_and_unknown_methods() -> None:
    answer = Answer()
    for number, method in enumerate(("OPTIONS", "INFO", "UPDATE", "REFER"), 1):
        assert answer.hear(method, number) == []
    assert summary(list(answer.answers())) == ["200 OPTIONS", "405 INFO", "405 UPDATE", "405 REFER"]


def test_requests_out_of_order_are_refused_but_a_bye_is_taken() -> None:
    answer = Answer()
    answer.hear("OPTIONS", 5)
    answer.hear("INFO", 4)
    assert summary(list(answer.answers())) == ["200 OPTIONS", "500 INFO"]
    assert answer.hear("BYE", 3) == [Ended(Party.REMOTE, None, "")]
    assert summary(list(answer.answers())) == ["200 BYE"]


def test_a_cancel_comes_too_late() -> None:
    answer = Answer()
    answer.reinvite(1, MOVED)
    answer.answers()
    sent = from_them(answer.call, answer.invite, "CANCEL", 1)
    via = ("Via", "SIP/2.0/UDP 198.51.100.7:5070;branch=z9hG4bK-INVITE-1")
    twin = Request(method="CANCEL", uri=sent.uri, headers=(via, *sent.headers[1:]))
    assert answer.call.receive(twin, now=1.0) == []
    assert answer.call.receive(sent, now=1.0) == []
    assert summary(list(answer.answers())) == ["200 CANCEL", "481 CANCEL"]
    assert not answer.call.is_over


def test_both_hang_up_at_once() -> None:
    answer = Answer()
    answer.call.hang_up(now=1.0)
    bye = one_request(answer.call, "BYE")
    assert answer.hear("BYE", 1) == []
    assert summary(said(answer.call)) == ["200 BYE"]
    assert answer.call.receive(response_to(bye, 481), now=1.0) == []


def test_after_the_end_nothing_is_agreed_to() -> None:
    answer = Answer()
    answer.call.hang_up(now=1.0)
    said(answer.call)
    assert answer.reinvite(1, MOVED) == []
    assert answer.hear("OPTIONS", 2) == []
    assert summary(list(answer.answers())) == ["100 INVITE", "481 INVITE", "481 OPTIONS"]


def test_the_peer_may_move_itself() -> None:
    answer = Answer()
    fixed = from_them(answer.call, answer.invite, "INVITE", 1, headers=SDP, body=MOVED)
    headers = tuple((name, "<sip:new@192.0.2.77>" if name == "Contact" else value) for name, value in fixed.headers)
    answer.call.receive(Request(method="INVITE", uri=fixed.uri, headers=headers, body=MOVED), now=1.0)
    said(answer.call)
    answer.call.hang_up(now=2.0)
    (packet,) = answer.call.packets_to_send()
    assert packet.hop == ("192.0.2.77", 5060)
    assert packet.hop != THEM
