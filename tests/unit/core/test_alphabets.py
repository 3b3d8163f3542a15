import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.alphabets import (
    NO_LANGUAGES,
    NationalPrefix,
    language_for,
    language_table_of,
    national_prefix_from,
)
from heliograph.gsm.national import Language

ISTANBUL, LISBON, FUNCHAL = "+905321234567", "+351911234567", "+351291234567"


def test_the_longest_prefix_wins() -> None:
    table = language_table_of(map(national_prefix_from, ("90:turkish", "351:portuguese", "351291:none")))

    assert language_for(ISTANBUL, table) is Language.TURKISH
    assert language_for(LISBON, table) is Language.PORTUGUESE
    assert language_for(FUNCHAL, table) is Language.NONE
    assert language_for("+27831234567", table) is Language.NONE
    assert language_for("+9", table) is Language.NONE


def test_nothing_is_on_the_list_by_itself() -> None:
    assert language_table_of([]) == NO_LANGUAGES
    assert language_for(ISTANBUL, NO_LANGUAGES) is Language.NONE


@pytest.mark.parametrize("written", ["90:turkish", "+90:turkish", " 90 : TURKISH "])
def test_a_prefix_as_people_write_it(written: str) -> None:
    prefix = national_prefix_from(written)

    assert prefix == NationalPrefix("90", Language.TURKISH)
    assert str(prefix) == "90:turkish"


@pytest.mark.parametrize(
    "written",
    [" ", "90", ":turkish", "90:", "90:klingon", "90:1", "turkish:90", "9x:turkish", "٩٠:turkish", "1" * 16 + ":hindi"],
)
def test_anything_else_is_no_prefix(written: str) -> None:
    with pytest.raises(ValueError, match=re.escape(written)):
        national_prefix_from(written)


@given(st.text() | st.from_regex(r"\+?[0-9]{0,17} ?: ?[a-zA-Z]{0,10}", fullmatch=True))
def test_whatever_is_written_is_a_prefix_that_is_read_again_or_none(written: str) -> None:
    with suppress(ValueError):
        prefix = national_prefix_from(written)
        assert national_prefix_from(str(prefix)) == prefix
