"""One page of a longer list."""

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

Kind = TypeVar("Kind")


class Listing(NamedTuple, Generic[Kind]):
    """A page's items, and how many the whole list has."""

    items: Sequence[Kind]
    total: int

    def last_page(self, per_page: int) -> int:
        """The number of the last page, from 1.

        >>> Listing([], 0).last_page(25), Listing([], 51).last_page(25)
        (1, 3)
        """
        return max(1, -(-self.total // per_page))
