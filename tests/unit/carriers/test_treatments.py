import pytest

from heliograph.carriers.treatments import Defer, Refuse, outcome_from, overrides_from
from heliograph.core.outcomes import Deferred, Refused
from heliograph.core.reasons import Reason
from heliograph.testing.feeds import parcels_for

(PARCEL,) = parcels_for(["+27831234567"])


def test_a_treatment_becomes_the_outcome_it_describes() -> None:
    assert outcome_from(PARCEL, Refuse(), "why") == Refused(PARCEL, Reason.CARRIER_REFUSED, "why")
    assert outcome_from(PARCEL, Defer(5, False, 2, 9), "why") == Deferred(PARCEL, 5, False, "why", 2, 9)


@pytest.mark.parametrize(
    "written",
    [
        [],
        {"zero": "refuse"},
        {"0": "refuse"},
        {"0x14": "retry"},
        {"0x14": {}},
        {"0x14": {"after_ms": -1}},
        {"0x14": {"after_ms": True}},
        {"0x14": {"after_ms": 1, "counts": 1}},
        {"0x14": {"after_ms": 1, "wait": 1}},
    ],
)
def test_a_table_with_a_mistake_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"status"):
        overrides_from(written)
