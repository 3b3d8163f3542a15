"""The figures of one process for Prometheus, put together when someone asks.

The hops count in plain numbers (`pipeline.tally`); nothing here costs a message anything. Labels are carriers,
states and reasons: never an account, a number or an address.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from heliograph.core.ids import CarrierId
from heliograph.pipeline.dispatch import Dispatch, Line
from heliograph.pipeline.tally import Tally

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


class Live(Protocol):
    """What a running server lets us look at."""

    @property
    def dispatch(self) -> Dispatch:
        """The queues, and the desk with the tally of all hops, the carriers' names and the writer."""
        ...

    @property
    def process(self) -> Mapping[str, str]:
        """Which of several processes it is."""
        ...


class Metrics:
    """Everything that `/metrics` shows of one server."""

    def __init__(self, live: Live) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(live))
        ProcessCollector(registry=self._registry)

    def render(self) -> bytes:
        """The present figures in Prometheus's text format."""
        return generate_latest(self._registry)


class _Figures(Collector):
    """Reads the tally and the queues; remembers the names of carriers that were removed, so that series go on."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._names: dict[CarrierId, str] = {}

    def collect(self) -> Iterator[Metric]:
        """One pass over what there is now."""
        dispatch, desk = self._live.dispatch, self._live.dispatch.desk
        carriers = desk.directory.snapshot.carriers
        self._names.update({carrier_id: carrier.name for carrier_id, carrier in carriers.items()})
        which = GaugeMetricFamily(
            "heliograph_process", "Which of the processes that share a store this is.", labels=tuple(self._live.process)
        )
        which.add_metric(tuple(self._live.process.values()), 1)
        yield which
        yield from _messages(desk.tally)
        yield from _webhooks(desk.tally)
        yield from self._traffic(desk.tally)
        yield from self._lines(dispatch.lines)
        held, waiting, commits = dispatch.in_memory, dispatch.waiting, desk.writer.commits
        yield _gauge("messages_in_memory", held, meaning="Messages this process holds and has not finished.")
        yield _gauge(
            "messages_waiting", waiting, meaning="Messages that wait in the store and are due within half an hour."
        )
        yield _counter("store_commits", commits, meaning="Transactions of the hops; each is synced to disk once.")

    def _traffic(self, tally: Tally) -> Iterator[Metric]:
        outcomes = CounterMetricFamily(
            "heliograph_outcomes", "Segments by what the carrier said.", labels=("carrier", "outcome")
        )
        for (carrier_id, kind), count in tally.outcomes.items():
            outcomes.add_metric((self._name(carrier_id), kind), count)
        yield outcomes
        yield _counters("receipts", self._named(tally.receipts), label="carrier", meaning="Receipts from carriers.")
        yield _counters(
            "incoming",
            self._named(tally.incoming),
            label="carrier",
            meaning="Whole messages from handsets that were stored.",
        )

    def _lines(self, lines: Mapping[CarrierId, Line]) -> Iterator[Metric]:
        known = [(self._name(carrier_id), carrier_id, line) for carrier_id, line in lines.items()]
        queued = [(name, len(line.queue)) for name, _, line in known]
        unsettled = [(name, len(line.holding)) for name, _, line in known]
        sessions = [(name, len(line.sessions)) for name, _, line in known]
        windows = [(name, self._window(carrier_id, line)) for name, carrier_id, line in known]
        yield _gauges("carrier_queued_messages", queued, meaning="Messages in the carrier's queue.")
        yield _gauges(
            "carrier_unsettled_messages", unsettled, meaning="Messages handed to sessions and not settled yet."
        )
        yield _gauges("carrier_sessions", sessions, meaning="Sessions that are bound.")
        yield _gauges(
            "carrier_window_segments", windows, meaning="Segments that all bound sessions may leave unanswered."
        )

    def _window(self, carrier_id: CarrierId, line: Line) -> int:
        carrier = self._live.dispatch.desk.directory.snapshot.carriers.get(carrier_id)
        return carrier.window * len(line.sessions) if carrier is not None else 0

    def _name(self, carrier_id: CarrierId) -> str:
        return self._names.get(carrier_id, str(carrier_id))

    def _named(self, counts: Mapping[CarrierId, int]) -> list[tuple[str, int]]:
        return [(self._name(carrier_id), count) for carrier_id, count in counts.items()]


def _messages(tally: Tally) -> Iterator[Metric]:
    yield _counter("submissions", tally.submissions, meaning="Submissions that were accepted.")
    yield _counter("messages_accepted", tally.accepted, meaning="Messages that were accepted.")
    refused = [(reason.name.lower(), count) for reason, count in tally.refused.items()]
    yield _counters("submissions_refused", refused, label="reason", meaning="Submissions that were refused as a whole.")
    entered = [(state.word, count) for state, count in tally.states.items()]
    yield _counters("messages_entered", entered, label="state", meaning="Messages that entered a state.")


def _webhooks(tally: Tally) -> Iterator[Metric]:
    yield _counter(
        "events_told",
        tally.events_told,
        meaning="Events in deliveries that were stored to be told; webhook_calls says how the calls went.",
    )
    calls = [("yes" if was_taken else "no", count) for was_taken, count in tally.calls.items()]
    yield _counters("webhook_calls", calls, label="taken", meaning="Calls of webhooks, by whether they were taken.")


def _counter(name: str, value: int, *, meaning: str) -> Metric:
    return CounterMetricFamily(f"heliograph_{name}", meaning, value=value)


def _gauge(name: str, value: int, *, meaning: str) -> Metric:
    return GaugeMetricFamily(f"heliograph_{name}", meaning, value=value)


def _counters(name: str, counts: Iterable[tuple[str, int]], *, label: str, meaning: str) -> Metric:
    family = CounterMetricFamily(f"heliograph_{name}", meaning, labels=(label,))
    for labelled, count in counts:
        family.add_metric((labelled,), count)
    return family


def _gauges(name: str, values: Iterable[tuple[str, int]], *, meaning: str) -> Metric:
    family = GaugeMetricFamily(f"heliograph_{name}", meaning, labels=("carrier",))
    for carrier, value in values:
        family.add_metric((carrier,), value)
    return family
