from typing import Any

import pytest

from heliograph.core.broadcasts import BroadcastState
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.textboost.broadcasts import WORDS
from tests.unit.dialects.textboost.calls import ROOTS, call, contact_in, group_in
from tests.unit.dialects.world import World, world_with

UNKNOWN = (200, "error", "No query results.", None)


def begin(world: World, groups: object, **more: object) -> Any:
    body = {"contact_list_id": groups, "message": "Hi {first_name}", "sender_id": "Shop", **more}
    return call(world, "POST", "/sms/campaign", body)


@pytest.mark.parametrize("root", ROOTS)
def test_a_message_to_groups_is_begun_and_watched(root: str) -> None:
    world = world_with()
    group, other = group_in(world), group_in(world, "Other")
    contact_in(world, group)
    begun = begin(world, f"{group}, {other},{group}", name="Spring")
    assert (begun.http, begun.message) == (200, "Message is scheduled successfully.")
    ((number, broadcast),) = world.broadcasts.items()
    assert len(broadcast.groups) == 2
    world.broadcasts[number] = broadcast._replace(
        state=BroadcastState.PAUSED, accepted=3, refused=1, reason=Reason.NO_FUNDS
    )
    uid = begun.data["uid"]
    assert call(world, "GET", f"/campaign/{uid}/view", root=root) == (
        200,
        "success",
        None,
        {
            "id": uid,
            "uid": uid,
            "name": "Spring",
            "message": "Hi {first_name}",
            "status": "paused",
            "type": "plain",
            "created_at": "2026-11-18T11:06:40.000000Z",
            "start_at": None,
            "delivery_at": None,
            "reason": Reason.NO_FUNDS.sentence,
            "stats": {"contact_count": 4, "accepted_count": 3, "failed_count": 1},
        },
    )


def test_every_state_has_a_word() -> None:
    assert set(WORDS) == set(BroadcastState)


def test_a_broadcast_may_wait_for_its_time() -> None:
    world = world_with()
    group = group_in(world)
    contact_in(world, group)
    data = begin(world, [group], schedule_time="2026-12-20 07:00").data
    assert (data["status"], data["start_at"]) == ("scheduled", "2026-12-20T07:00:00.000000Z")


@pytest.mark.parametrize(
    ("groups", "more", "said"),
    [
        (None, {}, (200, "error", "The contact list id field is required.", None)),
        (" ,", {}, (200, "error", "The contact list id field is required.", None)),
        ({}, {}, (200, "error", "The contact list id must be a string.", None)),
        ("x", {}, UNKNOWN),
        ("0123456789abc", {}, UNKNOWN),
        ("GROUP", {}, (403, "error", Reason.EMPTY_GROUP.sentence, None)),
        ("GROUP,0123456789abc", {}, UNKNOWN),
        ("GROUP", {"message": ""}, (200, "error", "The message field is required.", None)),
        ("GROUP", {"sender_id": ""}, (403, "error", "Originator  is not authorized to send this message", None)),
        ("GROUP", {"name": "x" * 121}, (200, "error", "The name may not be greater than 120 characters.", None)),
    ],
)
def test_bad_broadcasts(groups: Any, more: dict[str, object], said: object) -> None:
    world = world_with()
    group = group_in(world)
    written = groups.replace("GROUP", group) if isinstance(groups, str) else groups
    assert begin(world, written, **more) == said
    assert not world.broadcasts


def test_more_groups_than_one_call_may_name_are_not_sent_to_in_piece() -> None:
    world = world_with()
    groups = [group_in(world, f"Group {number}") for number in range(101)]
    contact_in(world, groups[0])
    assert begin(world, groups).message == "The contact list id may not be greater than 100 groups."
    assert begin(world, groups[:100]).status == "success"


def test_refusals_are_those_of_sending() -> None:
    world = world_with()
    group = group_in(world)
    world.refusing = Refusal(Reason.SENDER_NOT_ALLOWED)
    assert begin(world, group).message == "Originator Shop is not authorized to send this message"


@pytest.mark.parametrize("uid", ["x", "0123456789abc"])
def test_an_unknown_broadcast(uid: str) -> None:
    assert call(world_with(), "GET", f"/campaign/{uid}/view") == UNKNOWN
