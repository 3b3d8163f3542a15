import asyncio
import json

import pytest

from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.textboost.errors import WORDS, wording
from heliograph.store.engine import StoreUnavailable
from tests.unit.dialects.textboost.calls import ROOTS, STRICT, call, group_in, send
from tests.unit.dialects.world import Caller, account_of, world_with

worded = wording("/api/v3/sms/send")
FAITHFUL = account_of()


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize(
    "account", [None, FAITHFUL, account_of(settings=STRICT)], ids=["unknown", "faithful", "strict"]
)
def test_every_reason_is_worded_in_one_form(reason: Reason, account: object) -> None:
    answer = worded(Refusal(reason, 9), account)  # type: ignore[arg-type]  # an account or none
    is_strict = account not in (None, FAITHFUL)
    assert answer.status == WORDS[reason].statuses[is_strict]
    assert json.loads(answer.body) == {"status": "error", "message": WORDS[reason].text}
    assert WORDS[reason].text


@pytest.mark.parametrize(
    ("reason", "faithful", "strict"),
    [
        (Reason.UNAUTHORISED, 200, 401),
        (Reason.NOT_FOUND, 200, 404),
        (Reason.METHOD_NOT_ALLOWED, 200, 405),
        (Reason.NO_RECIPIENT, 200, 422),
        (Reason.RATE_LIMITED, 200, 429),
        (Reason.BAD_MEDIA, 404, 422),
        (Reason.INVALID_RECIPIENT, 403, 422),
        (Reason.NO_FUNDS, 403, 403),
        (Reason.NO_ROUTE, 403, 403),
        (Reason.KEY_IN_USE, 409, 409),
        (Reason.BODY_TOO_LARGE, 413, 413),
        (Reason.KEY_REUSED, 422, 422),
        (Reason.STORE_UNAVAILABLE, 503, 503),
    ],
)
def test_statuses_of_both_profiles(reason: Reason, faithful: int, strict: int) -> None:
    assert WORDS[reason].statuses == (faithful, strict)


def test_strict_means_errors_of_http() -> None:
    world = world_with(account_of(settings=STRICT, sender="Shop"))
    group = group_in(world)
    assert call(world, "POST", f"/contacts/{group}").http == 405
    assert call(world, "POST", "/contacts", {}).http == 422
    assert call(world, "GET", "/contacts/0123456789abc/show").http == 404
    assert send(world, "12").http == 422
    assert send(world, "31612345678", type="fax").http == 422


def test_where_nobody_knows_who_asks_the_answer_is_the_faithful_one() -> None:
    world = world_with(account_of(settings=STRICT))
    assert call(world, "GET", "/me", key="1|x").http == 200
    nowhere = call(world, "GET", "/nowhere")
    assert (nowhere.http, nowhere.message) == (200, "Sorry, but the page you were trying to view does not exist.")
    wrong = call(world, "DELETE", "/me")
    assert (wrong.http, wrong.message) == (200, "The method is not supported for this route.")


@pytest.mark.parametrize("root", ROOTS)
def test_answers_tell_what_is_left_of_the_limit(root: str) -> None:
    caller = Caller(world_with(account_of(rate_limit=2)))

    async def story() -> list[dict[str, str]]:
        replies = [await caller("GET", f"{root}/me") for _ in range(3)]
        return [{name: value for name, value in reply.headers.items() if "-length" not in name} for reply in replies]

    kind, (first, second, third) = {"content-type": "application/json"}, asyncio.run(story())
    reset = str(caller.world.clock.now_ms() // 1000 + 30)
    assert first == {**kind, "x-ratelimit-limit": "2", "x-ratelimit-remaining": "1"}
    assert second == {**kind, "x-ratelimit-limit": "2", "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    assert third == {**second, "retry-after": "30"}


@pytest.mark.parametrize(("settings", "http"), [({}, 200), (STRICT, 429)])
def test_too_many_requests(settings: dict[str, dict[str, object]], http: int) -> None:
    caller = Caller(world_with(account_of(rate_limit=1, settings=settings)))

    async def story() -> tuple[int, bytes]:
        await caller("GET", "/api/v3/me")
        reply = await caller("GET", "/api/v3/me")
        return reply.status, reply.body

    assert asyncio.run(story()) == (http, b'{"status":"error","message":"Too Many Attempts."}')


def test_trouble_of_ours_is_an_error_of_http_in_every_profile() -> None:
    world = world_with()
    world.failing = StoreUnavailable("no disk")
    assert send(world, "31612345678") == (503, "error", "Something went wrong. Please try again", None)
    world.failing = None
    world.refusing = Refusal(Reason.OVERLOADED, 5)
    assert send(world, "31612345678").http == 503


def test_an_answer_without_a_limit_tells_none() -> None:
    reply = asyncio.run(Caller(world_with())("GET", "/api/v3/me"))
    assert set(reply.headers) == {"content-type", "content-length"}
