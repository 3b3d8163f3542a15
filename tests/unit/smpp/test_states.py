import pytest

from heliograph.smpp.constants import RESPONSE_BIT, CommandId, CommandStatus
from heliograph.smpp.states import MAY_SEND, Role, SessionState, may_send, refusal, taken_from

TX, RX, TRX = SessionState.BOUND_TX, SessionState.BOUND_RX, SessionState.BOUND_TRX


def test_every_request_stands_in_the_table() -> None:
    assert set(MAY_SEND) == {command_id for command_id in CommandId if not command_id & RESPONSE_BIT}
    for senders in MAY_SEND.values():
        assert set(senders) == set(Role)


@pytest.mark.parametrize(
    ("role", "command_id", "states"),
    [
        (Role.ESME, CommandId.SUBMIT_SM, {TX, TRX}),
        (Role.MC, CommandId.SUBMIT_SM, set()),
        (Role.MC, CommandId.DELIVER_SM, {RX, TRX}),
        (Role.ESME, CommandId.DELIVER_SM, set()),
        (Role.ESME, CommandId.DATA_SM, {TX, TRX}),
        (Role.MC, CommandId.DATA_SM, {RX, TRX}),
        (Role.MC, CommandId.OUTBIND, {SessionState.OPEN}),
        (Role.ESME, CommandId.BIND_RECEIVER, {SessionState.OPEN, SessionState.OUTBOUND}),
        (Role.MC, CommandId.UNBIND, {TX, RX, TRX}),
    ],
)
def test_who_may_send_when(role: Role, command_id: CommandId, states: set[SessionState]) -> None:
    assert {state for state in SessionState if may_send(role, command_id, state=state)} == states


def test_we_take_more_than_we_send() -> None:
    assert CommandId.DELIVER_SM in taken_from(Role.MC, TX)
    assert CommandId.ENQUIRE_LINK in taken_from(Role.ESME, SessionState.OPEN)
    assert not taken_from(Role.ESME, SessionState.CLOSED)
    for state in SessionState:
        for role in Role:
            assert {command_id for command_id in MAY_SEND if may_send(role, command_id, state=state)} <= taken_from(
                role, state
            )


def test_a_second_bind_has_a_status_of_its_own() -> None:
    assert refusal(CommandId.BIND_RECEIVER, TRX) == CommandStatus.ESME_RALYBND
    assert refusal(CommandId.BIND_RECEIVER, SessionState.BINDING) == CommandStatus.ESME_RALYBND
    assert refusal(CommandId.SUBMIT_SM, SessionState.OPEN) == CommandStatus.ESME_RINVBNDSTS


def test_roles_face_each_other() -> None:
    assert Role.ESME.peer is Role.MC
    assert Role.MC.peer is Role.ESME


def test_a_response_is_no_request() -> None:
    assert not may_send(Role.ESME, CommandId.SUBMIT_SM_RESP, state=TRX)
