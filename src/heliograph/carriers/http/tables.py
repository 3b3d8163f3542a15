"""Taking keys out of a table of a recipe: each mistake is told with the file and the key it is at."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NoReturn, TypeVar

from heliograph.carriers.settings import BadCarrier

_T = TypeVar("_T")
MOST_DEPTH: Final = 8
"""Of tables in tables."""


class Table:
    """Some of a recipe's keys. file: its name. place: which keys they are, for people."""

    def __init__(self, file: str, place: str, keys: object) -> None:
        self.file = file
        self._place = place
        if not isinstance(keys, dict):
            self.refuse("", "is a table")
        self._left: dict[str, Any] = dict(keys)

    def refuse(self, key: str, mistake: str) -> NoReturn:
        """Raise BadCarrier with the mistake at a key."""
        raise BadCarrier(f"recipe {self.file}: {self.place_of(key)} {mistake}")

    def place_of(self, key: str) -> str:
        """A key's whole name."""
        return ".".join(filter(None, (self._place, key))) or "the file"

    def has(self, key: str) -> bool:
        """Whether a key is there and was not taken yet."""
        return key in self._left

    def text(self, key: str, default: str | None = None) -> str:
        """A text; one that must be there when no default is given."""
        value = self._left.pop(key, default)
        if value is None:
            self.refuse(key, "is missing")
        if not isinstance(value, str):
            self.refuse(key, f"is a text, not {value!r}")
        return value

    def word(self, key: str, words: Iterable[str], default: str | None = None) -> str:
        """One of some words."""
        value = self.text(key, default)
        if value not in words:
            self.refuse(key, f"is one of {', '.join(sorted(words))}, not {value!r}")
        return value

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number within bounds."""
        value = self._left.pop(key, default)
        if type(value) is not int or not least <= value <= most:
            self.refuse(key, f"is a whole number from {least} to {most}, not {value!r}")
        return value

    def table(self, key: str) -> "Table | None":
        """A table, if there is one."""
        return Table(self.file, self.place_of(key), self._left.pop(key)) if key in self._left else None

    def needed(self, key: str) -> "Table":
        """A table that must be there."""
        found = self.table(key)
        if found is None:
            self.refuse(key, "is missing")
        return found

    def tables(self, key: str) -> "list[Table]":
        """A list of tables."""
        value = self._left.pop(key, [])
        if not isinstance(value, list):
            self.refuse(key, f"is a list of tables: write [[{self.place_of(key)}]]")
        return [Table(self.file, f"{self.place_of(key)}[{number}]", each) for number, each in enumerate(value, 1)]

    def read(self, key: str, read: Callable[[str, Any], _T], default: _T) -> _T:
        """A value that `read`, which is told the key's whole name, understands; its ValueError becomes ours."""
        if key not in self._left:
            return default
        try:
            return read(self.place_of(key), self._left.pop(key))
        except BadCarrier:
            raise
        except ValueError as error:
            self.refuse(key, f"cannot be: {error}")

    def rest(self) -> Mapping[str, Any]:
        """What was not taken; it is now."""
        left, self._left = self._left, {}
        return left

    def check_all_taken(self) -> None:
        """BadCarrier when a key is left that nobody knows."""
        for key in self._left:
            self.refuse(key, "is no key of a recipe")
