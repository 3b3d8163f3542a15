import asyncio
import json

from openapi_spec_validator import validate

from heliograph.dialects.openapi import document
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO
from tests.unit.dialects.world import Caller, world_with


def test_the_document_is_valid_openapi() -> None:
    made = document([TOUCHBASEPRO], version="1.2.3")
    assert made["openapi"] == "3.1.0"
    validate(made)


def test_the_document_is_served_to_everybody_and_holds_every_endpoint() -> None:
    reply = asyncio.run(Caller(world_with(), version="1.2.3")("GET", "/openapi.json", key=None))
    served = json.loads(reply.body)
    assert reply.status == 200
    assert served["info"]["version"] == "1.2.3"
    assert served["servers"] == [{"url": "https://sms.example"}]
    described = {(method.upper(), path) for path, item in served["paths"].items() for method in item}
    assert described == {(endpoint.method, endpoint.path) for endpoint in TOUCHBASEPRO.endpoints}
    assert set(served["webhooks"]) == {"messageStatusUpdate", "messageReply"}


def test_schemas_have_the_vendor_s_names() -> None:
    schemas = document([TOUCHBASEPRO], version="1")["components"]["schemas"]
    assert list(schemas["WebhookRecord"]["properties"]) == [
        "Id",
        "IsActive",
        "Url",
        "WebhookType",
        "DateCreated",
        "Note",
    ]
    assert schemas["SendRequest"]["required"] == ["text", "to"]
    assert schemas["SendRequest"]["properties"]["to"]["maxItems"] == 10_000
