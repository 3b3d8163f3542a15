"""The three pages, asked as ASGI."""

import asyncio
import json
from typing import Any, cast

import pytest
from starlette.applications import Starlette

from heliograph.ops import health
from heliograph.ops.metrics import CONTENT_TYPE, Metrics


class Figures:
    def render(self) -> bytes:
        return b"heliograph_messages_waiting 3.0\n"


def ask(path: str, *, missing: list[str], method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        sent.append(dict(event))

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", "root_path": ""}
    pages = Starlette(routes=health.routes(lambda: missing, cast(Metrics, Figures())))
    asyncio.run(cast(Any, pages(scope, cast(Any, receive), send)))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:])


def test_alive_even_when_not_ready() -> None:
    status, headers, body = ask("/livez", missing=["store"])
    assert (status, json.loads(body), headers["cache-control"]) == (200, {"alive": True}, "no-store")


def test_ready() -> None:
    status, _, body = ask("/readyz", missing=[])
    assert (status, json.loads(body)) == (200, {"ready": True, "waits_for": []})


def test_not_ready_says_what_it_waits_for() -> None:
    status, headers, body = ask("/readyz", missing=["store", "recovery"])
    assert (status, json.loads(body)) == (503, {"ready": False, "waits_for": ["store", "recovery"]})
    assert headers["cache-control"] == "no-store"


def test_metrics_in_prometheus_format() -> None:
    status, headers, body = ask("/metrics", missing=["store"])
    assert (status, headers["content-type"]) == (200, CONTENT_TYPE)
    assert body == b"heliograph_messages_waiting 3.0\n"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_only_reading(path: str) -> None:
    assert ask(path, missing=[], method="POST")[0] == 405
    assert ask(path, missing=[], method="HEAD")[0] == 200
