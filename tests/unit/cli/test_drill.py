"""The sums of a drill, what it may be asked for, and what it says."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from heliograph.cli.drill import report as sums
from heliograph.cli.drill import run, simulated
from heliograph.cli.drill.customers import LONG, SHORT, Customers
from heliograph.cli.drill.doomed_family import environs
from heliograph.cli.drill.faults import FAULTS, OF_A_FAMILY, OF_THE_SERVER, PASSED
from heliograph.cli.drill.report import Course, Report, Stored
from heliograph.cli.drill.stage import GRANT, Plan, Stage
from heliograph.config import Settings
from heliograph.core.ledger import Balance
from heliograph.core.money import CREDIT
from heliograph.core.states import Charge, MessageState
from heliograph.services.refused import Refused
from heliograph.store.messages import MessageView
from heliograph.testing.doomed import POINTS

ONE, TWO, HELD = "27830000001", "27830000002", "44770000003"


def stage(copies: dict[tuple[str, str, bytes], int], told: set[str]) -> Stage:
    segments = Counter(recipient for _, recipient, _ in copies)
    carried = SimpleNamespace(look=lambda: None, copies=Counter(copies), segments=segments)
    world = SimpleNamespace(
        plan=Plan(rounds=1), database="", carried=carried, told=told, takeovers=[1.0, 4.2], findings=[]
    )
    return cast(Stage, world)


def message(recipient: str, state: MessageState, *, price: int = 1, charge: Charge = Charge.CAPTURED) -> MessageView:
    view: Any = SimpleNamespace(recipient=f"+{recipient}", state=state, price=price * CREDIT, charge=charge)
    return cast(MessageView, view)


def drilled(
    *messages: MessageView, copies: dict[tuple[str, str, bytes], int], told: set[str], captured: int, allowed: int = 0
) -> Report:
    it = stage(copies, told)
    texts = {ONE: SHORT, TWO: LONG, HELD: SHORT}
    customers = Customers(it, accepted=dict(texts), tried=dict(texts))
    held = sum(each.price for each in messages if each.charge is Charge.HELD)
    balance = Balance(GRANT * CREDIT - held - captured * CREDIT, held, captured * CREDIT)
    stored = Stored(messages, balance, ())
    return sums.report(it, customers, stored=stored, course=Course(Counter(kill=1), allowed, 1.0))


COPIES = {("north", ONE, b"a"): 1, ("north", TWO, b"b"): 1, ("north", TWO, b"c"): 1, ("south", HELD, b"a"): 1}
DONE = (
    message(ONE, MessageState.DELIVERED),
    message(TWO, MessageState.DELIVERED, price=2),
    message(HELD, MessageState.HELD, charge=Charge.HELD),
)


def test_a_drill_in_which_nothing_went_wrong() -> None:
    report = drilled(*DONE, copies=COPIES, told={ONE, TWO}, captured=3)
    assert report.is_kept
    assert (report.accepted, report.terminal, report.held) == (3, 2, 1)
    assert "Every promise was kept." in sums.text_of(report)
    assert "1 × kill -9" in sums.text_of(report)
    assert "2  times others went on with what a process had, after at most 4.2 s" in sums.text_of(report)


@pytest.mark.parametrize(
    ("messages", "copies", "told", "captured", "broken"),
    [(DONE[:2], COPIES, {ONE, TWO}, 3, {"lost": 1, "receipts_lost": 1}),
     (DONE, COPIES | {("north", ONE, b"a"): 2}, {ONE, TWO}, 3, {"sent_twice": 1}),
     (DONE, COPIES | {("south", HELD, b"a"): 2}, {ONE, TWO}, 3, {"sent_twice": 1, "sent_twice_by_hold": 1}),
     (DONE, COPIES, {ONE}, 3, {"untold": 1}),
     (DONE, COPIES, {ONE, TWO}, 4, {"charged_twice": 1}),
     ((message(ONE, MessageState.EXPIRED), *DONE[1:]), COPIES, {ONE, TWO}, 3, {"receipts_lost": 1}),
     ((message(ONE, MessageState.SUBMITTED), *DONE[1:]), COPIES, {ONE, TWO}, 3, {"unfinished": 1, "receipts_lost": 1}),
     ((*DONE, DONE[0]), COPIES, {ONE, TWO}, 4, {"charged_twice": 1})],
)  # fmt: skip
def test_every_promise_that_is_broken_is_counted(
    messages: tuple[MessageView, ...], copies: dict[tuple[str, str, bytes], int], told: set[str], captured: int,
    broken: dict[str, int],
) -> None:  # fmt: skip
    report = drilled(*messages, copies=copies, told=told, captured=captured)
    document = sums.document_of(report)
    names = ("lost", "sent_twice", "sent_twice_by_hold", "charged_twice", "receipts_lost", "untold", "unfinished")
    assert {name: document[name] for name in names if document[name]} == broken
    assert not document["is_kept"]
    assert "BROKEN" in sums.text_of(report)


def test_what_a_window_may_send_twice_breaks_nothing() -> None:
    copies = COPIES | {("north", ONE, b"a"): 2}
    assert drilled(*DONE, copies=copies, told={ONE, TWO}, captured=3, allowed=10).is_kept


def test_faults_of_a_database_server_are_those_of_a_server_of_our_own() -> None:
    assert set(run.chosen_faults(Plan(rounds=1))) == set(FAULTS)
    assert set(run.chosen_faults(Plan(rounds=1, database="postgresql://"))) == {*FAULTS, *OF_THE_SERVER}
    assert set(run.chosen_faults(Plan(rounds=1, processes=2))) == {*FAULTS, *OF_A_FAMILY}
    assert "kill" not in run.chosen_faults(Plan(rounds=1, without="kill, restart"))
    with pytest.raises(Refused, match="'earthquake' is no fault"):
        run.chosen_faults(Plan(rounds=1, without="earthquake"))
    with pytest.raises(Refused, match="without any fault"):
        run.chosen_faults(Plan(rounds=1, without=",".join(FAULTS)))


def test_crash_points_of_a_drill_are_crash_points() -> None:
    assert set(PASSED) < set(POINTS)


def test_the_last_of_several_processes_is_doomed_and_who_comes_in_its_place_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRILL_DOOM", "an older one")
    environ = environs(
        Settings(data=Path(), processes=2, process_listen="127.0.0.1:9100"), "127.0.0.1:8080", "mark.stored 2"
    )
    born = [environ(place) for place in (0, 1, 1, 0)]
    assert [each.get("DRILL_DOOM") for each in born] == [None, "mark.stored 2", None, None]
    assert {each["HELIOGRAPH_LISTEN"] for each in born} == {"127.0.0.1:8080"}
    assert [each["HELIOGRAPH_PROCESS_LISTEN"][-4:] for each in born] == ["9100", "9101", "9101", "9100"]


def test_a_simulated_drill_says_what_was_counted_and_how_to_see_it_again() -> None:
    about: Any = {"postgres_bin": None, "hours": 0.05, "is_watched": False}
    with pytest.raises(Refused, match="'rain' is no kind"):
        simulated.drilled(1, database="", without="rain", **about)
    with pytest.raises(Refused, match="a PostgreSQL server of its own"):
        simulated.drilled(1, database="postgresql://somebody@elsewhere/else", without="", **about)
    document, text, is_kept = simulated.drilled(1, database="", without="kills,drops", **about)
    assert is_kept
    assert document["command"] == "heliograph drill --seed 1 --hours 0.05 --without drops,kills"
    assert document["counts"]["accepted"] > 0
    assert "messages accepted" in text
