import asyncio
import json

from openapi_spec_validator import validate

from heliograph.dialects.bulkvs.endpoints import BULKVS
from heliograph.dialects.openapi import document
from heliograph.dialects.textboost.endpoints import TEXTBOOST
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO
from tests.unit.dialects.world import Caller, world_with


def test_the_document_is_valid_openapi() -> None:
    made = document([TOUCHBASEPRO, BULKVS, TEXTBOOST], version="1.2.3")
    assert made["openapi"] == "3.1.0"
    validate(made)


def test_the_document_is_served_to_everybody_and_holds_every_endpoint() -> None:
    reply = asyncio.run(Caller(world_with(), version="1.2.3")("GET", "/openapi.json", key=None))
    served = json.loads(reply.body)
    assert reply.status == 200
    assert served["info"]["version"] == "1.2.3"
    assert served["servers"] == [{"url": "https://sms.example"}]
    described = {(method.upper(), path) for path, item in served["paths"].items() for method in item}
    assert described == {
        (endpoint.method, (endpoint.mounts or dialect.mounts)[0] + endpoint.path)
        for dialect in (TOUCHBASEPRO, BULKVS, TEXTBOOST)
        for endpoint in dialect.endpoints
    }
    assert set(served["webhooks"]) == {"messageStatusUpdate", "messageReply", "messageIn", "messageIn3cx"}


def test_schemas_have_the_vendor_s_names() -> None:
    schemas = document([TOUCHBASEPRO, BULKVS], version="1")["components"]["schemas"]
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


def test_names_with_blanks_are_described_as_they_are_sent() -> None:
    made = document([BULKVS], version="1")
    schemas = made["components"]["schemas"]
    assert "Last Modification" in schemas["WebHook"]["properties"]
    assert "Activation Date" in schemas["CampaignRecord"]["required"]
    assert made["paths"]["/api/v1.0/webHooks"]["delete"]["parameters"] == [
        {"name": "Webhook", "in": "query", "schema": {"type": "string"}}
    ]
