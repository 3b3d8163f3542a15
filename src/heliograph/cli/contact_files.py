"""heliograph contact import, heliograph contact export"""

import csv
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from heliograph.cli.show import answer
from heliograph.cli.world import run, world
from heliograph.core.contact_rows import Rejected, guarded
from heliograph.net.clock import SystemClock
from heliograph.services.address_book import find_group
from heliograph.services.contact_export import export as export_group
from heliograph.services.contact_import import ContactImport, Tally
from heliograph.services.refused import Refused
from heliograph.services.tables.reading import opened
from heliograph.services.tables.writing import writable, written
from heliograph.store.engine import Store

Files = Annotated[tuple[str, str, str], typer.Argument(metavar="ACCOUNT GROUP FILE")]
SHOWN = 20
"""Rejected rows that the answer itself has."""


def import_(
    which: Files,
    *,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=WHAT",
            help="What a column is: msisdn, first_name, last_name or a field; NAME= leaves it out; may be repeated.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--encoding", metavar="NAME", help="Of text that is not UTF-8, such as windows-1252."),
    ] = None,
    rejects: Annotated[str | None, typer.Option(metavar="FILE", help="Where rejected rows go, as CSV.")] = None,
    is_updating: Annotated[
        bool, typer.Option("--update", help="Give contacts that are there already the values of the file.")
    ] = False,
    is_strict: Annotated[bool, typer.Option("--strict", help="Fail when a row was rejected.")] = False,
) -> None:
    """Add the rows of a .csv or .xlsx file to a group as contacts; numbers that are there already are skipped."""
    account, name, file = which
    chosen = _chosen(column or [])
    some: list[Rejected] = []

    async def taken(store: Store) -> Tally:
        into = await find_group(store, account, name)
        with ExitStack() as files:
            table = files.enter_context(opened(Path(file), encoding=source))
            keep = files.enter_context(_rejects(rejects))
            step = files.enter_context(_progress(f"Importing {Path(file).name}", table.total))

            def reject(row: Rejected) -> None:
                keep(row)
                if len(some) < SHOWN:
                    some.append(row)

            importing = ContactImport(
                store,
                SystemClock(),
                into=into,
                is_updating=is_updating,
                reject=reject,
                step=lambda: step(table.done()),
            )
            return await importing.take(table.rows, chosen)

    tally = run(taken)
    _answer(tally, some, rejects)
    if not tally.rows - tally.rejected:
        raise Refused("No row could be read as a contact.")
    if is_strict and tally.rejected:
        raise Refused(f"{tally.rejected} rows were rejected.")


def _chosen(words: list[str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for word in words:
        name, equals, target = word.rpartition("=")
        if not equals or not name:
            raise Refused(f"--column is NAME=WHAT, not {word!r}.")
        chosen[name] = target
    return chosen


def _answer(tally: Tally, some: list[Rejected], rejects: str | None) -> None:
    why = dict(tally.why.most_common())
    document = {
        "rows": tally.rows,
        "added": tally.added,
        "changed": tally.changed,
        "known": tally.known,
        "rejected": tally.rejected,
        "reasons": why,
        "rejects": [{"row": each.number, "number": each.written, "reason": each.why} for each in some],
    }
    counts = f"{tally.added} added, {tally.changed} changed, {tally.known} known, {tally.rejected} rejected"
    lines = [f"{tally.rows} rows: {counts}."]
    lines += [f"  {count} × {reason}" for reason, count in why.items()]
    if some and rejects is None:
        lines += [f"  row {each.number}: {each.written!r}: {each.why}" for each in some]
        lines += ["  …; --rejects FILE writes them all."] if tally.rejected > len(some) else []
    answer(document, "\n".join(lines))


@contextmanager
def _rejects(path: str | None) -> Iterator[Callable[[Rejected], None]]:
    """Where rejected rows are written to as they come."""
    if path is None:
        yield lambda _: None
        return
    with writable(Path(path)) as file:
        row = csv.writer(file).writerow
        row(["row", "number", "reason"])
        yield lambda each: row([str(each.number), guarded(each.written), each.why])


def export(which: Files) -> None:
    """Write the contacts of a group to a .csv or .xlsx file; a text that a spreadsheet would run is made harmless."""
    account, name, file = which

    async def exported(store: Store) -> int:
        found = await find_group(store, account, name)
        total = 2 * found.group.contacts
        with written(Path(file), guarded) as write, _progress(f"Exporting {found.group.name}", total) as reach:
            done = 0

            def step(count: int) -> None:
                nonlocal done
                done += count
                reach(done)

            return await export_group(store, found.group, write=write, step=step)

    count = run(exported)
    answer({"contacts": count, "file": file}, f"{count} contacts are in {file}.")


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for whoever watches a terminal."""
    if world().as_json or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=max(1, total))
        yield lambda done: progress.update(task, completed=done)
