from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel
from heliograph.core.routing import Route, RoutingTable, table_of

A, B, C = CarrierId(1), CarrierId(2), CarrierId(3)
SMS, MMS, VOICE = Channel
JOBURG, LONDON = "+27831234567", "+447911123456"
TEXTS = frozenset({SMS})


def table(*routes: Route) -> RoutingTable:
    return table_of(list(routes), dict.fromkeys((A, B, C), TEXTS))


def test_the_longest_prefix_wins_over_priority_and_cost() -> None:
    routes = table(Route(A, SMS, "27", priority=0, cost=0), Route(B, SMS, "2783", priority=9, cost=9), Route(C, SMS))
    assert routes.plan(SMS, JOBURG) == (B,)
    assert routes.plan(SMS, "+27111234567") == (A,)
    assert routes.plan(SMS, LONDON) == (C,)


def test_of_one_prefix_priority_comes_first_then_cost_then_age() -> None:
    assert table(
        Route(A, SMS, "27", priority=1, cost=1), Route(B, SMS, "27", priority=0, cost=9), Route(C, SMS, "27", cost=5)
    ).plan(SMS, JOBURG) == (C, B, A)
    assert table(Route(B, SMS, "27"), Route(A, SMS, "27")).plan(SMS, JOBURG) == (A, B)


def test_no_route_is_no_plan() -> None:
    assert table(Route(A, SMS, "27")).plan(SMS, LONDON) == ()
    assert table().plan(SMS, JOBURG) == ()
    assert table_of([], {}).plan(SMS, JOBURG) == ()


def test_a_channel_is_carried_when_there_is_a_number_it_reaches() -> None:
    assert [table(Route(A, SMS, "27")).carries(channel) for channel in Channel] == [True, False, False]
    assert table_of([], {A: frozenset({MMS})}).carries(MMS)
    assert not table_of([Route(A, SMS)], {}).carries(SMS)


def test_a_carrier_named_twice_for_a_prefix_is_tried_once_at_its_better_place() -> None:
    routes = table(Route(A, SMS, "27", priority=5), Route(B, SMS, "27", priority=3), Route(A, SMS, "27", priority=1))
    assert routes.plan(SMS, JOBURG) == (A, B)


def test_the_only_carrier_of_a_channel_needs_no_route() -> None:
    routes = table_of([], {A: TEXTS, B: frozenset({MMS})})
    assert routes.plan(SMS, JOBURG) == (A,)
    assert routes.plan(MMS, JOBURG) == (B,)
    assert routes.plan(VOICE, JOBURG) == ()


def test_of_two_carriers_neither_is_the_default() -> None:
    assert table_of([], {A: TEXTS, B: TEXTS}).plan(SMS, JOBURG) == ()


def test_a_route_for_some_numbers_ends_the_default_for_the_others() -> None:
    routes = table_of([Route(A, SMS, "27")], {A: frozenset({SMS, MMS})})
    assert routes.plan(SMS, JOBURG) == (A,)
    assert routes.plan(SMS, LONDON) == ()
    assert routes.plan(MMS, LONDON) == (A,)


def test_a_carrier_out_of_use_is_left_out_and_does_not_make_the_other_a_default() -> None:
    routes = [Route(A, SMS, "27"), Route(B, SMS, "27", priority=1), Route(B, SMS)]
    assert table_of(routes, {B: TEXTS}).plan(SMS, JOBURG) == (B,)
    assert table_of(routes[:1], {B: TEXTS}).plan(SMS, JOBURG) == ()


def test_a_prefix_whose_carriers_are_all_out_of_use_leaves_its_numbers_to_the_shorter_one() -> None:
    assert table_of([Route(A, SMS, "2783"), Route(B, SMS, "27")], {B: TEXTS}).plan(SMS, JOBURG) == (B,)


def test_a_route_for_what_its_carrier_cannot_carry_is_no_route() -> None:
    assert table_of([Route(A, MMS)], {A: TEXTS}).plan(MMS, JOBURG) == ()


def test_a_prefix_may_be_the_whole_number_and_never_more() -> None:
    routes = table(Route(A, SMS, JOBURG[1:]), Route(B, SMS, f"{JOBURG[1:]}0"))
    assert routes.plan(SMS, JOBURG) == (A,)


def test_prefixes_of_every_length_are_found() -> None:
    digits = JOBURG[1:]
    for length in range(len(digits) + 1):
        assert table(Route(A, SMS, digits[:length]), Route(B, SMS, "4" * 12)).plan(SMS, JOBURG) == (A,)
