"""What the records come to: each message's three times joined on its recipient, and the figures of that."""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from heliograph.cli.bench.costs import BenchCost, Cost, DatabaseCost, Spent, bench_cost, cost, database_cost
from heliograph.cli.bench.orders import FarRecords, LoadRecords
from heliograph.cli.bench.stage import Plan

_NS_IN_MS: Final = 1e6
_NS_IN_S: Final = 1e9


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, in milliseconds, by nearest rank; null when it never happened."""

    p50: float | None
    p95: float | None
    p99: float | None
    longest: float | None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """Accept is the moment the caller has read the answer: a message may have left before, and then less than 0."""

    request_to_accept: Spread
    request_to_submit: Spread
    accept_to_submit: Spread
    accept_to_webhook: Spread


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where it was measured. bench_cpu_s: what the load, the message centre and the webhook took of it meanwhile."""

    cores: int
    python: str
    disk: str
    bench_cpu_s: float


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one run.

    durable_per_s: messages told as delivered, from the first request to the last call. requests_failed: by HTTP
    status, 0 for no answer. lost: accepted and never submitted. untold: submitted and never told.
    """

    plan: Plan
    accepted: int
    requests_failed: dict[str, int]
    durable_per_s: int
    accepted_per_s: int
    submitted_per_s: int
    seconds: float
    latency_ms: Latency
    server: Cost
    database: DatabaseCost | None
    bench: BenchCost
    machine: Machine
    lost: int
    untold: int
    submitted_twice: int
    told_twice: int

    @property
    def is_clean(self) -> bool:
        """Everything was accepted, submitted once and told."""
        return not (self.requests_failed or self.lost or self.untold or self.submitted_twice)


@dataclass(slots=True)
class Joined:
    """Nanoseconds that each message took between its stations, and what went wrong."""

    accepted: int = 0
    submitted: int = 0
    told: int = 0
    lost: int = 0
    untold: int = 0
    first_request: int = 0
    last_answer: int = 0
    last_submit: int = 0
    last_told: int = 0
    request_to_accept: "array[int]" = field(default_factory=lambda: array("q"))
    request_to_submit: "array[int]" = field(default_factory=lambda: array("q"))
    accept_to_submit: "array[int]" = field(default_factory=lambda: array("q"))
    accept_to_webhook: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, started: int, ended: int, *, submitted: int, told: int) -> None:
        """One accepted message; 0 for what never happened."""
        self.accepted += 1
        if submitted:
            self.submitted += 1
            self.last_submit = max(self.last_submit, submitted)
            self.request_to_submit.append(submitted - started)
            self.accept_to_submit.append(submitted - ended)
        else:
            self.lost += 1
        if told:
            self.told += 1
            self.last_told = max(self.last_told, told)
            self.accept_to_webhook.append(told - ended)
        elif submitted:
            self.untold += 1


def join(load: LoadRecords, far: FarRecords, *, per_request: int) -> Joined:
    """Follow every accepted message from its request to the webhook."""
    joined = Joined(first_request=min((at for at in load.started if at), default=0))
    for index, status in enumerate(load.status):
        if not 200 <= status < 300:
            continue
        started, ended = load.started[index], load.ended[index]
        joined.request_to_accept.append(ended - started)
        joined.last_answer = max(joined.last_answer, ended)
        for message in range(index * per_request, (index + 1) * per_request):
            joined.add(started, ended, submitted=far.submitted[message], told=far.told[message])
    return joined


def percentile(ordered: Sequence[int], share: float) -> int:
    """Nearest rank: the smallest that at least this share (above 0, at most 1) of the values do not exceed.

    >>> percentile([10, 20, 30, 40], 0.5), percentile([10, 20, 30, 40], 0.99)
    (20, 40)
    """
    return ordered[math.ceil(len(ordered) * share) - 1]


def spread(nanoseconds: Iterable[int]) -> Spread:
    """Percentiles of durations."""
    ordered = sorted(nanoseconds)
    if not ordered:
        return Spread(p50=None, p95=None, p99=None, longest=None)
    p50, p95, p99 = (_ms(percentile(ordered, share)) for share in (0.5, 0.95, 0.99))
    return Spread(p50=p50, p95=p95, p99=p99, longest=_ms(ordered[-1]))


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / _NS_IN_MS, 2)


def _per_s(count: int, *, begin: int, end: int) -> int:
    return round(count / ((end - begin) / _NS_IN_S)) if end > begin else 0


def report(plan: Plan, *, load: LoadRecords, far: FarRecords, spent: Spent, machine: Machine) -> Report:
    """The figures of a run."""
    joined = join(load, far, per_request=plan.per_request)
    begin = joined.first_request
    failed = Counter(status for status in load.status if not 200 <= status < 300)
    return Report(
        plan=plan,
        accepted=joined.accepted,
        requests_failed={str(status): count for status, count in sorted(failed.items())},
        durable_per_s=_per_s(joined.told, begin=begin, end=joined.last_told),
        accepted_per_s=_per_s(joined.accepted, begin=begin, end=joined.last_answer),
        submitted_per_s=_per_s(joined.submitted, begin=begin, end=joined.last_submit),
        seconds=round(max(0, joined.last_told - begin) / _NS_IN_S, 3),
        latency_ms=Latency(
            request_to_accept=spread(joined.request_to_accept),
            request_to_submit=spread(joined.request_to_submit),
            accept_to_submit=spread(joined.accept_to_submit),
            accept_to_webhook=spread(joined.accept_to_webhook),
        ),
        server=cost(spent, messages=plan.sent),
        database=database_cost(spent, messages=plan.sent),
        bench=bench_cost(spent, messages=plan.sent),
        machine=machine,
        lost=joined.lost,
        untold=joined.untold,
        submitted_twice=sum(count > 1 for count in far.submits),
        told_twice=sum(count > 1 for count in far.tellings),
    )


def text_of(report: Report) -> str:
    """The figures for people."""
    plan, server, machine = report.plan, report.server, report.machine
    pace = f"{plan.rate:,.0f} messages a second" if plan.rate else "as fast as they were answered"
    used = f"{server.cpu_s_per_1000} CPU seconds for 1,000 messages, {server.peak_memory_mb} MB at most"
    bench_used = f"{report.bench.load_cpu_s_per_1000} to ask, {report.bench.far_cpu_s_per_1000} as carrier and webhook"
    lines = [
        f"{report.durable_per_s:,} durable messages a second, from the request to the webhook's word of delivery",
        f"  {report.accepted:,} messages, {plan.per_request:,} in a request, {plan.connections:,} connections, {pace}",
        f"  window {plan.window:,}, policy {plan.policy}; {report.seconds:,} s with the last call's wait for company",
        f"  accepted {report.accepted_per_s:,} a second, submitted {report.submitted_per_s:,} a second",
        "",
        f"{'milliseconds':<20}{'p50':>10}{'p95':>10}{'p99':>10}{'longest':>10}",
        *(_row(name, getattr(report.latency_ms, name)) for name in Latency.__struct_fields__),
        "",
        f"server    {_processes(plan)}{used}",
        f"          {server.commits:,} commits (one fsync each), {server.commits_per_1000} for 1,000 messages",
        *_database_lines(report),
        f"machine   {machine.cores} cores, Python {machine.python}, data on {machine.disk}",
        f"          the bench itself used {machine.bench_cpu_s} CPU seconds of it, for 1,000 messages {bench_used}",
        f"lost      {report.lost}; not told {report.untold}",
        f"twice     submitted {report.submitted_twice}, told {report.told_twice}",
    ]
    if report.requests_failed:
        failed = ", ".join(f"{count:,} with {status}" for status, count in report.requests_failed.items())
        lines.append(f"requests that failed, by HTTP status (0: no answer): {failed}")
    if machine.disk in ("tmpfs", "ramfs"):
        lines.append("The data lay in memory, where a commit costs nothing: choose a disk with TMPDIR.")
    return "\n".join(lines)


def _processes(plan: Plan) -> str:
    held = f"held to {plan.process_share} of a core" if plan.process_share else ""
    if plan.processes == 1:
        return held and f"{held}, "
    return f"{plan.processes} processes, {held and f'{held} each, '}together "


def _database_lines(report: Report) -> Iterator[str]:
    """PostgreSQL's share, when the store is there."""
    cost, cores = report.database, report.plan.database_cores
    if cost is None:
        return
    if cost.cpu_s_per_1000 is None:
        used = "CPU and memory not known: the server was not started here"
    else:
        used = f"{cost.cpu_s_per_1000} CPU seconds for 1,000 messages, {cost.memory_mb} MB at the end"
    alone = f"; processors of its own: {', '.join(map(str, cores))}" if cores else ""
    yield f"database  {used}{alone}"
    yield (
        f"          {cost.log_octets_per_message:,} octets a message written to its log, "
        f"{cost.disk_octets_per_message:,} kept in its files"
    )


def _row(name: str, spread: Spread) -> str:
    values = (spread.p50, spread.p95, spread.p99, spread.longest)
    return f"{name.replace('_', ' '):<20}" + "".join(
        f"{'-' if value is None else f'{value:,.1f}':>10}" for value in values
    )
