from heliograph.core.liveness import GAP_S, GONE_S, SILENT_S, Watch


def test_an_owner_whose_beat_moves_lives() -> None:
    watch = Watch()
    for second in range(20):
        assert watch.look({1: second + 1}, connected={1}, now=float(second)) == []


def test_one_that_is_gone_is_dead_sooner_than_one_that_hangs() -> None:
    watch = Watch()
    beats = {1: 40, 2: 50}
    died: dict[int, float] = {}
    for second in range(10):
        for owner in watch.look(beats, connected={2}, now=float(second)):
            died.setdefault(owner, float(second))
    assert died == {1: GONE_S, 2: SILENT_S}


def test_nobody_is_dead_because_the_store_was_away() -> None:
    watch = Watch()
    assert watch.look({1: 40}, connected={1}, now=0.0) == []
    assert watch.look({1: 40}, connected=(), now=60.0) == []
    assert watch.look({1: 40}, connected=(), now=60.0 + GAP_S) == []


def test_one_that_beats_again_is_watched_anew() -> None:
    watch = Watch()
    for second in range(5):
        assert watch.look({1: 40}, connected={1}, now=float(second)) == []
    assert watch.look({1: 41}, connected={1}, now=6.0) == []
    assert watch.look({1: 41}, connected={1}, now=8.0) == []


def test_what_is_known_to_be_dead_is_dead_at_once() -> None:
    assert Watch().look({1: 0}, connected=(), now=0.0) == [1]
