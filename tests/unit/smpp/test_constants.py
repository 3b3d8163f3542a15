from heliograph.smpp.constants import RESPONSE_BIT, BindKind, CommandId, CommandStatus


def test_every_response_is_a_request_with_the_top_bit() -> None:
    responses = [command_id for command_id in CommandId if command_id & RESPONSE_BIT]
    assert len(responses) == 13
    for response in responses:
        if response is not CommandId.GENERIC_NACK:
            assert CommandId(response & ~RESPONSE_BIT).name + "_RESP" == response.name


def test_bind_kinds_are_command_ids() -> None:
    for kind in BindKind:
        assert CommandId(kind).name == f"BIND_{kind.name}"


def test_the_gap_before_the_destination_codes() -> None:
    assert CommandStatus(0x49).name == "ESME_RINVSRCNPI"
    assert CommandStatus(0x50).name == "ESME_RINVDSTTON"
