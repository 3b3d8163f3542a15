"""The timers as RFC 3261 17 draws them."""

import pytest

from heliograph.sip.messages import Request, Response, response_to, write
from heliograph.sip.transactions import (
    MOST_SERVERS,
    ClientTransaction,
    InviteServer,
    Repetition,
    ServerTransaction,
    Transactions,
    earliest,
)
from heliograph.sip.ways import Transport
from heliograph.sip.wire import Wire
from tests.unit.sip.samples import THEM, a_wire, an_invite, read_all, summary


def a_request(method: str, branch: str = "z9hG4bK1") -> Request:
    headers = tuple(
        (name, f"7 {method}" if name == "CSeq" else value) for name, value in an_invite(branch=branch).headers
    )
    return Request(method=method, uri="sip:x", headers=headers)


def client(method: str, transport: Transport = Transport.UDP) -> tuple[Wire, ClientTransaction]:
    wire = a_wire(transport)
    transaction = ClientTransaction(wire, a_request(method), THEM, now=0.0)
    wire.drained()
    return wire, transaction


def times(wire: Wire, each: ClientTransaction | InviteServer, until: float) -> tuple[list[float], list[float]]:
    """When something is sent again, and when time ran out, if the deadline is kept to the moment."""
    sent: list[float] = []
    out: list[float] = []
    while each.deadline is not None and each.deadline <= until:
        now = each.deadline
        if each.on_time(now):
            out.append(now)
        sent += [now] * len(wire.drained())
    return sent, out


def answer(transaction: ClientTransaction, status: int) -> Response:
    return response_to(transaction.request, status, tag="them")


def test_the_earliest_of_some() -> None:
    assert (earliest(None, 2.0, 1.0), earliest(None), earliest()) == (1.0, None, None)


def test_a_repetition_that_is_late_is_sent_once() -> None:
    repetition = Repetition(0.5, longest=4.0, now=0.0)
    assert not repetition.is_due(0.4)
    assert repetition.is_due(10.0)
    assert repetition.due == 11.0


def test_an_invite_is_repeated_and_given_up() -> None:
    """Timer A doubles from T1, timer B is 64 × T1."""
    wire, invite = client("INVITE")
    assert times(wire, invite, 100) == ([0.5, 1.5, 3.5, 7.5, 15.5, 31.5], [32.0])
    assert invite.is_done


def test_another_request_is_repeated_and_given_up() -> None:
    """Timer E doubles up to T2, timer F is 64 × T1."""
    wire, options = client("OPTIONS")
    assert times(wire, options, 100) == ([0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5], [32.0])


def test_on_a_connection_nothing_is_repeated() -> None:
    for method in ("INVITE", "BYE"):
        wire, transaction = client(method, Transport.TCP)
        assert times(wire, transaction, 100) == ([], [32.0])


def test_a_provisional_answer_ends_the_repetition_of_an_invite_and_its_deadline() -> None:
    _, invite = client("INVITE")
    assert invite.receive(answer(invite, 100), now=1.0)
    assert invite.deadline is None
    assert invite.is_provisional
    assert not invite.is_answered


def test_a_provisional_answer_slows_another_request_down() -> None:
    wire, options = client("OPTIONS")
    assert options.receive(answer(options, 100), now=1.0)
    assert times(wire, options, 100) == ([5.0, 9.0, 13.0, 17.0, 21.0, 25.0, 29.0], [32.0])


def test_a_refusal_is_acknowledged_as_often_as_it_comes() -> None:
    """17.1.1.3; timer D lasts 32 s."""
    wire, invite = client("INVITE")
    refusal = answer(invite, 486)
    assert invite.receive(refusal, now=1.0)
    assert not invite.receive(refusal, now=2.0)
    first, second = wire.drained()
    assert first == second
    (ack,) = read_all([first])
    assert isinstance(ack, Request)
    asked = dict(invite.request.headers)
    assert dict(ack.headers) == {
        "Via": asked["Via"],
        "Max-Forwards": "70",
        "From": asked["From"],
        "Call-ID": asked["Call-ID"],
        "To": dict(refusal.headers)["To"],
        "CSeq": "7 ACK",
    }
    assert ack.uri == invite.request.uri
    assert times(wire, invite, 100) == ([], [])
    assert invite.is_done


def test_timer_d_and_timer_k() -> None:
    for method, status, lasts in (("INVITE", 486, 32.0), ("BYE", 200, 5.0)):
        _, transaction = client(method)
        transaction.receive(answer(transaction, status), now=1.0)
        assert transaction.deadline == 1.0 + lasts
        assert not transaction.is_done
        _, transaction = client(method, Transport.TLS)
        transaction.receive(answer(transaction, status), now=1.0)
        assert transaction.is_done


def test_a_yes_ends_the_transaction_and_is_acknowledged_elsewhere() -> None:
    wire, invite = client("INVITE")
    assert invite.receive(answer(invite, 200), now=1.0)
    assert invite.is_done
    assert wire.drained() == []
    assert not invite.receive(answer(invite, 200), now=2.0)
    assert wire.drained() == []


def test_a_client_that_gives_up_waits_for_nothing() -> None:
    _, invite = client("INVITE")
    invite.give_up()
    assert (invite.deadline, invite.is_done) == (None, True)


def test_an_answer_is_repeated_for_32_s() -> None:
    """Timer J."""
    wire = a_wire()
    request = a_request("BYE")
    server = ServerTransaction(wire, request, wire.respond(request, 200), now=0.0)
    server.again()
    first, second = wire.drained()
    assert first == second
    server.on_time(31.9)
    assert server.deadline == 32.0
    server.on_time(32.0)
    assert server.is_done
    wire = a_wire(Transport.TCP)
    assert ServerTransaction(wire, request, wire.respond(request, 200), now=0.0).is_done


def invited(status: int, transport: Transport = Transport.UDP) -> tuple[Wire, InviteServer]:
    wire = a_wire(transport)
    server = InviteServer(wire, an_invite())
    server.respond(wire.respond(an_invite(), status), now=0.0)
    wire.drained()
    return wire, server


def test_an_invite_is_told_100_at_once_and_again_what_was_said_last() -> None:
    wire = a_wire()
    server = InviteServer(wire, an_invite())
    server.again()
    server.respond(wire.respond(an_invite(), 180), now=0.0)
    server.again()
    assert summary(read_all(wire.drained())) == ["100 INVITE", "100 INVITE", "180 INVITE", "180 INVITE"]
    assert server.deadline is None
    assert not server.is_done


@pytest.mark.parametrize("status", [200, 486])
def test_a_final_answer_is_repeated_until_it_is_acknowledged(status: int) -> None:
    """Timers G and H, and 13.3.1.4 for a 2xx."""
    wire, server = invited(status)
    assert times(wire, server, 100) == ([0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5], [32.0])
    assert server.is_done
    wire, server = invited(status)
    assert [server.acknowledged(now=now) for now in (1.0, 2.0)] == [True, False]
    assert not server.is_waiting
    server.again()
    assert wire.drained() == []
    assert server.deadline == 6.0  # timer I
    assert not server.on_time(6.0)
    assert server.is_done


def test_on_a_connection_only_a_yes_is_repeated() -> None:
    wire, server = invited(486, Transport.TCP)
    assert times(wire, server, 100) == ([], [32.0])
    wire, server = invited(200, Transport.TCP)
    assert times(wire, server, 2) == ([0.5, 1.5], [])
    assert server.acknowledged(now=2.0)
    assert server.is_done


def test_nothing_to_acknowledge_yet() -> None:
    server = InviteServer(a_wire(), an_invite())
    assert not server.acknowledged(now=0.0)
    server.abandon()
    assert server.is_done


def test_all_of_a_call_together() -> None:
    wire = a_wire()
    all_of_them = Transactions(wire)
    assert (all_of_them.is_done, all_of_them.deadline) == (True, None)
    invite = all_of_them.ask(a_request("INVITE"), THEM, now=0.0)
    cancel = all_of_them.ask(a_request("CANCEL"), THEM, now=0.25)
    assert all_of_them.deadline == 0.5
    assert all_of_them.asked(answer(cancel, 200)) is cancel
    assert all_of_them.asked(answer(invite, 200)) is invite
    assert all_of_them.asked(response_to(a_request("BYE"), 200)) is None
    assert all_of_them.asked(response_to(a_request("INVITE", "z9hG4bK2"), 200)) is None
    assert all_of_them.on_time(32.0) == [invite]
    assert all_of_them.on_time(32.25) == [cancel]
    assert all_of_them.is_done


def test_repeated_requests_are_answered_again_and_others_not() -> None:
    wire = a_wire()
    all_of_them = Transactions(wire)
    bye = a_request("BYE")
    assert not all_of_them.is_repetition(bye)
    all_of_them.answer(bye, 200, now=0.0)
    assert all_of_them.is_repetition(bye)
    assert not all_of_them.is_repetition(a_request("OPTIONS"))
    assert len(wire.drained()) == 2
    all_of_them.abandon()
    assert all_of_them.is_done
    assert not all_of_them.is_repetition(bye)


def test_a_peer_that_asks_without_end_fills_nothing() -> None:
    all_of_them = Transactions(a_wire())
    requests = [a_request("OPTIONS", f"z9hG4bK{number}") for number in range(MOST_SERVERS + 1)]
    for request in requests:
        all_of_them.answer(request, 200, now=0.0)
    assert not all_of_them.is_repetition(requests[0])
    assert all_of_them.is_repetition(requests[-1])


def test_repetitions_are_the_same_octets() -> None:
    wire, options = client("OPTIONS")
    options.on_time(0.5)
    assert wire.drained()[0].octets == write(options.request)
