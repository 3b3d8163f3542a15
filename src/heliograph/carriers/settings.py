"""Reading the settings of a carrier: every mistake is found when the carrier is set up, and told in one sentence."""

from collections.abc import Callable, Mapping
from typing import TypeVar

_R = TypeVar("_R")


class BadCarrier(ValueError):
    """The carrier's address or settings cannot be used; the text says why, for people."""


class Settings:
    """Takes settings by name and notices what nobody took."""

    def __init__(self, written: Mapping[str, object]) -> None:
        self._left = dict(written)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        value = self._left.pop(name, default)
        if not isinstance(value, bool):
            raise BadCarrier(f"{name} is true or false, not {value!r}")
        return value

    def number(self, name: str, default: int, *, least: int = 0, most: int = 86_400) -> int:
        """A whole number within bounds."""
        value = self._left.pop(name, default)
        if type(value) is not int or not least <= value <= most:
            raise BadCarrier(f"{name} is a whole number from {least} to {most}, not {value!r}")
        return value

    def text(self, name: str, *, most: int) -> str:
        """A printable ASCII text of at most so many characters, empty when not given; digits may be a number."""
        value = self._left.pop(name, "")
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str) or len(value) > most or not (value.isascii() and value.isprintable()):
            raise BadCarrier(f"{name} is a text of at most {most} ASCII characters, not {value!r}")
        return value

    def read(self, name: str, read: Callable[[object], _R], default: _R) -> _R:
        """A value that `read` understands; its ValueError becomes ours."""
        if name not in self._left:
            return default
        try:
            return read(self._left.pop(name))
        except ValueError as error:
            raise BadCarrier(f"{name}: {error}") from None

    def check_all_taken(self) -> None:
        """BadCarrier when a setting was written that nobody knows."""
        if self._left:
            raise BadCarrier(f"no such setting of this kind of carrier: {', '.join(sorted(self._left))}")
