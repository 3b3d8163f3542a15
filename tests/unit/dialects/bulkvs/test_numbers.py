from dataclasses import replace

import pytest

from heliograph.core.reasons import Reason
from tests.unit.dialects.bulkvs.calls import FROM, call, failure, read
from tests.unit.dialects.world import OWN_NUMBER, Reply, StoredCampaign, World, account_of, world_with

OTHER = "+13109060902"


@pytest.fixture
def world() -> World:
    made = world_with()
    made.numbers[OTHER] = replace(made.numbers[OWN_NUMBER], msisdn=OTHER, channels=frozenset(), webhook="Default")
    made.campaigns = [StoredCampaign("CW1549", "Brand 1", True, 49), StoredCampaign("CX2", "Brand 2", False)]
    return made


def change(world: World, **members: object) -> Reply:
    return call(world, "POST", "/tnRecord", {"TN": FROM, **members})


def test_campaigns_are_listed_as_printed(world: World) -> None:
    reply = call(world, "GET", "/campaigns?Tcr=CW1549")
    assert reply.body == (
        b'[{"Tcr":"CW1549","Brand":"Brand 1","Count":"49","Approval":"Y","Activation Date":"2021-02-16 16:23:35"}]'
    )
    for query in ("", "?Tcr=", "?tcr=CW1549"):
        assert [each["Approval"] for each in read(call(world, "GET", f"/campaigns{query}"))] == ["Y", "N"]
    assert len(read(call(world, "GET", "/api/v1.0/campaigns?Tcr=cw1549&Tcr=CX2"))) == 2
    unknown = call(world, "GET", "/campaigns?Tcr=X")
    assert (unknown.status, read(unknown)) == (404, failure(404, "Campaign not found."))


def test_no_campaigns_are_an_empty_list() -> None:
    assert call(world_with(), "GET", "/campaigns").body == b"[]"


def test_numbers_are_listed_with_what_they_are_for(world: World) -> None:
    first, second = read(call(world, "GET", "/tnRecord"))
    assert first == {
        "TN": FROM,
        "Status": "Active",
        "Messaging": {"Class": "A2PLC", "Sms": True, "Mms": True, "Webhook": "", "Tcr": ""},
    }
    assert (second["TN"], second["Messaging"]["Sms"], second["Messaging"]["Webhook"]) == (OTHER[1:], False, "Default")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("Number=13109060901", 1),
        ("Number=3109060901", 1),
        ("Number=%2B13109060901&Number=13109060902", 2),
        ("Number=", 2),
        ("Webhook=default", 1),
        ("Webhook=x", 0),
        ("Tcr=CW1549", 0),
        ("Trunk+Group=x&Limit=1", 2),
    ],
)
def test_numbers_are_chosen_by_the_query(world: World, query: str, count: int) -> None:
    assert len(read(call(world, "GET", f"/tnRecord?{query}"))) == count


@pytest.mark.parametrize("written", ["13105551212", "call me"])
def test_an_unknown_number_is_not_found(world: World, written: str) -> None:
    for method in ("GET", "DELETE"):
        reply = call(world, method, f"/tnRecord?Number={written}")
        assert (reply.status, read(reply)) == (404, failure(404, "Telephone Number not found."))
    assert change(world, TN="13105551212").status == 404


def test_a_number_gets_its_webhook_and_campaign_and_loses_them(world: World) -> None:
    call(world, "PUT", "/webHooks", {"Webhook": "Hook", "Url": "https://example.com/"})
    given = change(
        world, TN="310-906-0901", Sms=1, Mms=False, Webhook="HOOK", Tcr="CW1549", Lidb="x", **{"Call Forward": 1}
    )
    assert given.status == 200
    messaging = read(given)["Messaging"]
    assert (messaging["Sms"], messaging["Mms"], messaging["Webhook"].lower(), messaging["Tcr"]) == (
        True,
        False,
        "hook",
        "CW1549",
    )
    assert read(change(world))["Messaging"] == messaging
    assert read(change(world, Webhook="", Tcr=""))["Messaging"] == {**messaging, "Webhook": "", "Tcr": ""}


@pytest.mark.parametrize(
    ("members", "status", "text"),
    [
        ({"TN": None}, 400, "TN must be a telephone number."),
        ({"TN": "call me"}, 400, "TN must be a telephone number."),
        ({"Webhook": "nobody"}, 404, "Webhook not found."),
        ({"Tcr": "CW0"}, 404, "Campaign not found."),
    ],
)
def test_what_cannot_be_changed_is_said(world: World, members: dict[str, object], status: int, text: str) -> None:
    before = dict(world.numbers)
    reply = change(world, Sms=False, **members)
    assert (reply.status, read(reply)) == (status, failure(status, text))
    assert world.numbers == before


@pytest.mark.parametrize("body", [b"", b"[]", b'{"TN":"13109060901","Sms":"perhaps"}', b'{"TN":"\xff"}'])
def test_what_is_malformed_is_400(world: World, body: bytes) -> None:
    reply = call(world, "POST", "/tnRecord", body)
    assert (reply.status, read(reply)["Code"]) == (400, "400")


def test_what_the_service_refuses_is_worded(world: World) -> None:
    world.account = account_of(has_agreed=False)
    reply = change(world, Sms=False)
    assert (reply.status, read(reply)) == (412, failure(412, Reason.NOT_AGREED.sentence))


def test_a_short_code_is_a_number_too(world: World) -> None:
    world.numbers["12345"] = replace(world.numbers[OWN_NUMBER], msisdn="12345")
    (record,) = read(call(world, "GET", "/tnRecord?Number=12345"))
    assert (record["TN"], record["Messaging"]["Class"]) == ("12345", "")
    assert read(change(world, TN=12345, Sms=False))["Messaging"]["Sms"] is False
    assert read(call(world, "DELETE", "/tnRecord?Number=12345")) == {"Status": "Success", "TN": "12345"}


def test_a_number_is_given_back(world: World) -> None:
    reply = call(world, "DELETE", "/tnRecord?Number=3109060901")
    assert (reply.status, reply.body) == (200, b'{"Status":"Success","TN":"13109060901"}')
    assert list(world.numbers) == [OTHER]
    missing = call(world, "DELETE", "/tnRecord")
    assert (missing.status, read(missing)) == (400, failure(400, "Number is missing."))
