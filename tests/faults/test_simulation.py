"""Whole lives of messages under a time that leaps: what a seed decides, and what must hold whatever it decides."""

from collections.abc import Iterator
from typing import Any

import pytest

from heliograph.core.directory import Policy
from heliograph.core.outcomes import SubmitOutcome
from heliograph.core.retry import decide
from heliograph.core.standing import Fact
from heliograph.pipeline import submit
from heliograph.testing.postgres import Server, server
from heliograph.testing.simulation import shortening
from heliograph.testing.simulation.plan import KINDS, Plan
from heliograph.testing.simulation.run import Verdict, simulate
from heliograph.testing.simulation.shortening import story_of
from heliograph.testing.simulation.witness import Line

QUIET = frozenset(KINDS)


def test_every_promise_is_kept_for_a_quarter_of_an_hour_of_everything() -> None:
    lived = simulate(Plan(seed=2, hours=0.25))
    assert lived.findings == (), "\n".join(map(str, (*lived.findings, *story_of(lived))))
    assert lived.counts["accepted"] >= 0.25 * 3600


def test_a_seed_tells_the_same_story_every_time() -> None:
    plan = Plan(seed=3, hours=0.05)
    first, second = simulate(plan), simulate(plan)
    assert first.story == second.story
    assert first.counts == second.counts


def test_every_promise_is_kept_by_two_processes_on_postgresql(postgres_server: Server) -> None:
    lived = simulate(Plan(seed=2, hours=0.02), new_database=lambda: postgres_server.new_database("template0"))
    assert lived.findings == (), "\n".join(map(str, (*lived.findings, *story_of(lived))))
    assert lived.counts["accepted"] >= 0.02 * 3600


@pytest.fixture(scope="module")
def still_server() -> Iterator[Server]:
    """A PostgreSQL server on which nothing happens by itself."""
    off = dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum"), "off")
    try:
        with server(**off) as running:
            yield running
    except LookupError as error:
        pytest.skip(str(error))


@pytest.mark.long
def test_a_seed_tells_the_same_story_on_postgresql(still_server: Server) -> None:
    plan = Plan(seed=5, hours=0.2, database="postgresql://")
    first, second = (simulate(plan, new_database=lambda: still_server.new_database("template0")) for _ in range(2))
    assert first.story == second.story
    assert first.counts == second.counts


@pytest.mark.long
@pytest.mark.parametrize("seed", range(200, 206))
def test_every_promise_is_kept_for_an_hour_on_postgresql(still_server: Server, seed: int) -> None:
    lived = simulate(Plan(seed=seed, hours=1.0), new_database=lambda: still_server.new_database("template0"))
    assert lived.findings == (), "\n".join(map(str, (*lived.findings, *story_of(lived))))
    assert lived.counts["accepted"] >= 3_600


def test_nothing_happens_that_is_left_out() -> None:
    lived = simulate(Plan(seed=4, hours=0.05, without=QUIET))
    assert lived.findings == ()
    assert not {"kills", "a session dropped", "an answer did not come", "turned away"} & set(lived.counts)
    assert set(lived.states) <= {"delivered", "undelivered", "expired", "rejected", "unknown"}


def test_what_is_broken_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def resends(outcome: SubmitOutcome, **about: Any) -> Fact:
        return decide(outcome, **{**about, "policy": Policy.RESEND})

    monkeypatch.setattr(submit, "decide", resends)
    lived = simulate(Plan(seed=1, hours=0.3, without=QUIET - {"silent"}))
    assert any("a carrier that holds its doubts" in finding for finding in lived.findings)


def test_a_failure_is_told_by_its_shortest_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that needs kills, and a quarter of an hour."""

    def lived(plan: Plan, **_: object) -> Verdict:
        is_broken = plan.has("kills") and plan.hours >= 0.25
        findings = ("lost 1: +27831, and more",) if is_broken else ()
        story = (Line(1.0, "", "killed"), Line(2.0, "+27831", "accepted"), Line(3.0, "+27832", "accepted"))
        return Verdict(plan, findings, {}, {}, plan.hours * 3600, story)

    monkeypatch.setattr(shortening, "simulate", lived)
    short = shortening.shortest(lived(Plan(seed=5, hours=8.0)))
    assert short.plan == Plan(seed=5, hours=0.25, without=QUIET - {"kills"})
    assert short.plan.command().startswith("heliograph drill --seed 5 --hours 0.25 --without busy,cancels,")
    assert [line.what for line in shortening.story_of(short)] == ["killed", "accepted"]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_every_promise_is_kept_for_ten_hours(seed: int) -> None:
    lived = simulate(Plan(seed=seed))
    assert lived.findings == (), "\n".join(map(str, (*lived.findings, *story_of(lived))))
    assert lived.counts["accepted"] >= 36_000
