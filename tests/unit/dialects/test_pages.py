import pytest

from heliograph.core.listing import Listing
from heliograph.dialects.pages import linked_pages, page_number, page_of


@pytest.mark.parametrize(
    ("written", "number"),
    [(None, 1), ("", 1), ("0", 1), ("-3", 1), ("2", 2), (" 2 ", 2), (7, 7), ("1.5", 1), ("x", 1), ("9" * 99, 1),
     (True, 1), (["2"], 1), ("007", 7), ("٣", 1)],
)  # fmt: skip
def test_what_is_no_positive_number_is_the_first_page(written: object, number: int) -> None:
    assert page_number(written) == number


def test_a_page_between_others_links_to_both() -> None:
    page = page_of(Listing(["a", "b"], 6), str.upper, number=2, per_page=2, path="https://x.example/l")
    assert (page.data, page.first, page.to, page.total, page.last_page) == (["A", "B"], 3, 4, 6, 3)
    assert (page.prev_page_url, page.next_page_url) == ("https://x.example/l?page=1", "https://x.example/l?page=3")
    assert [(link.label, link.active) for link in page.links] == [
        ("pagination.previous", False),
        ("1", False),
        ("2", True),
        ("3", False),
        ("pagination.next", False),
    ]


def test_an_empty_list_is_one_page_from_nowhere_to_nowhere() -> None:
    page = page_of(Listing[str]([], 0), str, number=1, per_page=25, path="")
    assert (page.first, page.to, page.last_page, page.prev_page_url, page.next_page_url) == (None, None, 1, None, None)


def test_a_page_beyond_the_end_is_empty_and_links_back() -> None:
    page = page_of(Listing[str]([], 30), str, number=9, per_page=25, path="")
    assert (page.current_page, page.data, page.first, page.to, page.last_page) == (9, [], None, None, 2)
    assert (page.prev_page_url, page.next_page_url) == ("?page=8", None)


@pytest.mark.parametrize(
    ("number", "last", "linked"),
    [
        (1, 13, [*range(1, 14)]),
        (7, 14, [*range(1, 11), 0, 13, 14]),
        (8, 16, [1, 2, 0, *range(5, 12), 0, 15, 16]),
        (10, 16, [1, 2, 0, *range(7, 17)]),
        (16, 16, [1, 2, 0, *range(7, 17)]),
        (99, 16, [1, 2, 0, *range(7, 17)]),
    ],
)
def test_a_long_list_leaves_pages_out(number: int, last: int, linked: list[int]) -> None:
    assert list(linked_pages(number, last)) == linked
