"""Calling the dialect in a small world, as its callers do."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.unit.dialects.world import OWN_NUMBER, Caller, Reply, World, basic

FROM = OWN_NUMBER.removeprefix("+")


def call(
    world: World, method: str, target: str, body: object = None, *, headers: Mapping[str, str] | None = None
) -> Reply:
    """One request with the account's user and key; bodies that are no octets are sent as JSON."""
    written = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"authorization": basic(), **(headers or {})}
    return asyncio.run(Caller(world)(method, target, written, headers=given, key=None))


def send(world: World, to: object, message: object = "Hello", **more: object) -> Reply:
    """A sending call from the account's number."""
    return call(world, "POST", "/api/v1.0/messageSend", {"From": FROM, "To": to, "Message": message, **more})


def read(reply: Reply) -> Any:
    """The body."""
    return json.loads(reply.body)


def failure(status: int, text: str) -> dict[str, str]:
    """An error's body."""
    return {"Status": "Failed", "Code": str(status), "Description": text, "Message": text}
