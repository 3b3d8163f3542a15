from math import inf

import pytest

from heliograph.smpp.codec import encode, encode_bare
from heliograph.smpp.constants import CommandId
from heliograph.smpp.events import Bound, Closed, DeliverAnswered, RequestTimedOut, SubmitAnswered, UnexpectedResponse
from heliograph.smpp.pdus import Bind, DeliverSm, EnquireLink, QuerySm, SubmitSm
from heliograph.smpp.states import SessionState
from heliograph.smpp.timers import Timers
from tests.unit.smpp.pairs import Pair, bound

TIMERS = Timers(session_init=5.0, enquire_link=20.0, inactivity=100.0, response=8.0)


def test_no_bind_in_time_ends_the_message_centres_side() -> None:
    pair = Pair(timers=TIMERS)
    assert pair.esme.next_deadline() is None
    assert pair.mc.next_deadline() == 1005.0
    assert pair.mc.tick(1004.9) == []
    assert pair.mc.tick(1005.0) == [Closed("no bind came in time", ())]
    assert pair.mc.next_deadline() is None
    assert pair.mc.tick(2000.0) == []


def test_a_bind_that_waits_for_us_stops_the_clock_and_a_refusal_does_not_reset_it() -> None:
    pair = Pair(timers=TIMERS)
    pair.mc.receive(encode(Bind(), sequence=1), now=1004.0)
    assert pair.mc.next_deadline() is None
    pair.mc.answer_bind(1, status=0x0E)
    assert pair.mc.next_deadline() == 1005.0


def test_an_idle_peer_is_asked_and_its_answer_is_life() -> None:
    pair = bound(timers=TIMERS)
    assert pair.esme.next_deadline() == 1020.0
    assert pair.esme.tick(1019.0) == []
    assert pair.esme.data_to_send() == b""
    assert pair.esme.tick(1020.0) == []
    assert pair.esme.next_deadline() == 1028.0
    assert pair.esme.tick(1021.0) == []
    pair.now = 1022.0
    assert pair.to_mc() == []
    assert pair.to_esme() == []
    assert pair.esme.next_deadline() == 1042.0
    assert pair.mc.next_deadline() == 1042.0


@pytest.mark.parametrize("answer", [True, False])
def test_an_enquire_link_without_answer_ends_the_session(answer: bool) -> None:
    pair = bound(timers=TIMERS)
    pair.esme.request(SubmitSm(), now=1019.0)
    pair.esme.tick(1020.0)
    if answer:
        pair.esme.receive(encode_bare(CommandId.ENQUIRE_LINK_RESP, sequence=3), now=1021.0)
        assert pair.esme.tick(1028.0) == [RequestTimedOut(2, CommandId.SUBMIT_SM)]
        assert pair.esme.state is SessionState.BOUND_TRX
    else:
        assert pair.esme.tick(1028.0) == [
            RequestTimedOut(2, CommandId.SUBMIT_SM),
            RequestTimedOut(3, CommandId.ENQUIRE_LINK),
            Closed("enquire_link was not answered in time", ()),
        ]


def test_a_bind_without_answer_ends_the_session() -> None:
    pair = Pair(timers=TIMERS)
    pair.esme.request(Bind(), now=1000.0)
    assert pair.esme.next_deadline() == 1008.0
    assert pair.esme.tick(1008.0) == [
        RequestTimedOut(1, CommandId.BIND_TRANSCEIVER),
        Closed("bind_transceiver was not answered in time", ()),
    ]


def test_a_request_without_answer_frees_its_slot_and_the_late_answer_is_told() -> None:
    pair = bound(timers=TIMERS, window=1)
    sequence = pair.esme.request(SubmitSm(), now=1001.0)
    pair.to_mc()
    assert pair.esme.outstanding.free_slots == 0
    assert pair.esme.tick(1009.0) == [RequestTimedOut(sequence, CommandId.SUBMIT_SM)]
    assert pair.esme.outstanding.free_slots == 1
    pair.mc.answer_submit(sequence, "late")
    assert pair.to_esme() == [UnexpectedResponse(sequence, CommandId.SUBMIT_SM_RESP, 0, "late")]


def test_several_deadlines_pass_in_order() -> None:
    pair = bound(timers=TIMERS)
    first = pair.esme.request(QuerySm(), now=1001.0)
    second = pair.esme.request(SubmitSm(), now=1003.0)
    assert pair.esme.next_deadline() == 1009.0
    assert pair.esme.tick(1009.5) == [RequestTimedOut(first, CommandId.QUERY_SM)]
    assert pair.esme.next_deadline() == 1011.0
    pair.esme.receive(bytes.fromhex("00000011 80000004 00000000 00000003 00"), now=1010.0)
    assert second == 3
    assert pair.esme.next_deadline() == 1030.0


def test_a_silent_peer_is_given_up() -> None:
    pair = bound(timers=Timers(enquire_link=inf, inactivity=50.0))
    pair.esme.receive(encode(EnquireLink(), sequence=1), now=1010.0)
    assert pair.esme.next_deadline() == 1060.0
    assert pair.esme.tick(1060.0) == [Closed("the peer was silent too long", ())]


def test_octets_that_never_become_a_pdu_are_no_life() -> None:
    pair = bound(timers=TIMERS)
    pair.esme.receive(b"\0\0\0\x20", now=1015.0)
    assert pair.esme.next_deadline() == 1020.0


def test_an_ending_session_asks_no_more() -> None:
    pair = bound(timers=TIMERS)
    pair.esme.unbind(now=1000.0)
    assert pair.esme.next_deadline() == 1008.0
    assert pair.esme.tick(1008.0)[-1] == Closed("unbind was not answered in time", ())


def test_both_ends_report_answers_before_deadlines() -> None:
    pair = bound(timers=TIMERS)
    assert isinstance(pair.esme.state, SessionState)
    submit = pair.esme.request(SubmitSm(), now=1000.0)
    deliver = pair.mc.request(DeliverSm(), now=1000.0)
    pair.to_mc()
    pair.to_esme()
    pair.mc.answer_submit(submit, "1")
    pair.esme.acknowledge_delivers([deliver])
    assert pair.to_esme() == [SubmitAnswered(submit, 0, "1")]
    assert pair.to_mc() == [DeliverAnswered(deliver, 0)]
    assert pair.esme.tick(1008.0) == []


def test_a_timer_switched_off_never_rings() -> None:
    pair = Pair(timers=Timers(session_init=inf, enquire_link=inf, inactivity=inf, response=inf))
    assert isinstance(pair.bind(), Bound)
    pair.esme.request(SubmitSm(), now=1000.0)
    assert pair.esme.next_deadline() is None
    assert pair.esme.tick(1e9) == []
