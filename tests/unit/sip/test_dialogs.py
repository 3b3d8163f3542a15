import pytest

from heliograph.sip.dialogs import Dialog, contact_of, dialog_as_called, dialog_as_caller
from heliograph.sip.headers import Headers, every, first
from heliograph.sip.messages import Response, response_to
from heliograph.sip.ways import Hop
from tests.unit.sip.samples import THEM, a_wire, an_invite


def answered(*headers: tuple[str, str]) -> Response:
    made: Headers = headers
    return response_to(an_invite(), 200, tag="them", headers=made)


def caller(*headers: tuple[str, str]) -> Dialog:
    return dialog_as_caller(an_invite(), answered(*headers), hop=THEM)


def test_requests_of_the_caller() -> None:
    dialog = caller(("Contact", "<sip:278@192.0.2.8:5099;x=1>"))
    bye = dialog.request(a_wire(), "BYE")
    assert bye.uri == "sip:278@192.0.2.8:5099;x=1"
    assert dialog.hop == Hop("192.0.2.8", 5099)
    assert first(bye.headers, "From") == first(an_invite().headers, "From")
    assert first(bye.headers, "To") == "<sip:278@us.example>;tag=them"
    assert first(bye.headers, "CSeq") == "8 BYE"
    assert first(dialog.request(a_wire(), "ACK", number=7).headers, "CSeq") == "7 ACK"
    assert first(dialog.request(a_wire(), "BYE").headers, "CSeq") == "9 BYE"


def test_requests_of_the_called() -> None:
    dialog = dialog_as_called(an_invite(headers=(("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"),)), tag="ours", hop=THEM)
    bye = dialog.request(a_wire(), "BYE")
    assert every(bye.headers, "Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert first(bye.headers, "From") == "<sip:278@us.example>;tag=ours"
    assert first(bye.headers, "To") == '"Ann" <sip:ann@them.example>;tag=ann'
    assert (first(bye.headers, "CSeq"), dialog.peer_number) == ("1 BYE", 7)


def test_the_caller_goes_the_way_back_through_the_proxies() -> None:
    """12.1.2: the route is the recorded one turned round."""
    recorded = (("Record-Route", "<sip:192.0.2.22;lr>"), ("Record-Route", "<sip:192.0.2.21:5062;lr>"))
    dialog = caller(("Contact", "<sip:278@end>"), *recorded)
    bye = dialog.request(a_wire(), "BYE")
    assert bye.uri == "sip:278@end"
    assert every(bye.headers, "Route") == ["<sip:192.0.2.21:5062;lr>", "<sip:192.0.2.22;lr>"]
    assert dialog.hop == Hop("192.0.2.21", 5062)


def test_a_proxy_of_the_old_kind_is_addressed_itself() -> None:
    """12.2.1.1."""
    dialog = caller(("Contact", "<sip:278@end>"), ("Record-Route", "<sip:p2;lr>, <sip:p1>"))
    bye = dialog.request(a_wire(), "BYE")
    assert bye.uri == "sip:p1"
    assert every(bye.headers, "Route") == ["<sip:p2;lr>", "<sip:278@end>"]


def test_without_a_contact_requests_go_where_the_invite_went() -> None:
    dialog = caller()
    assert dialog.request(a_wire(), "BYE").uri == "sip:278@us.example"
    assert caller(("Contact", "<sip:x>"), ("Record-Route", "rubbish <")).hop == THEM


@pytest.mark.parametrize("value", ["", "*", "<tel:123>", "<sip:a b@c>", "<mailto:x@y>", '"', "<sip:>"])
def test_contacts_that_cannot_be_used(value: str) -> None:
    assert contact_of(answered(("Contact", value))) is None


def test_the_other_end_may_move() -> None:
    dialog = caller(("Contact", "<sip:a@one>"))
    dialog.refresh(answered(("Contact", "<sip:a@two>")))
    assert dialog.target == "sip:a@two"
    dialog.refresh(answered())
    assert dialog.target == "sip:a@two"
