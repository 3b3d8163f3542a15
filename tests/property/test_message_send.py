"""Whatever a caller of the BulkVS dialect sends, the answer is one of its own, and a refusal leaves nothing behind."""

import asyncio
import json
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.ledger import Balance
from heliograph.core.money import CREDIT
from tests.unit.dialects.world import OWN_NUMBER, Caller, Reply, World, basic, world_with

GRANTED = Balance(100 * CREDIT)
ANSWERS = {200, 400, 401, 403, 404, 413, 422}

numbers = (
    st.sampled_from(["13105551212", "3105551212", "+13105551213", 13105551214, OWN_NUMBER, "call me", ""])
    | st.text(max_size=20)
    | st.integers()
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
members = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("From", "from"), st.sampled_from([OWN_NUMBER, 13109060901]) | numbers | anything),
        **dict.fromkeys(("To", "to"), numbers | st.lists(numbers, max_size=5) | anything),
        **dict.fromkeys(("Message", "text"), st.text(max_size=200) | anything),
        **dict.fromkeys(
            ("MediaURLs", "MediaUrls", "MediaUrl", "media_urls"),
            st.lists(st.text(max_size=20), max_size=3) | st.text(max_size=20) | anything,
        ),
        "Extra": anything,
    },
)
bodies = members.map(lambda body: json.dumps(body).encode()) | anything.map(lambda body: json.dumps(body).encode())
damaged = st.tuples(bodies, st.integers(0, 60), st.binary(max_size=4)).map(
    lambda given: given[0][: given[1]] + given[2] + given[0][given[1] :]
)
values = st.sampled_from([basic(), basic().replace("Basic", "Bearer"), basic("other")]) | st.text(
    st.characters(max_codepoint=255), max_size=40
)
headers = st.fixed_dictionaries(
    {"authorization": st.just(basic()) | values},
    optional={"idempotency-key": st.text(st.characters(max_codepoint=255), max_size=300), "content-type": values},
)
targets = st.sampled_from(["/api/v1.0/messageSend", "/messagesend", "/messageSend?pbx=3cx", "/messageSend?pbx=%ff&&="])


def post(world: World, target: str, body: bytes, given_headers: Mapping[str, str]) -> Reply:
    return asyncio.run(Caller(world)("POST", target, body, headers=given_headers, key=None))


@given(target=targets, body=bodies | damaged | st.binary(max_size=200), given_headers=headers)
def test_every_call_gets_an_answer_of_the_dialect(target: str, body: bytes, given_headers: dict[str, str]) -> None:
    world = world_with()
    reply = post(world, target, body, given_headers)
    assert reply.status in ANSWERS
    assert "error-id" not in reply.headers
    said = json.loads(reply.body)
    if reply.status == 200:
        assert {result["Status"] for result in said["Results"]} <= {"SUCCESS", "FAILED"}
        assert len(world.stored) == len({each["To"] for each in said["Results"] if each["Status"] == "SUCCESS"})
        assert world.stored
    else:
        assert said["Code"] == str(reply.status)
        assert said["Description"] == said["Message"]
        assert (world.stored, world.funds) == ({}, GRANTED)


@given(
    to=st.lists(numbers, min_size=1, max_size=8),
    text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=300),
)
def test_each_requested_number_has_its_result_in_its_place(to: list[str | int], text: str) -> None:
    world = world_with(credits=10_000)
    body = json.dumps({"From": OWN_NUMBER, "To": to, "Message": text}).encode()
    reply = post(world, "/messageSend", body, {"authorization": basic()})
    if reply.status == 200:
        results = json.loads(reply.body)["Results"]
        assert len(results) == len(to)
        good = [f"+{result['To']}" for result in results if result["Status"] == "SUCCESS"]
        assert set(good) == {message.recipient for message in world.stored.values()}
    else:
        assert (reply.status, world.stored) == (400, {})
