"""Ids, amounts, numbers and senders: what is written comes back, and rubbish is refused and never crashes."""

import itertools
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.ids import EPOCH_MS, NODES, IdSource, first_at, made_at_ms
from heliograph.core.money import CREDIT, amount_from_credits, credits_from_amount
from heliograph.core.numbers import SenderKind, msisdn_from, sender_from
from heliograph.core.receipts import fits, match_key
from heliograph.gsm import alphabet

# The 41 bits of milliseconds, less a second to borrow from.
TIMES = st.integers(EPOCH_MS, EPOCH_MS + (1 << 41) - 1000)
JUMPS = st.lists(st.tuples(st.integers(-5_000, 5_000), st.integers(0, 200)), max_size=12)
MSISDNS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


@given(st.integers(0, NODES - 1), TIMES, JUMPS)
def test_ids_rise_strictly_and_fit_53_bits_whatever_the_clock_does(
    node: int, start_ms: int, jumps: list[tuple[int, int]]
) -> None:
    source, made, latest_ms = IdSource(node), [], 0
    for jump_ms, count in jumps:
        now_ms = min(max(EPOCH_MS, start_ms + jump_ms), EPOCH_MS + (1 << 41) - 1000)
        latest_ms = max(latest_ms, now_ms)
        for identifier in [*source.take(count, now_ms), source.next(now_ms)]:
            assert first_at(now_ms) <= identifier < 1 << 53
            assert identifier >> 6 & 63 == node
            made.append(identifier)
    assert all(earlier < later for earlier, later in itertools.pairwise(made))
    # Nothing is dated further ahead than the ids that had to be borrowed.
    assert not made or made_at_ms(made[-1]) <= latest_ms + len(made) // 64 + 1


@given(st.integers(0, NODES - 1), st.integers(1, (1 << 53) - (1 << 20)), TIMES, st.integers(1, 100))
def test_a_source_starts_above_whatever_the_store_holds(node: int, last: int, now_ms: int, count: int) -> None:
    assert IdSource(node, last=last).take(count, now_ms)[0] > last
    assert IdSource(node, last=last).next(now_ms) > last


@given(TIMES)
def test_a_time_survives_its_bound(at_ms: int) -> None:
    assert made_at_ms(first_at(at_ms)) == at_ms
    assert made_at_ms(first_at(at_ms) - 1) == at_ms - 1


@given(st.integers(1 - 10**18, 10**18 - 1))
def test_amounts_survive_writing(amount: int) -> None:
    written = credits_from_amount(amount)
    assert amount_from_credits(written) == amount
    assert "." not in written or not written.endswith(("0", "."))


@given(st.decimals(min_value=1 - 10**12, max_value=10**12 - 1, places=6))
def test_six_decimals_are_read_exactly(credits: Decimal) -> None:
    assert amount_from_credits(f"{credits:f}") == Fraction(str(credits)) * CREDIT


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=12))
def test_more_than_six_decimals_are_never_rounded_away(credits: Decimal) -> None:
    written = f"{credits:f}"
    exact = Fraction(written) * CREDIT
    if exact.denominator == 1:
        assert amount_from_credits(written) == exact
    else:
        with pytest.raises(ValueError, match="six decimals"):
            amount_from_credits(written)


@given(MSISDNS)
def test_a_number_survives_its_spellings(msisdn: str) -> None:
    assert msisdn_from(msisdn) == msisdn_from(msisdn[1:]) == msisdn_from(int(msisdn)) == msisdn


@given(MSISDNS, st.lists(st.tuples(st.integers(1, 15), st.sampled_from(" -./()\t\u00a0")), max_size=6))
def test_separators_mean_nothing(msisdn: str, separators: list[tuple[int, str]]) -> None:
    written = msisdn
    for place, separator in separators:
        written = written[:place] + separator + written[place:]
    assert msisdn_from(written) == msisdn


@given(st.text() | st.text("+0123456789 -()", max_size=20) | st.integers(-(10**40), 10**40))
def test_whatever_is_written_is_a_number_in_one_form_or_none(written: str | int) -> None:
    msisdn = msisdn_from(written)
    if msisdn is not None:
        assert msisdn[0] == "+"
        assert 7 <= len(msisdn[1:]) <= 15
        assert set(msisdn[1:]) <= set("0123456789")
        assert msisdn[1] != "0"
        assert msisdn_from(msisdn) == msisdn


@given(st.text(max_size=14) | st.text("+0123456789", max_size=18) | MSISDNS)
def test_whatever_is_written_is_a_sender_that_an_address_can_hold_or_none(written: str) -> None:
    sender = sender_from(written)
    if sender is None:
        return
    assert "\x00" not in sender.address
    match sender.kind:
        case SenderKind.ALPHANUMERIC:
            assert 1 <= len(sender.address) <= 11
            assert 0 not in alphabet.encode(sender.address)
        case SenderKind.SHORT_CODE:
            assert 3 <= len(sender.address) <= 6
        case SenderKind.LONG_NUMBER:
            assert msisdn_from(sender.address) == f"+{sender.address}"
    if sender.kind is not SenderKind.ALPHANUMERIC:
        assert sender.address.isascii()
        assert sender.address.isdecimal()
    again = sender_from(sender.address)
    assert again == sender


@given(MSISDNS)
def test_every_number_may_be_a_sender(msisdn: str) -> None:
    sender = sender_from(msisdn)
    assert sender is not None
    assert sender.kind is SenderKind.LONG_NUMBER
    assert f"+{sender.address}" == msisdn


@given(st.integers(0, 1 << 256), st.integers(0, 4), st.booleans())
def test_an_id_matches_itself_in_every_spelling(number: int, zeros: int, capitals: bool) -> None:
    hexadecimal = "0" * zeros + (f"{number:X}" if capitals else f"{number:x}")
    assert match_key(hexadecimal, is_hex=True) == match_key("0" * zeros + str(number), is_hex=False) == str(number)
    assert match_key(hexadecimal, is_hex=False) == f"{number:x}"


@given(st.text())
def test_a_key_is_its_own_key(written: str) -> None:
    key = match_key(written, is_hex=False)
    assert match_key(key, is_hex=False) == key


@given(MSISDNS, st.integers(7, 15), st.booleans())
def test_a_receipt_that_ends_like_the_recipient_fits(msisdn: str, digits: int, is_first: bool) -> None:
    spelling = "0" + msisdn[-min(digits, len(msisdn) - 1) :]
    assert fits(msisdn, (spelling, "12345") if is_first else ("12345", spelling))
