import json

import pytest

from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.bulkvs.errors import STATUSES, wording
from heliograph.store.engine import StoreUnavailable
from tests.unit.dialects.bulkvs.calls import call, failure, read, send
from tests.unit.dialects.world import account_of, world_with

worded = wording("/messageSend")


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_worded_in_one_form(reason: Reason) -> None:
    answer = worded(Refusal(reason, 9), None)
    said = json.loads(answer.body)
    assert answer.status == STATUSES[reason]
    assert said == failure(answer.status, said["Description"])
    assert said["Description"]


@pytest.mark.parametrize(
    ("status", "reasons"),
    [
        (401, "UNAUTHORISED"),
        (403, "NO_FUNDS CHANNEL_NOT_ENABLED SUSPENDED NO_ROUTE"),
        (404, "SENDER_NOT_OWNED SENDER_NOT_ALLOWED NUMBER_NOT_ENABLED NO_CAMPAIGN NOT_FOUND"),
        (405, "METHOD_NOT_ALLOWED"),
        (409, "KEY_IN_USE"),
        (412, "NOT_AGREED"),
        (413, "BODY_TOO_LARGE"),
        (422, "KEY_REUSED"),
        (429, "RATE_LIMITED"),
        (503, "OVERLOADED STORE_UNAVAILABLE INTERNAL"),
    ],
)
def test_statuses_are_the_vendor_s(status: int, reasons: str) -> None:
    assert {reason.name for reason in Reason if STATUSES[reason] == status} == set(reasons.split())


@pytest.mark.parametrize("reason", [Reason.RATE_LIMITED, Reason.OVERLOADED])
def test_the_header_says_the_same_seconds_and_never_none(reason: Reason) -> None:
    assert worded(Refusal(reason, 9), None).headers == ((b"retry-after", b"9"),)
    assert json.loads(worded(Refusal(reason, 9), None).body)["Message"].endswith(" Try again in 9 seconds.")
    assert worded(Refusal(reason), None).headers == ((b"retry-after", b"1"),)


def test_a_path_or_method_that_is_not_there_is_said_in_the_same_form() -> None:
    world = world_with()
    nowhere = call(world, "GET", "/api/v1.0/accountDetail")
    assert (nowhere.status, read(nowhere)) == (404, failure(404, Reason.NOT_FOUND.sentence))
    wrong = call(world, "GET", "/messageSend")
    assert (wrong.status, wrong.headers["allow"]) == (405, "OPTIONS, POST")
    assert read(wrong) == failure(405, Reason.METHOD_NOT_ALLOWED.sentence)


def test_trouble_of_ours_asks_for_another_try() -> None:
    world = world_with()
    world.failing = StoreUnavailable("no disk")
    assert send(world, "13105551212").status == 503
    world.failing = None
    world.refusing = Refusal(Reason.OVERLOADED, 5)
    assert send(world, "13105551212").headers["retry-after"] == "5"
    world.account = account_of(rate_limit=1)
    world.refusing = None
    caller_limited = send(world, "13105551212")
    assert caller_limited.status == 200
