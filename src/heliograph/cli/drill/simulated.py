"""A simulated drill: what a seed decides, and the shortest story of what went wrong."""

from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from heliograph.services.refused import Refused
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


def drilled(seed: int, *, hours: float, without: str, is_watched: bool) -> tuple[dict[str, Any], str, bool]:
    """The document, the text, and whether every promise was kept. Raises Refused."""
    left_out = frozenset(each.strip() for each in without.split(",") if each.strip())
    if unknown := left_out - set(KINDS):
        raise Refused(f"{min(unknown)!r} is no kind: write some of {','.join(KINDS)}.")
    plan = Plan(seed=seed, hours=hours, without=left_out)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"))
    with Progress(*columns, console=Console(stderr=True), disable=not is_watched, transient=True) as progress:
        task = progress.add_task(f"seed {seed}", total=hours * 3600, what="")
        verdict = simulate(plan, show=lambda seconds: progress.update(task, completed=seconds))
        if verdict.findings:
            verdict = shortest(verdict, show=lambda what: progress.update(task, what=what))
    return document_of(verdict), text_of(verdict), not verdict.findings


def document_of(verdict: Verdict) -> dict[str, Any]:
    """As `--json` has it."""
    return {
        "seed": verdict.plan.seed,
        "hours": verdict.plan.hours,
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
    lines = [f"{verdict.plan.hours:g} hours simulated with seed {verdict.plan.seed}"]
    lines += [f"{verdict.counts.get(name, 0):>10,}  {words}" for name, words in COUNTS.items()]
    lines += [f"{count:>10,}  ended {state}" for state, count in verdict.states.items()]
    if not verdict.findings:
        return "\n".join([*lines, "Every promise was kept."])
    lines += ["", "BROKEN", *(f"  {finding.strip()}" for finding in verdict.findings)]
    lines += ["", "The story", *(f"  {line}" for line in story_of(verdict))]
    return "\n".join([*lines, "", f"Again: {verdict.plan.command()}"])
