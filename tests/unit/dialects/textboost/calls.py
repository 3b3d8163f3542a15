"""Calling the dialect in a small world, as its callers do."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.unit.dialects.world import KEY, Caller, World

ROOTS = ("/api/v3", "/api/http")


class Said(NamedTuple):
    """An answer: HTTP status, and the members of its body."""

    http: int
    status: str
    message: str | None
    data: Any = None


def call(
    world: World,
    method: str,
    path: str,
    body: object = None,
    *,
    root: str = ROOTS[0],
    headers: Mapping[str, str] | None = None,
    key: str | None = KEY,
) -> Said:
    """One request below a root; bodies that are no octets are sent as JSON."""
    written = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    reply = asyncio.run(Caller(world)(method, root + path, written, headers=headers, key=key))
    assert reply.headers["content-type"] == "application/json"
    said = json.loads(reply.body)
    assert set(said) == ({"status", "message", "data"} if said["status"] == "success" else {"status", "message"})
    return Said(reply.status, said["status"], said["message"], said.get("data"))


def send(world: World, recipient: object, message: object = "Hello", **more: object) -> Said:
    """A sending call."""
    return call(world, "POST", "/sms/send", {"recipient": recipient, "message": message, "sender_id": "Shop", **more})


def group_in(world: World, name: str = "Friends") -> str:
    """The uid of a new group."""
    uid: str = call(world, "POST", "/contacts", {"name": name}).data["uid"]
    return uid


def contact_in(world: World, group: str, phone: object = "8801721970168", **more: object) -> str:
    """The uid of a new contact."""
    uid: str = call(world, "POST", f"/contacts/{group}/store", {"phone": phone, **more}).data["uid"]
    return uid


STRICT = {"textboost": {"errors": "strict"}}
"""Settings of an account that wants errors to be errors in HTTP too."""
