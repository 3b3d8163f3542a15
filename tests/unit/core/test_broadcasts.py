"""Where a broadcast can stand."""

from heliograph.core.broadcasts import BroadcastState


def test_only_an_end_is_the_end() -> None:
    over = {state for state in BroadcastState if state.is_over}
    assert over == {BroadcastState.DONE, BroadcastState.CANCELLED}
