import pytest

from heliograph.sip.admission import objection
from heliograph.sip.messages import Request
from tests.unit.sip.samples import an_invite


def asked(method: str = "INVITE", uri: str = "sip:x", body: bytes = b"v=0", **headers: str) -> Request:
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Request(method=method, uri=uri, headers=named, body=body)


def test_an_ordinary_call_is_taken() -> None:
    assert objection(an_invite()) is None
    assert objection(asked(Content_Type="application/sdp;version=1", Supported="100rel")) is None


@pytest.mark.parametrize("method", ["REGISTER", "NEWMETHOD", "invite", "SUBSCRIBE", "UPDATE"])
def test_methods_that_we_do_not_speak(method: str) -> None:
    refused = objection(asked(method))
    assert refused is not None
    assert (refused.status, refused.headers) == (405, (("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"),))


def test_extensions_that_are_required() -> None:
    refused = objection(asked(Require="100rel, timer"))
    assert refused is not None
    assert (refused.status, refused.headers) == (420, (("Unsupported", "100rel, timer"),))
    assert objection(asked("ACK", Require="100rel")) is None


def test_bodies_that_we_cannot_read() -> None:
    for refused in (objection(asked(Content_Type="text/plain")), objection(asked(Content_Encoding="gzip"))):
        assert refused is not None
        assert refused.status == 415
    assert objection(asked("BYE", Content_Type="text/plain")) is None


def test_addresses_that_are_none_of_ours() -> None:
    for uri, status in (("http://x", 416), ("sip:", 400)):
        refused = objection(asked(uri=uri))
        assert refused is not None
        assert refused.status == status
