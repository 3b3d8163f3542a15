from dataclasses import replace

import pytest

from heliograph.dialects.bulkvs.endpoints import BULKVS
from heliograph.dialects.dialect import Endpoint, Wording
from heliograph.dialects.router import Router
from heliograph.dialects.textboost.endpoints import TEXTBOOST
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO

ROUTER = Router([TOUCHBASEPRO, BULKVS, TEXTBOOST])


@pytest.mark.parametrize("endpoint", TOUCHBASEPRO.endpoints, ids=lambda endpoint: endpoint.name)
def test_every_endpoint_is_found_by_its_own_path(endpoint: Endpoint) -> None:
    method, path = endpoint.method, endpoint.path
    found = ROUTER.find(method, path.replace("{", "").replace("}", ""))
    assert found is not None
    assert found[0].endpoint is endpoint


def test_a_written_word_goes_before_a_place_whatever_the_order_of_the_table() -> None:
    backwards = Router([replace(TOUCHBASEPRO, endpoints=TOUCHBASEPRO.endpoints[::-1])])
    for router in (ROUTER, backwards):
        found = router.find("GET", "/sms/message/webhooks")
        assert found is not None
        assert found[0].endpoint.name == "getMessageWebhooks"


def test_places_are_read() -> None:
    found = ROUTER.find("GET", "/sms/messages/abc/status")
    assert found is not None
    assert found[1] == {"apiMessageId": "abc"}


def test_a_slash_at_the_end_does_not_matter() -> None:
    found = ROUTER.find("POST", "/sms/messages/")
    assert found is not None
    assert found[0].endpoint.name == "sendMessages"


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/sms/messages", ("OPTIONS", "POST")),
        ("/sms/message/webhooks/31", ("DELETE", "GET", "HEAD", "OPTIONS", "PUT")),
        ("/sms/nowhere", ()),
    ],
)
def test_methods_of_a_path(path: str, methods: tuple[str, ...]) -> None:
    assert ROUTER.methods(path) == methods


def test_a_path_belongs_to_a_dialect_by_its_beginning() -> None:
    assert ROUTER.dialect_of("/sms/nowhere") is TOUCHBASEPRO
    assert ROUTER.dialect_of("/api/v1.0/nowhere") is BULKVS
    assert ROUTER.dialect_of("/API/V1.0/nowhere") is BULKVS


@pytest.mark.parametrize("endpoint", BULKVS.endpoints, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("mount", BULKVS.mounts)
def test_an_endpoint_is_found_wherever_its_dialect_is_mounted_in_any_case(endpoint: Endpoint, mount: str) -> None:
    path = mount + endpoint.path
    for written in (path, path.lower(), path.upper()):
        found = ROUTER.find(endpoint.method, written)
        assert found is not None
        assert found[0].endpoint is endpoint
        assert ROUTER.dialect_of(written) is BULKVS


def test_case_matters_unless_the_dialect_says_otherwise() -> None:
    assert ROUTER.find("POST", "/SMS/messages") is None
    assert ROUTER.dialect_of("/SMS/messages") is None


def test_a_place_keeps_the_case_it_was_written_in() -> None:
    found = ROUTER.find("DELETE", "/WEBHOOKS/My Hook")
    assert found is not None
    assert found[1] == {"name": "My Hook"}


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/openapi.json", "/api/v2/x", "/messages"])
def test_a_dialect_at_the_root_leaves_other_paths_alone(path: str) -> None:
    assert ROUTER.dialect_of(path) is None


@pytest.mark.parametrize("endpoint", TEXTBOOST.endpoints, ids=lambda endpoint: endpoint.name)
@pytest.mark.parametrize("mount", TEXTBOOST.mounts)
def test_an_endpoint_may_be_served_at_some_mounts_only(endpoint: Endpoint, mount: str) -> None:
    found = ROUTER.find(endpoint.method, mount + endpoint.path.replace("{", "").replace("}", "") + "/")
    assert (found is not None and found[0].endpoint is endpoint) is (mount in (endpoint.mounts or TEXTBOOST.mounts))


def test_a_get_that_does_something_has_no_head() -> None:
    assert "HEAD" not in ROUTER.methods("/api/http/sms/send")
    assert ROUTER.find("HEAD", "/api/http/sms/send") is None
    found = ROUTER.find("HEAD", "/api/http/sms")
    assert found is not None
    assert found[0].mount == "/api/http"


def test_words_are_those_of_the_whole_path() -> None:
    asked: list[str] = []

    def wording(path: str) -> Wording:
        asked.append(path)
        return BULKVS.wording(path)

    Router([replace(BULKVS, endpoints=BULKVS.endpoints[:1], wording=wording)])
    assert asked == ["/api/v1.0/messageSend", "/messageSend"]
