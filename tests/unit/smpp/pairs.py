"""Both ends of a session in memory, for the tests of the machine."""

from dataclasses import dataclass, field

from heliograph.smpp.constants import BindKind
from heliograph.smpp.events import BindRequested, Bound, Event
from heliograph.smpp.pdus import Bind
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.timers import Timers


@dataclass
class Pair:
    """An ESME and a message centre with a perfect wire between them and one clock that the test moves."""

    timers: Timers = field(default_factory=Timers)
    window: int = 10
    now: float = 1000.0

    def __post_init__(self) -> None:
        self.esme = Session(Role.ESME, timers=self.timers, window=self.window, now=self.now)
        self.mc = Session(Role.MC, timers=self.timers, window=self.window, now=self.now)

    def to_mc(self) -> list[Event]:
        """Carry what the ESME has to send."""
        data = self.esme.data_to_send()
        return self.mc.receive(data, now=self.now) if data else []

    def to_esme(self) -> list[Event]:
        """Carry what the message centre has to send."""
        data = self.mc.data_to_send()
        return self.esme.receive(data, now=self.now) if data else []

    def bind(self, kind: BindKind = BindKind.TRANSCEIVER, *, interface_version: int = 0x34) -> Event:
        """Bind with the message centre's consent; what the ESME hears of it."""
        request = Bind(kind=kind, system_id="shop", password="secret", interface_version=interface_version)
        sequence = self.esme.request(request, now=self.now)
        assert self.to_mc() == [BindRequested(sequence, request)]
        self.mc.answer_bind(sequence, system_id="centre")
        (event,) = self.to_esme()
        return event


def bound(kind: BindKind = BindKind.TRANSCEIVER, *, timers: Timers | None = None, window: int = 10) -> Pair:
    """A pair that is bound."""
    pair = Pair(timers=timers or Timers(), window=window)
    assert isinstance(pair.bind(kind), Bound)
    return pair
