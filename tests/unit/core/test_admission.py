from heliograph.core.admission import EACH, LITTLE, SILENT_S, Admission
from heliograph.core.ids import AccountId

GREEDY, MODEST = AccountId(1), AccountId(2)
NOW = 1000.0


def full(most: int = 100) -> Admission:
    admission = Admission(most)
    while admission.has_room(GREEDY, NOW):
        admission.enter(GREEDY, 1, NOW)
    return admission


def test_no_more_enter_than_there_is_room_for() -> None:
    admission = Admission(4 * (EACH + 1))
    passes = []
    while admission.has_room(GREEDY, NOW):
        passes.append(admission.enter(GREEDY, 1, NOW))
    # The account itself has little on its way until then.
    assert len(passes) == max(4, -(-LITTLE // (EACH + 1)))
    admission.leave(passes[0], NOW)
    assert admission.has_room(GREEDY, NOW)


def test_who_has_little_on_its_way_still_enters() -> None:
    admission = full()
    assert not admission.has_room(GREEDY, NOW)
    entered = 0
    while admission.has_room(MODEST, NOW):
        admission.enter(MODEST, 1, NOW)
        entered += 1
    assert entered == -(-LITTLE // (EACH + 1))


def test_but_never_twice_what_there_is_room_for() -> None:
    admission = full()
    others = 0
    while admission.has_room(AccountId(10 + others), NOW):
        admission.enter(AccountId(10 + others), 10, NOW)
        others += 1
    assert 0 < others <= 100 // (EACH + 10) + 1


def test_a_large_submission_enters_whole_and_counts_whole() -> None:
    admission = Admission(100)
    large = admission.enter(GREEDY, 500, NOW)
    assert not admission.has_room(MODEST, NOW)
    admission.leave(large, NOW)
    assert admission.has_room(GREEDY, NOW)


def test_it_is_stuck_when_nothing_was_stored_for_too_long() -> None:
    admission = Admission()
    assert not admission.is_stuck(NOW)
    first, second = admission.enter(GREEDY, 1, NOW), admission.enter(GREEDY, 1, NOW)
    assert not admission.is_stuck(NOW + SILENT_S / 2)
    assert admission.is_stuck(NOW + SILENT_S)
    assert not admission.has_room(MODEST, NOW + SILENT_S)
    admission.leave(first, NOW + SILENT_S)
    assert admission.has_room(MODEST, NOW + SILENT_S)
    assert not admission.is_stuck(NOW + SILENT_S)
    admission.leave(second, NOW + 3 * SILENT_S)
    assert not admission.is_stuck(NOW + 9 * SILENT_S)
