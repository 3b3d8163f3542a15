from dataclasses import replace

import pytest

from heliograph.dialects.dialect import Endpoint
from heliograph.dialects.router import Router
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO

ROUTER = Router([TOUCHBASEPRO])


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
    assert ROUTER.dialect_of("/readyz") is None
