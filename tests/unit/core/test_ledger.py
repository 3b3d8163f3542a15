import pytest

from heliograph.core.ledger import Balance, PostingKind, movements, post
from heliograph.core.states import Charge

GRANT, HOLD, CAPTURE, RELEASE = PostingKind
HELD, CAPTURED, RELEASED = Charge


def test_stored_numbers_never_change() -> None:
    assert {kind.name: int(kind) for kind in PostingKind} == {"GRANT": 1, "HOLD": 2, "CAPTURE": 3, "RELEASE": 4}


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (GRANT, Balance(available=107, held=20, captured=3)),
        (HOLD, Balance(available=93, held=27, captured=3)),
        (CAPTURE, Balance(available=100, held=13, captured=10)),
        (RELEASE, Balance(available=107, held=13, captured=3)),
    ],
)
def test_each_posting_moves_its_amount(kind: PostingKind, after: Balance) -> None:
    assert post(Balance(available=100, held=20, captured=3), kind, 7) == after


def test_a_balance_starts_empty() -> None:
    assert Balance() == (0, 0, 0)


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        (HELD, CAPTURED, (CAPTURE,)),
        (HELD, RELEASED, (RELEASE,)),
        (RELEASED, CAPTURED, (HOLD, CAPTURE)),
        (HELD, HELD, ()),
        (CAPTURED, CAPTURED, ()),
        (RELEASED, RELEASED, ()),
    ],
)
def test_postings_that_follow_a_charge(old: Charge, new: Charge, kinds: tuple[PostingKind, ...]) -> None:
    assert movements(old, new) == kinds


@pytest.mark.parametrize(("old", "new"), [(CAPTURED, RELEASED), (CAPTURED, HELD), (RELEASED, HELD)])
def test_a_captured_price_is_never_given_back_and_a_released_one_never_just_held(old: Charge, new: Charge) -> None:
    with pytest.raises(KeyError):
        movements(old, new)


def test_a_price_released_in_doubt_and_captured_late_costs_once() -> None:
    balance = post(post(Balance(), GRANT, 10), HOLD, 4)
    for old, new in ((HELD, RELEASED), (RELEASED, CAPTURED)):
        for kind in movements(old, new):
            balance = post(balance, kind, 4)
    assert balance == Balance(available=6, held=0, captured=4)
