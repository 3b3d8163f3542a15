import pytest

from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.core.pricing import Rate, card_of

OURS, OTHERS = AccountId(1), AccountId(2)
SMS, MMS, VOICE = Channel
JOBURG, LONDON = "+27831234567", "+447911123456"


@pytest.mark.parametrize(("channel", "price"), [(SMS, CREDIT), (MMS, 3 * CREDIT), (VOICE, 2 * CREDIT)])
def test_without_a_card_the_standard_prices_hold(channel: Channel, price: int) -> None:
    assert card_of([]).price(OURS, channel, JOBURG) == price


def test_the_longest_prefix_sets_the_price() -> None:
    card = card_of([Rate(None, SMS, prefix, price) for prefix, price in (("", 9), ("2783", 2), ("27", 5), ("44", 7))])
    assert [card.price(OURS, SMS, number) for number in (JOBURG, "+27111234567", LONDON, "+12025550123")] == [
        2,
        5,
        7,
        9,
    ]


def test_an_own_rate_beats_a_general_one_of_any_length() -> None:
    card = card_of([Rate(None, SMS, "2783", 5), Rate(OURS, SMS, "", 3)])
    assert card.price(OURS, SMS, JOBURG) == 3
    assert card.price(OTHERS, SMS, JOBURG) == 5


def test_where_no_own_rate_fits_the_general_one_does() -> None:
    card = card_of([Rate(None, SMS, "", 5), Rate(OURS, SMS, "44", 3)])
    assert card.price(OURS, SMS, JOBURG) == 5
    assert card.price(OURS, SMS, LONDON) == 3


def test_a_number_or_channel_that_no_rate_names_has_the_standard_price() -> None:
    card = card_of([Rate(None, SMS, "44", 5)])
    assert card.price(OURS, SMS, JOBURG) == CREDIT
    assert card.price(OURS, MMS, LONDON) == 3 * CREDIT


def test_a_price_of_nothing_is_a_price() -> None:
    assert card_of([Rate(OURS, SMS, "27", 0)]).price(OURS, SMS, JOBURG) == 0


def test_a_prefix_may_be_the_whole_number_and_never_more() -> None:
    card = card_of([Rate(None, SMS, JOBURG[1:], 1), Rate(None, SMS, f"{JOBURG[1:]}0", 2)])
    assert card.price(OURS, SMS, JOBURG) == 1


def test_prefixes_of_every_length_are_found() -> None:
    digits = JOBURG[1:]
    for length in range(len(digits) + 1):
        card = card_of([Rate(None, SMS, digits[:length], 4), Rate(None, SMS, "4" * 12, 9)])
        assert card.price(OURS, SMS, JOBURG) == 4
