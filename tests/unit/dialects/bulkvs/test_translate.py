import doctest

import pytest

from heliograph.dialects.bulkvs import translate
from heliograph.dialects.bulkvs.translate import digits_from, is_3cx, with_country_code


def test_examples_in_docstrings_hold() -> None:
    attempted = doctest.testmod(translate)
    assert attempted.failed == 0
    assert attempted.attempted > 0


@pytest.mark.parametrize(
    "written", ["1234567890", "0123456789", "+3105551212", "131055512123", -3105551212, "", "x", "٣" * 10]
)
def test_only_ten_digits_of_north_america_get_a_country_code(written: str | int) -> None:
    assert with_country_code(written) == written


@pytest.mark.parametrize(
    ("written", "shown"), [(-5, "-5"), ("", ""), ("٣" * 10, "٣" * 10), (13105551212, "13105551212")]
)
def test_what_is_no_number_is_shown_as_it_came(written: str | int, shown: str) -> None:
    assert digits_from(written) == shown


@pytest.mark.parametrize(
    ("query", "is_so"),
    [(b"", False), (b"pbx=3cx", True), (b"a=1&pbx=3CX", True), (b"pbx=", False), (b"xpbx=3cx", False)],
)
def test_3cx_says_so_in_the_query(query: bytes, *, is_so: bool) -> None:
    assert is_3cx(query) is is_so
