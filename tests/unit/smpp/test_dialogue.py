from heliograph.smpp.constants import CommandId
from heliograph.smpp.dialogue import MAX_OCTETS_BEFORE_BIND, MAX_OCTETS_BOUND, Dialogue
from heliograph.smpp.events import Closed, PeerBroke
from heliograph.smpp.outstanding import Outstanding
from heliograph.smpp.pdus import AlertNotification, Bind
from heliograph.smpp.states import Role, SessionState
from heliograph.smpp.timers import Timers


def dialogue(role: Role = Role.ESME) -> Dialogue:
    return Dialogue(role, timers=Timers(), outstanding=Outstanding(5), now=0.0)


def test_a_state_brings_its_limits() -> None:
    talk = dialogue()
    assert (talk.max_octets, talk.can_submit, talk.is_bound) == (MAX_OCTETS_BEFORE_BIND, False, False)
    talk.enter(SessionState.BOUND_TRX)
    assert (talk.max_octets, talk.can_submit, talk.is_bound) == (MAX_OCTETS_BOUND, True, True)
    assert CommandId.DELIVER_SM in talk.taken
    talk.enter_ending()
    assert (talk.can_submit, talk.is_ending) == (False, True)


def test_a_message_centre_never_submits() -> None:
    talk = dialogue(Role.MC)
    talk.enter(SessionState.BOUND_TRX)
    assert not talk.can_submit


def test_versions_decide_about_parameters() -> None:
    talk = dialogue()
    for version, takes in [(None, True), (0x33, False), (0x34, True), (0x50, True), (0, False)]:
        talk.learn_version(version)
        assert talk.peer_takes_tlvs is takes


def test_what_takes_no_answer_does_not_wait() -> None:
    talk = dialogue()
    talk.send_request(AlertNotification(), now=0.0)
    assert len(talk.outstanding) == 0
    talk.send_request(Bind(), now=0.0)
    assert len(talk.outstanding) == 1
    assert talk.state is SessionState.BINDING


def test_an_impossible_length_ends_all() -> None:
    talk = dialogue()
    broke, closed = talk.refuse_length(15)
    assert isinstance(broke, PeerBroke)
    assert broke.fatal
    assert isinstance(closed, Closed)
    assert talk.is_closed
    assert talk.outbox == [bytes.fromhex("00000010 80000000 00000002 00000000")]
