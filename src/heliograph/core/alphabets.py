"""Whose national tables may be used for a recipient: the operator's list of prefixes, the longest of which wins.

A carrier takes the tables of its country's language or it does not, and handsets elsewhere may lack them: so nothing is
on the list by itself. What the tables are, and when they pay, is `gsm`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from heliograph.core.numbers import MAX_DIGITS
from heliograph.gsm.national import Language


class NationalPrefix(NamedTuple):
    """Numbers that begin with `prefix` (digits, without plus) may get the tables of a language."""

    prefix: str
    language: Language

    def __str__(self) -> str:
        return f"{self.prefix}:{self.language.name.lower()}"


@dataclass(frozen=True, slots=True)
class LanguageTable:
    """A list of prefixes, arranged for looking up by number."""

    languages: Mapping[str, Language]
    longest: int


NO_LANGUAGES: Final = LanguageTable({}, 0)


def national_prefix_from(written: str) -> NationalPrefix:
    """Read `90:turkish`; raises ValueError for anything else. `none` takes the numbers out of a shorter prefix.

    >>> str(national_prefix_from("+90: Turkish"))
    '90:turkish'
    """
    prefix, _, name = written.partition(":")
    digits = prefix.strip().removeprefix("+")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS):
        raise ValueError(written)
    try:
        return NationalPrefix(digits, Language[name.strip().upper()])
    except KeyError:
        raise ValueError(written) from None


def language_table_of(prefixes: Iterable[NationalPrefix]) -> LanguageTable:
    """Arrange prefixes."""
    languages = dict(prefixes)
    return LanguageTable(languages, max(map(len, languages), default=0))


def language_for(recipient: str, table: LanguageTable) -> Language:
    """Whose tables a recipient (`+` and digits) may get: for `gsm.segments.split`.

    >>> language_for("+905321234567", language_table_of([national_prefix_from("90:turkish")])).name
    'TURKISH'
    """
    for length in range(table.longest, 0, -1):
        found = table.languages.get(recipient[1 : 1 + length])
        if found is not None:
            return found
    return Language.NONE
