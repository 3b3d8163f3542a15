"""Every line takes one way, and canaries planted anywhere on it do not come out."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from heliograph.ops import logs

NUMBER = "+27831234567"
SECRET = "canary-5ecret"
API_KEY = "49|AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd"
CANARIES = (NUMBER, NUMBER[1:], SECRET, API_KEY, API_KEY.split("|")[1])


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, showing = root.handlers[:], root.level, warnings.showwarning
    yield
    structlog.reset_defaults()
    logging.captureWarnings(False)
    warnings.showwarning = showing
    root.handlers[:] = handlers
    root.setLevel(level)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def speak() -> None:
    """Say all canaries in every way there is."""
    log = structlog.get_logger("heliograph.carriers").bind(carrier="north", password=SECRET)
    log.info("bound", url=f"smpp://me:{SECRET}@10.0.0.1:2775", recipient=NUMBER, text=SECRET)
    log.warning("to %s with %s", NUMBER, API_KEY)
    plain = logging.getLogger("heliograph.pipeline.notify")
    plain.warning("told %s at %s", NUMBER, f"https://u:{SECRET}@shop.example/", extra={"body": SECRET, "to": [NUMBER]})
    plain.error("refused", extra={"headers": {"Authorization": f"Bearer {SECRET}"}, "payload": SECRET.encode()})
    try:
        raise ValueError(f"no route for {NUMBER}, text='{SECRET}'")
    except ValueError:
        plain.exception("failed for %s", API_KEY)
        log.exception("failed", why=ValueError(f"api_key={SECRET}"))
    logging.getLogger("uvicorn.error").warning('"GET /x?api_token=%s&to=%s"', SECRET, NUMBER)
    logging.getLogger("aiohttp.client").warning("Authorization: Basic %s", SECRET)
    warnings.warn(f"odd number {NUMBER}", stacklevel=1)


def lines_of(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


@pytest.mark.filterwarnings("always:odd number")
@pytest.mark.parametrize("as_json", [True, False])
def test_no_canary_comes_out(as_json: bool) -> None:
    out = io.StringIO()
    logs.configure("debug", as_json=as_json, stream=out)
    speak()
    written = out.getvalue()
    assert [canary for canary in CANARIES if canary in written] == []
    for said in ("bound", "refused", "no route for ***4567", "smpp://me:***@10.0.0.1:2775", "49|***", "odd number"):
        assert said in written
    assert written.count("Traceback") == 2


def test_a_line_for_machines() -> None:
    out = io.StringIO()
    logs.configure("info", stream=out)
    structlog.get_logger("heliograph.x").warning("session down", carrier="north", retry_in_s=1.5)
    logging.getLogger("heliograph.y").warning("grüezi %d", 7, extra={"message_id": 114_000_000_123_456})
    first, second = lines_of(out)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "session down",
        "level": "warning",
        "logger": "heliograph.x",
        "carrier": "north",
        "retry_in_s": 1.5,
    }
    assert (second["event"], second["logger"], second["message_id"]) == (
        "grüezi 7",
        "heliograph.y",
        114_000_000_123_456,
    )


def test_a_line_for_people() -> None:
    out = Terminal()
    logs.configure("info", stream=out)
    structlog.get_logger("heliograph.x").warning("session down", carrier="north")
    assert len(out.getvalue().splitlines()) == 1
    assert "session down" in out.getvalue()
    with pytest.raises(json.JSONDecodeError):
        lines_of(out)


@pytest.mark.parametrize("as_json", [True, False])
def test_a_line_of_uvicorn_is_said_once_and_without_colours(as_json: bool) -> None:
    out = io.StringIO()
    logs.configure("info", as_json=as_json, stream=out)
    extra = {"color_message": "Started \x1b[36m%d\x1b[0m"}
    logging.getLogger("uvicorn.error").info("Started %d", 7, extra=extra)
    assert out.getvalue().count("Started") == 1
    assert "color_message" not in out.getvalue()
    assert "[36m" not in out.getvalue()


def test_lines_below_the_level_are_not_written() -> None:
    out = io.StringIO()
    logs.configure("warning", stream=out)
    structlog.get_logger("heliograph.x").info("quiet")
    logging.getLogger("heliograph.y").info("quiet")
    structlog.get_logger("heliograph.x").warning("loud")
    assert [line["event"] for line in lines_of(out)] == ["loud"]


def test_configured_twice_writes_once() -> None:
    out = io.StringIO()
    logs.configure("info", stream=io.StringIO())
    logs.configure("info", stream=out)
    logging.getLogger("uvicorn.error").warning("hello")
    assert len(lines_of(out)) == 1
