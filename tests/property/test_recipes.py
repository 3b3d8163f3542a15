"""Nothing that a carrier may say is an error of ours, and nothing that stands in a recipe is but a BadCarrier."""

import json
import tomllib
from contextlib import suppress
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.carriers import http
from heliograph.carriers.http.answers import outcome_of
from heliograph.carriers.http.calls import arrived_in, read, receipt_in
from heliograph.carriers.http.lookups import Said, items_in
from heliograph.carriers.http.recipe_file import recipe_from, recipe_named, shipped
from heliograph.carriers.settings import BadCarrier
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, Submitted
from heliograph.pipeline.ports import Incoming
from tests.unit.carriers.http.stories import parcel

RECIPES = [recipe_named(name) for name in shipped()]
PARCEL = parcel()
VALUES = {"numbers": ("27820000001",)}
WORDS = st.sampled_from(
    ["Type", "Events", "Id", "Status", "Number", "Message", "MessageStatusUpdate", "MessageReply", "From", "To", "data",
     "DeliveryReceipt", "RefId", "MediaURLs", "messages", "0", "accepted", "apiMessageId", "Results", "status", "uid",
     "success", "SUCCESS", "id", "state", "level", "message_status", "coding", "content", "binary", "text", "Delivered",
     "id:1 stat:DELIVRD err:0", "27820000001", "2", "8", "%", "+", "\0", "\ud800", "1" * 500]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=20,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Octets of all kinds."""
    if draw(st.booleans()):
        written = json.dumps(draw(JSON), ensure_ascii=draw(st.booleans()))
        return written.encode("utf-8", "surrogatepass")
    if draw(st.booleans()):
        fields = draw(st.dictionaries(WORDS, WORDS | st.binary(max_size=10), max_size=8))
        return urlencode(fields, errors="replace").encode()
    return draw(st.binary(max_size=200))


def well_formed(incoming: Incoming) -> bool:
    """Whether it can be stored by both engines."""
    texts = (incoming.sender, incoming.recipient, incoming.text)
    return all("\0" not in text and text.encode() is not None for text in texts) and incoming.sender != ""


@settings(max_examples=150)
@given(st.sampled_from(RECIPES), bodies(), st.integers(100, 599), st.text(max_size=10))
def test_every_answer_is_an_outcome(recipe: Any, body: bytes, status: int, retry_after: str) -> None:
    for sending in recipe.sending.values():
        outcome = outcome_of(PARCEL, sending, Said(body, status=status, own="7"), retry_after=retry_after)
        match outcome:
            case Submitted(carrier_message_id=written):
                assert "\0" not in written.encode("utf-8", "replace").decode()
            case Refused(status=written) | Deferred(status=written) | Ambiguous(why=written):
                assert written.startswith(f"HTTP {status}")
                assert written.isprintable()


@settings(max_examples=150)
@given(
    st.sampled_from(RECIPES), bodies(), st.sampled_from(["", "/receipt", "/incoming", "/x"]),
    st.dictionaries(WORDS, WORDS, max_size=6).map(lambda fields: urlencode(fields, errors="replace"))
    | st.text(max_size=20),
)  # fmt: skip
def test_every_call_is_read(recipe: Any, body: bytes, path: str, query: str) -> None:
    found = read(Said(body, path=path, query=query, headers={"webhook-id": "w"}), recipe.readers, VALUES)
    assert found.status == 200
    for receipt in found.receipts:
        assert receipt.key
        assert "\0" not in receipt.key + receipt.error
    assert all(well_formed(each.incoming) for each in found.arrived)


@settings(max_examples=80)
@given(bodies())
def test_every_list_is_read(body: bytes) -> None:
    polling = recipe_named("textboost").polling
    assert polling is not None
    assert polling.incoming is not None
    said = Said(body, status=200)
    for item in [None, *items_in(said, polling.each)]:
        said.item = item
        receipt_in(said, polling.receipts, VALUES)
        arrived = arrived_in(said, polling.incoming, VALUES)
        assert arrived is None or well_formed(arrived.incoming)


SHIPPED = [
    tomllib.loads(resources.files(http).joinpath("recipes", f"{name}.toml").read_text("utf-8")) for name in shipped()
]
VALUE: Any = (
    st.none() | st.booleans() | st.integers(-2, 99_999) | st.text(max_size=12) | WORDS
    | st.sampled_from(["json:", "item:a", "form:", "text", "{text}", "{", "{media}", "POST", "query", "2xx", "*"])
    | st.lists(st.text(max_size=5), max_size=3) | st.dictionaries(WORDS, WORDS, max_size=3)
)  # fmt: skip


def _written(value: Any) -> str:
    """TOML of what JSON has, but null."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(name))} = {_written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return "true" if value is True else "false" if value is False else json.dumps(value)


@settings(max_examples=200)
@given(st.sampled_from(SHIPPED), st.data())
def test_a_changed_recipe_is_good_or_its_mistake_is_told(keys: Any, data: st.DataObject) -> None:
    changed = json.loads(json.dumps(keys))
    place: Any = changed
    while True:
        names = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not names:
            break
        name = data.draw(st.sampled_from(names))
        if isinstance(place[name], dict | list) and data.draw(st.booleans()):
            place = place[name]
            continue
        place[name] = data.draw(VALUE)
        break
    text = "\n".join(f"{name} = {_written(value)}" for name, value in changed.items())
    with suppress(BadCarrier):
        recipe_from("own.toml", text.encode("utf-8", "surrogatepass"))
