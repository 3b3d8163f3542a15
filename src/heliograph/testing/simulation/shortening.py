"""A simulation that fails, made as short as it goes: fewer hours, and fewer kinds of things that happen.

Whether the shorter one fails for the same reason is judged by the first words of its finding.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from heliograph.testing.simulation.plan import KINDS
from heliograph.testing.simulation.run import Verdict, simulate
from heliograph.testing.simulation.witness import Line

WORDS: Final = 4
SHORTEST_HOURS: Final = 0.05
MOST_LINES: Final = 60


def shortest(
    failed: Verdict, *, new_database: Callable[[], str] | None = None, show: Callable[[str], None] = lambda _: None
) -> Verdict:
    """The shortest simulation found that fails as this one did. new_database: as there. show: told what is tried."""
    wanted = _reason(failed)
    best = failed
    hours = min(failed.plan.hours, failed.seconds / 3600)
    while hours / 2 >= SHORTEST_HOURS:
        hours = hours / 2
        show(f"{hours:.2f} hours")
        tried = simulate(replace(best.plan, hours=round(hours, 3)), new_database=new_database)
        if _reason(tried) != wanted:
            break
        best = tried
    for kind in KINDS:
        show(f"without {kind}")
        tried = simulate(replace(best.plan, without=best.plan.without | {kind}), new_database=new_database)
        if _reason(tried) == wanted:
            best = tried
    return best


def _reason(verdict: Verdict) -> str:
    return " ".join(verdict.findings[0].split()[:WORDS]) if verdict.findings else ""


def story_of(verdict: Verdict) -> list[Line]:
    """The lines that tell how it came to it: those about recipients in the findings, and what concerns everybody."""
    named = {word.strip(",.") for finding in verdict.findings for word in finding.split() if word.startswith("+")}
    lines = [line for line in verdict.story if not line.about or line.about in named]
    return lines[-MOST_LINES:]
