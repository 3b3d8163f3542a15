"""What drivers that ask for news find again: how far they have read, and what has no end yet. And texts taken whole."""

import pytest

from heliograph.core.messages import WHOLE
from heliograph.core.receipts import Receipt
from heliograph.core.settling import OutcomeKind, ReceiptFact
from heliograph.core.standing import Doubted, Taken
from heliograph.core.states import MessageState
from heliograph.store import bookmarks, carriers
from heliograph.testing.stores import FreshStore
from tests.conformance.steps import Steps

S = MessageState


def _open(engine: FreshStore, most: int = 100) -> list[str]:
    return engine.reading(lambda connection: bookmarks.unreported(connection, engine.carrier_id, most=most))


def test_a_bookmark_is_kept_for_each_carrier_and_goes_with_it(engine: FreshStore) -> None:
    def found() -> str:
        return engine.reading(lambda connection: bookmarks.find(connection, engine.other_carrier_id))

    assert found() == ""
    for value in ("a", "b\nc"):
        engine.writing(
            lambda connection, value=value: bookmarks.keep(connection, engine.other_carrier_id, value=value)  # type: ignore[misc]
        )
        assert found() == value
    assert engine.reading(lambda connection: bookmarks.find(connection, engine.carrier_id)) == ""
    engine.writing(lambda connection: carriers.remove(connection, engine.other_carrier_id))
    assert found() == ""


def test_what_no_receipt_has_ended_is_named_as_the_carrier_named_it(engine: FreshStore, steps: Steps) -> None:
    first, second, third = (steps.leaving() for _ in range(3))
    steps.settle(*(steps.answer(message, f"k{message}") for message in (first, second, third)))
    steps.settle(steps.receipt(f"k{second}"), steps.receipt(f"k{third}", None), steps.receipt("stray"))
    assert _open(engine) == [f"id-k{first}", f"id-k{third}"]
    assert _open(engine, most=1) == [f"id-k{third}"]
    other = steps.leaving()
    steps.settle(steps.answer(other, "else", carrier_id=engine.other_carrier_id))
    assert len(_open(engine)) == 2


# Texts taken whole -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_early", [False, True], ids=["answer first", "receipt first"])
@pytest.mark.parametrize("end", [S.DELIVERED, S.UNDELIVERED])
def test_one_answer_and_one_receipt_are_about_all_of_a_long_text(
    engine: FreshStore, steps: Steps, end: S, is_early: bool
) -> None:
    message = steps.leaving(segments=3)
    answer = steps.answer(message, "k", WHOLE)._replace(fact=Taken(is_whole=True))
    receipt = steps.receipt("k", end)
    for fact in (receipt, answer) if is_early else (answer, receipt):
        steps.settle(fact)
    assert steps.standing(message)[2:6] == (end, 3, 3, 3 if end is S.DELIVERED else 0)
    assert engine.rows("select segment from receipt_map") == [(WHOLE,)]
    steps.settle(receipt)
    assert steps.state(message) is end


def test_one_receipt_ends_the_doubt_about_all_of_it(engine: FreshStore, steps: Steps) -> None:
    message = steps.leaving(segments=3)
    steps.settle(steps.outcome(message, Doubted(), WHOLE, kind=OutcomeKind.AMBIGUOUS))
    assert steps.state(message) is S.HELD
    stray = Receipt("stray", S.DELIVERED, ("27831234567", "27820000001"))
    steps.settle(ReceiptFact(engine.carrier_id, stray, steps.now_ms))
    assert steps.standing(message)[2:6] == (S.DELIVERED, 3, 3, 3)
