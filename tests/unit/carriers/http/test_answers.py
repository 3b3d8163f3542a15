"""What the answers of the carriers we have recipes for mean."""

import json
from typing import Any

import pytest

from heliograph.carriers.http.answers import outcome_of
from heliograph.carriers.http.lookups import Said
from heliograph.carriers.http.recipe_file import recipe_named
from heliograph.core.messages import Channel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from tests.unit.carriers.http.stories import parcel

PARCEL = parcel()


def read(recipe: str, status: int, body: object, retry_after: str = "") -> SubmitOutcome:
    octets = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    sending = recipe_named(recipe).sending[Channel.SMS]
    return outcome_of(PARCEL, sending, Said(octets, status=status, own="7"), retry_after=retry_after)


def tbp(accepted: bool, **more: Any) -> object:
    return {"messages": [{"apiMessageId": "ab" * 16, "accepted": accepted, **more}]}


def bvs(status: str, **more: str) -> object:
    return {"RefId": "0006777b-b600", "Results": [{"To": "2783", "Status": status, **more}]}


@pytest.mark.parametrize(
    ("recipe", "status", "body", "identifier"),
    [
        ("touchbasepro", 202, tbp(True), "ab" * 16),
        ("bulkvs", 200, bvs("SUCCESS"), "0006777b-b600"),
        ("textboost", 200, {"status": "success", "data": {"uid": "606812e63f78b"}}, "606812e63f78b"),
        ("kannel", 202, "0: Accepted for delivery", "7"),
        ("jasmin", 200, 'Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"', "07033084-5cfd-4812-90a4-e4d24ffb6e3d"),
    ],
)
def test_it_was_taken_and_named(recipe: str, status: int, body: object, identifier: str) -> None:
    assert read(recipe, status, body) == Submitted(PARCEL, identifier)


@pytest.mark.parametrize(
    ("recipe", "status", "body", "reason", "written"),
    [
        ("touchbasepro", 202, tbp(False, errorCode="25", errorDescription="no number"), Reason.INVALID_RECIPIENT,
         "HTTP 202: no number"),
        ("touchbasepro", 400, {"status": 400, "message": "not formatted"}, Reason.CARRIER_REFUSED,
         "HTTP 400: not formatted"),
        ("bulkvs", 200, bvs("FAILED", Description="opted out"), Reason.CARRIER_REFUSED, "HTTP 200: opted out"),
        ("bulkvs", 404, {"Status": "Failed", "Description": "not enabled"}, Reason.SENDER_NOT_ALLOWED,
         "HTTP 404: not enabled"),
        ("bulkvs", 409, {"Status": "Failed", "Description": "opted out"}, Reason.CARRIER_REFUSED,
         "HTTP 409: opted out"),
        ("textboost", 200, {"status": "error", "message": "spam"}, Reason.CARRIER_REFUSED, "HTTP 200: spam"),
        ("kannel", 400, "Empty receiver number not allowed", Reason.CARRIER_REFUSED,
         "HTTP 400: Empty receiver number not allowed"),
        ("jasmin", 400, 'Error "Mandatory argument [to] is not found."', Reason.CARRIER_REFUSED,
         'HTTP 400: Error "Mandatory argument [to] is not found."'),
        ("jasmin", 404, "a\n\x00b", Reason.CARRIER_REFUSED, "HTTP 404: a b"),
    ],
)  # fmt: skip
def test_it_was_refused_for_good(recipe: str, status: int, body: object, reason: Reason, written: str) -> None:
    assert read(recipe, status, body) == Refused(PARCEL, reason, written)


@pytest.mark.parametrize(
    ("recipe", "status", "body", "counts", "after_s"),
    [
        ("touchbasepro", 405, {"status": 405, "message": "no credits"}, True, 60),
        ("touchbasepro", 401, {"status": 401, "message": "API key is invalid."}, False, 30),
        ("touchbasepro", 429, {"status": 429, "message": "Rate limit"}, False, 1),
        ("bulkvs", 503, {"Status": "Failed"}, True, 30),
        ("textboost", 200, {"status": "error", "message": "Unauthenticated."}, False, 30),
        ("textboost", 200, {"status": "error", "message": "Too Many Attempts."}, False, 5),
        ("kannel", 403, "Authorization failed for sendsms", False, 30),
        ("kannel", 503, "Temporal failure, try again later.", True, 30),
        ("jasmin", 302, "", False, 30),
    ],
)
def test_it_may_be_taken_later(recipe: str, status: int, body: object, counts: bool, after_s: int) -> None:
    outcome = read(recipe, status, body)
    assert isinstance(outcome, Deferred)
    assert (outcome.counts, outcome.after_ms, outcome.pause_ms) == (
        counts, 1_000 * after_s, 0 if counts else 1_000 * after_s
    )  # fmt: skip


@pytest.mark.parametrize(
    ("recipe", "status", "body"),
    [
        ("touchbasepro", 202, "<html>"),
        ("touchbasepro", 409, {"status": 409, "message": "still running"}),
        ("bulkvs", 409, {"Description": "The first request with this idempotency key is still running."}),
        ("textboost", 200, ""),
        ("textboost", 500, {"status": "error", "message": "oh"}),
        ("kannel", 504, ""),
        ("jasmin", 500, 'Error "?"'),
    ],
)
def test_nobody_knows_whether_it_was_taken(recipe: str, status: int, body: object) -> None:
    assert isinstance(read(recipe, status, body), Ambiguous)


@pytest.mark.parametrize(
    ("written", "after_s"), [("7", 7), ("999999", 3_600), ("soon", 1), ("-5", 1), ("9" * 5_000, 1)]
)
def test_it_says_for_how_long_it_wants_to_be_left_alone(written: str, after_s: int) -> None:
    outcome = read("touchbasepro", 429, {}, written)
    assert isinstance(outcome, Deferred)
    assert outcome.pause_ms == 1_000 * after_s
