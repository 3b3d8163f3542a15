import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette

from heliograph.carriers.callbacks import MOST_OCTETS, Callbacks, routes
from heliograph.core.directory import Carrier, Snapshot
from heliograph.core.events import Audience
from heliograph.core.ids import CarrierId
from heliograph.core.links import callback_signature
from heliograph.core.pricing import RateCard
from heliograph.core.routing import table_of
from heliograph.pipeline.ports import CallAnswer, CarrierCall, Inbox

KEY = bytes(32)
NORTH = Carrier(carrier_id=CarrierId(1), name="north", url="calls://me@there", channels=frozenset())
SILENT = Carrier(carrier_id=CarrierId(2), name="silent", url="smpp://me@there", channels=frozenset())


class Reader:
    def __init__(self) -> None:
        self.calls: list[CarrierCall] = []

    async def called(self, call: CarrierCall) -> CallAnswer:
        self.calls.append(call)
        return CallAnswer(202, b"taken")


def no_inbox(_carrier_id: CarrierId) -> Inbox:
    class Nothing:
        def receive(self, receipts: object, stored: object) -> None: ...
        def take_in(self, incoming: object, stored: object) -> None: ...

    return Nothing()


def page_of(reader: Reader) -> Starlette:
    snapshot = Snapshot(
        revision=1,
        accounts={},
        carriers={1: NORTH, 2: SILENT},  # type: ignore[dict-item]
        webhooks={},
        routing=table_of([], {}),
        rates=RateCard({}, 0),
        audience=Audience({}),
    )
    found = Callbacks({"calls": lambda *_: reader}, snapshot=lambda: snapshot, inbox=no_inbox, key=KEY)
    return Starlette(routes=routes(found))


def call(
    app: Starlette, path: str, body: bytes = b"", *, method: str = "POST", query: bytes = b""
) -> tuple[int, bytes]:
    sent: list[Any] = []
    octets = [body[i : i + (1 << 20)] for i in range(0, len(body), 1 << 20)] or [b""]

    async def receive() -> dict[str, object]:
        piece = octets.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(octets)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(b"x-id", b"7")],
        "root_path": "",
    }
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def address(name: str) -> str:
    return f"/carriers/{name}/{callback_signature(name, key=KEY)}"


def test_a_call_at_its_own_address_is_read_whole() -> None:
    reader = Reader()
    app = page_of(reader)
    assert call(app, address("north") + "/receipts", b"body", query=b"id=%41") == (202, b"taken")
    assert reader.calls == [CarrierCall("POST", "/receipts", "id=%41", {"x-id": "7"}, b"body")]


@pytest.mark.parametrize(
    "path",
    [address("silent"), address("nobody"), "/carriers/north/guess", address("silent").replace("silent", "north")],
)
def test_whoever_does_not_know_the_address_finds_nothing(path: str) -> None:
    reader = Reader()
    assert call(page_of(reader), path)[0] == 404
    assert not reader.calls


def test_no_more_is_read_of_a_call_than_one_may_bring() -> None:
    reader = Reader()
    assert call(page_of(reader), address("north"), bytes(MOST_OCTETS + 1))[0] == 413
    assert not reader.calls
