from dataclasses import replace

import pytest

from heliograph.carriers.sip.failures import CAUSES, STATUSES, TREATMENTS, Failure, failure_of, outcome_of
from heliograph.carriers.sip.profile import Profile
from heliograph.carriers.treatments import Defer, Refuse
from heliograph.core.outcomes import Deferred, Refused, SubmitOutcome
from heliograph.core.reasons import Reason
from heliograph.sip.events import Failed, Party
from heliograph.testing.feeds import parcels_for

PROFILE = Profile(host="trunk.example", port=5060, credentials=None, tries=4, retry_s=200)
(PARCEL,) = parcels_for(["+27831234567"])


def failed(status: int, cause: int | None = None, *, retry_after_s: int | None = None) -> Failed:
    return Failed(status, cause, retry_after_s, "Why", Party.REMOTE)


def outcome(status: int, cause: int | None = None, *, retry_after_s: int | None = None) -> SubmitOutcome:
    return outcome_of(PARCEL, failed(status, cause, retry_after_s=retry_after_s), PROFILE)


@pytest.mark.parametrize(
    ("status", "cause", "failure"),
    [
        (486, None, Failure.BUSY),
        (480, 17, Failure.BUSY),
        (600, None, Failure.BUSY),
        (480, None, Failure.NO_ANSWER),
        (408, None, Failure.NO_ANSWER),
        (480, 20, Failure.NO_ANSWER),
        (404, None, Failure.NO_SUCH_NUMBER),
        (503, 1, Failure.NO_SUCH_NUMBER),
        (603, None, Failure.DECLINED),
        (403, None, Failure.DECLINED),
        (407, None, Failure.CREDENTIALS),
        (488, None, Failure.CODEC),
        (500, None, Failure.NETWORK),
        (599, None, Failure.NETWORK),
        (503, None, Failure.CONGESTED),
        (480, 34, Failure.NETWORK),
        # A normal end and causes that nobody lists say nothing.
        (486, 16, Failure.BUSY),
        (486, 99, Failure.BUSY),
        (302, None, Failure.REFUSED),
        (420, None, Failure.REFUSED),
        (699, None, Failure.REFUSED),
    ],
)
def test_the_cause_beats_the_status(status: int, cause: int | None, failure: Failure) -> None:
    assert failure_of(failed(status, cause)) is failure


def test_who_hears_nothing_of_the_carrier_blames_no_callee() -> None:
    assert failure_of(Failed(408, None, None, "", Party.NETWORK)) is Failure.UNREACHABLE


def test_a_busy_callee_is_called_again_as_the_settings_say() -> None:
    assert outcome(486, 17) == Deferred(PARCEL, 200_000, True, "busy: 486 Why, cause 17", 4)


def test_a_callee_may_say_when_to_call_again() -> None:
    deferred = outcome(480, retry_after_s=900)
    assert isinstance(deferred, Deferred)
    assert (deferred.after_ms, deferred.pause_ms) == (900_000, 0)


def test_a_congested_carrier_is_left_alone_for_as_long_as_it_says_within_reason() -> None:
    for retry_after_s, pause_ms in ((7, 7_000), (7_200, 300_000)):
        deferred = outcome(503, retry_after_s=retry_after_s)
        assert isinstance(deferred, Deferred)
        assert deferred.pause_ms == pause_ms


def test_refused_credentials_are_not_the_message_s_fault() -> None:
    assert outcome(401) == Deferred(PARCEL, 60_000, False, "credentials refused: 401 Why", 4, 60_000)


def test_another_carrier_may_have_the_codec() -> None:
    deferred = outcome(488)
    assert isinstance(deferred, Deferred)
    assert deferred.tries == 1


@pytest.mark.parametrize("status", [403, 404, 603, 302])
def test_what_will_never_be_answered_is_refused(status: int) -> None:
    refused = outcome(status)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.CARRIER_REFUSED


def test_an_operator_knows_better_what_a_status_means_at_a_carrier() -> None:
    profile = replace(PROFILE, statuses={403: Defer(500, counts=False), 486: Refuse()})
    assert outcome_of(PARCEL, failed(403), profile) == Deferred(PARCEL, 500, False, "declined: 403 Why")
    assert isinstance(outcome_of(PARCEL, failed(486, 17), profile), Refused)
    assert isinstance(outcome_of(PARCEL, failed(480), profile), Deferred)


def test_every_failure_is_in_a_table() -> None:
    named = {*CAUSES.values(), *STATUSES.values()}
    assert set(Failure) - named == {Failure.UNREACHABLE, Failure.REFUSED}
    assert set(Failure) - set(TREATMENTS) == {Failure.NO_SUCH_NUMBER, Failure.DECLINED, Failure.REFUSED}
