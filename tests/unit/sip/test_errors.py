from heliograph.sip.errors import MessageError, RemoteProtocolError, SdpError, SipError


def test_an_error_of_the_peer_carries_its_answer() -> None:
    for kind in (MessageError, SdpError):
        error = kind("no", 488)
        assert (str(error), error.status) == ("no", 488)
        assert issubclass(kind, RemoteProtocolError)
    assert issubclass(RemoteProtocolError, SipError)
    assert MessageError("no").status == 400
