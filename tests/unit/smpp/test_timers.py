from math import inf

from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.timers import Timers


def test_infinity_switches_a_timer_off() -> None:
    timers = Timers(session_init=inf)
    session = Session(Role.MC, timers=timers, window=1, now=0.0)
    assert session.next_deadline() is None
    assert Session(Role.MC, timers=Timers(), window=1, now=0.0).next_deadline() == Timers().session_init
