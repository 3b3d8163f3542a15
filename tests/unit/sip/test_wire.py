import pytest

from heliograph.sip.errors import LocalProtocolError
from heliograph.sip.timers import Timers
from heliograph.sip.ways import Hop, Transport, Way
from heliograph.sip.wire import Ids, Wire
from tests.unit.sip.samples import THEM, US, a_wire, an_invite


def test_ids_differ_and_follow_from_the_seed_alone() -> None:
    ids, again, other = Ids(b"a" * 16), Ids(b"a" * 16), Ids(b"b" * 16)
    made = [ids.next() for _ in range(100)]
    assert made == [again.next() for _ in range(100)]
    assert len({*made, *(other.next() for _ in range(100))}) == 200
    assert 0 <= ids.number() < 2**48


def test_too_little_randomness_is_our_mistake() -> None:
    with pytest.raises(LocalProtocolError):
        Ids(b"short")


def test_where_we_say_to_be() -> None:
    assert a_wire().via("z9hG4bK1") == ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport")
    assert a_wire().contact("me") == ("Contact", "<sip:me@192.0.2.1:5060>")
    assert a_wire(Transport.TCP).contact("") == ("Contact", "<sip:192.0.2.1:5060;transport=tcp>")
    six = Wire(Way(transport=Transport.TLS, local=Hop("::1", 7), remote=THEM), seed=b"s" * 16, timers=Timers())
    assert six.contact("me", scheme="sips") == ("Contact", "<sips:me@[::1]:7;transport=tls>")
    assert six.via("b")[1].startswith("SIP/2.0/TLS [::1]:7;")


def test_what_is_sent_comes_out_once_and_in_order() -> None:
    wire = a_wire()
    first = wire.send(an_invite(), US)
    second = wire.send(an_invite(branch="z9hG4bK2"), THEM)
    wire.repeat(first)
    assert wire.drained() == [first, second, first]
    assert wire.drained() == []


def test_answers_follow_via_over_udp_and_the_connection_else() -> None:
    invite = an_invite()
    assert a_wire().answer_hop(invite) == Hop(THEM.host, THEM.port)
    assert a_wire(Transport.TCP).answer_hop(invite) == THEM
    assert not a_wire().is_reliable


def test_a_100_has_no_tag_of_ours() -> None:
    wire = a_wire()
    to = [dict(wire.respond(an_invite(), status).headers)["To"] for status in (100, 180)]
    assert to == ["<sip:278@us.example>", f"<sip:278@us.example>;tag={wire.tag}"]
    assert wire.new_branch().startswith("z9hG4bK")
