"""How many pages a list has."""

import pytest

from heliograph.core.listing import Listing


@pytest.mark.parametrize(("total", "pages"), [(0, 1), (1, 1), (25, 1), (26, 2), (50, 2), (51, 3)])
def test_the_last_page(total: int, pages: int) -> None:
    assert Listing([], total).last_page(25) == pages
