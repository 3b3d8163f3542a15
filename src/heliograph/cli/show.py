"""How commands answer: one JSON document, or a table or sentence for people."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from heliograph.cli.world import world
from heliograph.core.money import CREDIT

Document = Mapping[str, object]

_WIDE = 200
"""Columns of a table that no terminal shows, so that nothing is cut in a file."""


def answer(document: Document, sentence: str) -> None:
    """Tell what was done."""
    print(_json(document) if world().as_json else sentence)


def answer_rows(name: str, documents: Sequence[Document], columns: Sequence[str]) -> None:
    """Show a list: in JSON whole under its name, to people some columns."""
    if world().as_json:
        print(_json({name: documents}))
    elif not documents:
        print(f"There are no {name}.")
    else:
        _print_table(documents, columns)


def answer_fields(document: Document) -> None:
    """Show one thing."""
    if world().as_json:
        print(_json(document))
    else:
        _print_table([{"": name.replace("_", " "), " ": value} for name, value in document.items()], ("", " "))


def _json(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2)


def _print_table(documents: Sequence[Document], columns: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_header=any(name.strip() for name in columns), pad_edge=False)
    for name in columns:
        table.add_column(name.replace("_", " "), overflow="fold")
    for document in documents:
        table.add_row(*(Text(plain(document.get(name))) for name in columns))
    console = Console(highlight=False)
    Console(highlight=False, width=console.width if console.is_terminal else _WIDE).print(table)


def plain(value: object) -> str:
    """A value as people read it; characters that would steer a terminal are shown as a dot.

    >>> plain(True), plain(None), plain(["a", "b"]), plain("bell\\a")
    ('yes', '-', 'a, b', 'bell·')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={plain(each)}" for key, each in value.items())
    return "".join(each if each.isprintable() else "·" for each in str(value))


def time_from(at_ms: int | None) -> str | None:
    """A time as RFC 3339 writes it, to the millisecond.

    >>> time_from(1_767_225_600_000)
    '2026-01-01T00:00:00.000Z'
    """
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def credits_from(amount: int) -> int | float:
    """Credits as a JSON number, whole when they are.

    >>> credits_from(2_000_000), credits_from(500_000)
    (2, 0.5)
    """
    return amount // CREDIT if amount % CREDIT == 0 else amount / CREDIT
