"""Nothing is made and nothing is lost: granted = available + held + captured after every posting."""

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.ledger import Balance, PostingKind, movements, post
from heliograph.core.standing import Fact, Standing, apply
from heliograph.core.states import Charge, MessageState
from tests.unit.core.samples import FACTS, STANDING

AMOUNTS = st.integers(0, 10**15)
POSTINGS = st.lists(st.tuples(st.sampled_from(PostingKind), AMOUNTS), max_size=30)


@given(POSTINGS)
def test_only_a_grant_changes_the_sum(postings: list[tuple[PostingKind, int]]) -> None:
    balance, granted = Balance(), 0
    for kind, amount in postings:
        balance = post(balance, kind, amount)
        granted += amount if kind is PostingKind.GRANT else 0
        assert sum(balance) == granted


@given(POSTINGS, POSTINGS)
def test_the_order_of_postings_does_not_matter(
    first: list[tuple[PostingKind, int]], second: list[tuple[PostingKind, int]]
) -> None:
    one, other = Balance(), Balance()
    for kind, amount in first + second:
        one = post(one, kind, amount)
    for kind, amount in second + first:
        other = post(other, kind, amount)
    assert one == other


@st.composite
def traffic(draw: st.DrawFn) -> tuple[list[Standing], list[tuple[int, Fact | None]]]:
    """Messages of one account, and what happens to which of them; None is the mark."""
    prices = draw(st.lists(st.integers(0, 100), min_size=1, max_size=4))
    segments = draw(st.lists(st.integers(1, 3), min_size=len(prices), max_size=len(prices)))
    standings = [
        STANDING._replace(state=MessageState.QUEUED, price=price, segments=count)
        for price, count in zip(prices, segments, strict=True)
    ]
    return standings, draw(st.lists(st.tuples(st.integers(0, len(prices) - 1), FACTS | st.none()), max_size=40))


@given(traffic(), st.integers(0, 1000))
def test_the_balance_is_what_the_messages_say_whatever_becomes_of_them(
    happenings: tuple[list[Standing], list[tuple[int, Fact | None]]], spare: int
) -> None:
    standings, facts = list(happenings[0]), happenings[1]
    granted = sum(standing.price for standing in standings) + spare
    balance = post(Balance(), PostingKind.GRANT, granted)
    for standing in standings:
        balance = post(balance, PostingKind.HOLD, standing.price)

    for index, fact in facts:
        before = standings[index]
        if fact is not None:
            standings[index] = apply(before, fact)
        elif before.state is MessageState.QUEUED:
            standings[index] = before._replace(state=MessageState.SUBMITTING)
        for kind in movements(before.charge, standings[index].charge):
            balance = post(balance, kind, before.price)

        assert sum(balance) == granted
        assert balance.held == price_of(standings, Charge.HELD)
        assert balance.captured == price_of(standings, Charge.CAPTURED)
        assert balance.available >= 0


def price_of(standings: list[Standing], charge: Charge) -> int:
    return sum(standing.price for standing in standings if standing.charge is charge)


@given(st.lists(FACTS, max_size=15))
def test_a_batch_moves_the_same_money_as_its_facts_one_by_one(facts: list[Fact]) -> None:
    funded = post(post(Balance(), PostingKind.GRANT, STANDING.price), PostingKind.HOLD, STANDING.price)
    standing, one_by_one = STANDING, funded
    for fact in facts:
        before, standing = standing, apply(standing, fact)
        for kind in movements(before.charge, standing.charge):
            one_by_one = post(one_by_one, kind, before.price)
    at_once = funded
    for kind in movements(STANDING.charge, standing.charge):
        at_once = post(at_once, kind, STANDING.price)
    assert at_once == one_by_one
