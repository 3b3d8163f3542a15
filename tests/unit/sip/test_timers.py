from heliograph.sip.timers import Timers


def test_all_follow_from_three() -> None:
    timers = Timers()
    assert (timers.transaction, timers.completed) == (32.0, 32.0)
    assert (Timers(t1=1.0).transaction, Timers(t1=1.0).completed) == (64.0, 64.0)
    assert Timers(t1=0.01).completed == 32.0
