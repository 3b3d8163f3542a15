import pytest

from heliograph.carriers.smpp.status import STATUSES, outcome_of, treatment_of
from heliograph.carriers.treatments import Defer, Refuse, overrides_from
from heliograph.core.outcomes import Deferred, Refused, Submitted
from heliograph.core.reasons import Reason
from heliograph.smpp.constants import CommandStatus
from heliograph.testing.feeds import parcels_for

(PARCEL,) = parcels_for(["+27831234567"])


def test_no_status_is_a_name() -> None:
    assert outcome_of(PARCEL, 0, "7f", overrides={}) == Submitted(PARCEL, "7f")


def test_a_refusal_is_for_ever_and_says_its_code() -> None:
    assert outcome_of(PARCEL, 0x0B, "", overrides={}) == Refused(PARCEL, Reason.CARRIER_REFUSED, "0x0b ESME_RINVDSTADR")


def test_throttling_is_not_the_fault_of_the_message_and_pauses_the_carrier() -> None:
    outcome = outcome_of(PARCEL, 0x58, "", overrides={})
    assert isinstance(outcome, Deferred)
    assert not outcome.counts
    assert outcome.pause_ms > 0


@pytest.mark.parametrize("status", [0x04, 0x05])
def test_a_fault_of_the_session_does_not_count_as_a_try(status: int) -> None:
    outcome = outcome_of(PARCEL, status, "", overrides={})
    assert isinstance(outcome, Deferred)
    assert not outcome.counts


@pytest.mark.parametrize("status", [0x08, 0x14, 0x45, 0x64, 0xFE, 0xFF, 0x102, 0x400, 0x4FF, 0xFFFFFFFF])
def test_what_may_pass_is_tried_again_a_few_times(status: int) -> None:
    outcome = outcome_of(PARCEL, status, "", overrides={})
    assert isinstance(outcome, Deferred)
    assert outcome.counts
    assert 3 <= outcome.tries <= 5
    assert outcome.pause_ms == 0


@pytest.mark.parametrize("status", sorted(set(CommandStatus) - set(STATUSES) - {CommandStatus.ESME_ROK}))
def test_every_other_known_code_is_a_refusal(status: CommandStatus) -> None:
    assert treatment_of(status, {}) == Refuse()


def test_a_carriers_own_table_comes_first() -> None:
    overrides = overrides_from({"0x14": "refuse", "11": {"after_ms": 500, "counts": False, "tries": 2, "pause_ms": 9}})
    assert treatment_of(0x14, overrides) == Refuse()
    assert outcome_of(PARCEL, 11, "", overrides=overrides) == Deferred(PARCEL, 500, False, "0x0b ESME_RINVDSTADR", 2, 9)
    assert treatment_of(0x58, overrides) == STATUSES[CommandStatus.ESME_RTHROTTLED]
    assert overrides_from({"0x455": {"after_ms": 1}}) == {0x455: Defer(1)}
