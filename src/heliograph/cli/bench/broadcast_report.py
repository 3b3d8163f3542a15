"""What a broadcast came to: its rates, its memory, and whether everybody got one message."""

from array import array
from typing import Final

import msgspec

from heliograph.cli.bench.orders import FarRecords, LoadRecords
from heliograph.cli.bench.report import Machine, Spread, spread

_NS_IN_S: Final = 1e9


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What an import took: seconds of the whole command, and the memory of its process."""

    seconds: float
    peak_memory_mb: float


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A broadcast as the bench saw it: begun and expanded on the monotonic clock, 0 for never.

    cpu_s, peak_memory_mb: of the server's two processes.
    """

    begin_ns: int
    expanded_ns: int
    accepted: int
    refused: int
    cpu_s: float
    peak_memory_mb: float
    bench_cpu_s: float


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """Contacts from a CSV file."""

    contacts_per_s: int
    seconds: float
    peak_memory_mb: float


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The broadcast. expanded: from its beginning to its end; submitted: to the last segment at the carrier."""

    expanded_per_s: int
    submitted_per_s: int
    seconds: float
    first_left_ms: float | None
    left_before_expanded: int
    cpu_s_per_1000: float
    peak_memory_mb: float


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """Another account's requests: milliseconds from when each was due to its answer, before the broadcast and in it."""

    requests: int
    failed: int
    quiet_ms: Spread
    meanwhile_ms: Spread


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one run. missed, twice: contacts without a message, and with more than one."""

    contacts: int
    imported: Import
    sent: Sent
    beside: Beside
    machine: Machine
    accepted: int
    refused: int
    missed: int
    twice: int

    @property
    def is_clean(self) -> bool:
        """Each contact got exactly one message, and nobody else was refused for it."""
        return not (self.missed or self.twice or self.refused or self.beside.failed)


def report(
    contacts: int, *, imported: Usage, seen: Seen, far: FarRecords, beside: LoadRecords, machine: Machine
) -> Report:
    """The figures of a run."""
    last_ns = max(far.submitted, default=0)
    first_ns = min((at for at in far.submitted if at), default=0)
    return Report(
        contacts=contacts,
        imported=Import(
            contacts_per_s=_per_s(contacts, round(imported.seconds * _NS_IN_S)),
            seconds=round(imported.seconds, 2),
            peak_memory_mb=round(imported.peak_memory_mb, 1),
        ),
        sent=Sent(
            expanded_per_s=_per_s(seen.accepted + seen.refused, seen.expanded_ns - seen.begin_ns),
            submitted_per_s=_per_s(sum(map(bool, far.submits)), last_ns - first_ns),
            seconds=round(max(0, max(last_ns, seen.expanded_ns) - seen.begin_ns) / _NS_IN_S, 2),
            first_left_ms=round((first_ns - seen.begin_ns) / 1e6, 1) if first_ns else None,
            left_before_expanded=sum(0 < at < seen.expanded_ns for at in far.submitted),
            cpu_s_per_1000=round(seen.cpu_s / max(1, seen.accepted) * 1_000, 3),
            peak_memory_mb=round(seen.peak_memory_mb, 1),
        ),
        beside=_beside(beside, seen.begin_ns),
        machine=machine,
        accepted=seen.accepted,
        refused=seen.refused,
        missed=sum(not count for count in far.submits),
        twice=sum(count > 1 for count in far.submits),
    )


def _beside(load: LoadRecords, begin_ns: int) -> Beside:
    quiet, meanwhile = array("q"), array("q")
    failed = 0
    for started, ended, status in zip(load.started, load.ended, load.status, strict=True):
        if not ended:
            # Not sent, or its answer was not waited for.
            continue
        (quiet if started < begin_ns else meanwhile).append(ended - started)
        failed += not 200 <= status < 300
    return Beside(
        requests=len(quiet) + len(meanwhile), failed=failed, quiet_ms=spread(quiet), meanwhile_ms=spread(meanwhile)
    )


def _per_s(count: int, nanoseconds: int) -> int:
    return round(count / (nanoseconds / _NS_IN_S)) if nanoseconds > 0 else 0


def text_of(report: Report) -> str:
    """The figures for people."""
    imported, sent, beside, machine = report.imported, report.sent, report.beside, report.machine
    lines = [
        f"{sent.expanded_per_s:,} contacts a second became messages, {sent.submitted_per_s:,} a second were submitted",
        f"  {report.contacts:,} contacts, one text with merge fields; {sent.seconds:,} s in all",
        f"  first submit after {_shown(sent.first_left_ms)} ms; {sent.left_before_expanded:,} before all were expanded",
        "",
        f"import    {imported.contacts_per_s:,} contacts a second from CSV; {imported.peak_memory_mb} MB at most",
        f"server    {sent.cpu_s_per_1000} CPU s for 1,000 messages, {sent.peak_memory_mb} MB at most, in two processes",
        f"beside    {beside.requests:,} requests of another account, {beside.failed} failed; answered in ms:",
        _row("before", beside.quiet_ms),
        _row("meanwhile", beside.meanwhile_ms),
        f"machine   {machine.cores} cores, Python {machine.python}, data on {machine.disk}",
        f"          the bench itself used {machine.bench_cpu_s} CPU seconds of it",
        f"contacts  accepted {report.accepted:,}, refused {report.refused:,}",
        f"          without a message {report.missed:,}, with more than one {report.twice:,}",
    ]
    if machine.disk in ("tmpfs", "ramfs"):
        lines.append("The data lay in memory, where a commit costs nothing: choose a disk with TMPDIR.")
    return "\n".join(lines)


def _row(name: str, spread: Spread) -> str:
    return (
        f"          {name:<10} p50 {_shown(spread.p50)}, p95 {_shown(spread.p95)}, p99 {_shown(spread.p99)}, "
        f"longest {_shown(spread.longest)}"
    )


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
