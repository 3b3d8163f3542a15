"""Whatever a caller sends to any endpoint, the answer is one of the product's forms, and never a fault of ours."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from heliograph.dialects.dialect import Endpoint
from heliograph.dialects.textboost.endpoints import ENDPOINTS
from tests.unit.dialects.textboost.calls import Said, call, contact_in, group_in
from tests.unit.dialects.world import account_of, world_with

# fmt: off
NAMES = (
    "recipient", "contact_list_id", "sender_id", "type", "message", "language", "gender", "media_url", "schedule_time",
    "dlt_template_id", "name", "phone", "first_name", "last_name", "custom_fields", "page", "_method", "api_token",
    "PHONE", "CITY", "uid", "group_id",
)
# fmt: on
TEXTS = ("plain", "voice", "mms", "en-gb", "male", "31612345678", "12,31612345678", "https://x.example/", "PATCH", "2")
FINITE = some.floats(allow_nan=False, allow_infinity=False)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | FINITE | some.text() | some.sampled_from(TEXTS),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = some.dictionaries(some.sampled_from(NAMES) | some.text(), VALUES, max_size=8)
UIDS = some.none() | some.text(some.characters(exclude_characters="/?"))
QUERIES = some.text(some.characters(codec="ascii", exclude_characters="#?"))


def asked(endpoint: Endpoint, body: bytes, *, query: str = "", uid: str | None = None) -> Said:
    """A call of an endpoint. uid: stands in its last place, instead of one that there is."""
    world = world_with(account_of(sender="Shop"))
    group = group_in(world)
    places = {"group_id": group, "uid": contact_in(world, group)}
    if uid is not None:
        places["uid" if "{uid}" in endpoint.path else "group_id"] = uid
    root = (endpoint.mounts or ("/api/v3",))[0]
    return call(world, endpoint.method, f"{endpoint.path.format(**places)}?{query}", body, root=root)


@given(some.sampled_from(ENDPOINTS), MEMBERS, UIDS)
def test_no_json_and_no_uid_is_a_fault_of_ours(endpoint: Endpoint, members: dict[str, Any], uid: str | None) -> None:
    assert asked(endpoint, json.dumps(members).encode(), uid=uid).http < 500


@given(some.sampled_from(ENDPOINTS), some.binary(), QUERIES)
def test_no_octets_are_a_fault_of_ours(endpoint: Endpoint, body: bytes, query: str) -> None:
    assert asked(endpoint, body, query=query).http < 500
