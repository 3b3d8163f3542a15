"""A simulated drill: what a seed decides, and the shortest story of what went wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from heliograph.cli.drill.stage import OWN_SERVER, programs_in
from heliograph.services.refused import Refused
from heliograph.testing import postgres
from heliograph.testing.simulation.plan import KINDS, Plan
from heliograph.testing.simulation.run import Verdict, simulate
from heliograph.testing.simulation.shortening import shortest, story_of

COUNTS: Final = {
    "accepted": "messages accepted",
    "refused": "submissions refused",
    "turned away": "submissions that found the store unavailable",
    "carried": "segments that carriers took",
    "copies": "segments among them that carriers had already",
    "kills": "times the process was killed",
    "a session dropped": "sessions that dropped",
    "an answer did not come": "answers that never came",
    "calls": "calls that webhooks took",
}


HOURS: Final = {"": 10.0, OWN_SERVER: 1.0}
"""As long as it takes about a minute, or two."""


def drilled(
    seed: int, *, database: str, postgres_bin: str | None, hours: float | None, without: str, is_watched: bool
) -> tuple[dict[str, Any], str, bool]:
    """The document, the text, and whether every promise was kept. Raises Refused."""
    if database not in HOURS:
        raise Refused(f"A simulation takes a PostgreSQL server of its own: --database {OWN_SERVER}")
    left_out = frozenset(each.strip() for each in without.split(",") if each.strip())
    if unknown := left_out - set(KINDS):
        raise Refused(f"{min(unknown)!r} is no kind: write some of {','.join(KINDS)}.")
    plan = Plan(seed=seed, hours=hours or HOURS[database], without=left_out, database=database)
    with _databases(plan, postgres_bin) as new_database:
        verdict = _verdict(plan, new_database, is_watched=is_watched)
    return document_of(verdict), text_of(verdict), not verdict.findings


@contextmanager
def _databases(plan: Plan, postgres_bin: str | None) -> Iterator[Callable[[], str] | None]:
    """Makes databases, if the plan has a server; nothing of them is kept, and nothing happens there by itself."""
    if not plan.database:
        yield None
        return
    off = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum"), "off")
    try:
        with postgres.server(programs_in(postgres_bin), **off) as running:
            yield lambda: running.new_database("template0")
    except LookupError as error:
        raise Refused(f"{error}.") from error


def _verdict(plan: Plan, new_database: Callable[[], str] | None, *, is_watched: bool) -> Verdict:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"))
    with Progress(*columns, console=Console(stderr=True), disable=not is_watched, transient=True) as progress:
        task = progress.add_task(f"seed {plan.seed}", total=plan.hours * 3600, what="")
        verdict = simulate(
            plan, new_database=new_database, show=lambda seconds: progress.update(task, completed=seconds)
        )
        if verdict.findings:
            show = lambda what: progress.update(task, what=what)  # noqa: E731 (a name for the line below)
            verdict = shortest(verdict, new_database=new_database, show=show)
    return verdict


def document_of(verdict: Verdict) -> dict[str, Any]:
    """As `--json` has it."""
    return {
        "seed": verdict.plan.seed,
        "hours": verdict.plan.hours,
        "database": "PostgreSQL" if verdict.plan.database else "SQLite",
        "without": sorted(verdict.plan.without),
        "is_kept": not verdict.findings,
        "findings": list(verdict.findings),
        "counts": dict(verdict.counts),
        "states": dict(verdict.states),
        "command": verdict.plan.command(),
        "story": [str(line) for line in story_of(verdict)] if verdict.findings else [],
    }


def text_of(verdict: Verdict) -> str:
    """As people read it."""
    where = " on PostgreSQL" if verdict.plan.database else ""
    lines = [f"{verdict.plan.hours:g} hours simulated{where} with seed {verdict.plan.seed}"]
    lines += [f"{verdict.counts.get(name, 0):>10,}  {words}" for name, words in COUNTS.items()]
    lines += [f"{count:>10,}  ended {state}" for state, count in verdict.states.items()]
    if not verdict.findings:
        return "\n".join([*lines, "Every promise was kept."])
    lines += ["", "BROKEN", *(f"  {finding.strip()}" for finding in verdict.findings)]
    lines += ["", "The story", *(f"  {line}" for line in story_of(verdict))]
    return "\n".join([*lines, "", f"Again: {verdict.plan.command()}"])
