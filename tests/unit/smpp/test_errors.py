import pytest

from heliograph.smpp.constants import CommandStatus
from heliograph.smpp.errors import LocalProtocolError, PduError, RemoteProtocolError, SmppError


def test_a_pdu_error_carries_the_status_to_answer() -> None:
    assert PduError("why").status == CommandStatus.ESME_RINVCMDLEN
    assert PduError("why", CommandStatus.ESME_RINVDSTADR).status == CommandStatus.ESME_RINVDSTADR


def test_blame_is_told_apart() -> None:
    assert issubclass(PduError, RemoteProtocolError)
    with pytest.raises(SmppError):
        raise LocalProtocolError("ours")
    assert not issubclass(LocalProtocolError, RemoteProtocolError)
