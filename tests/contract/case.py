"""Contract cases: folders of what goes over the wire, letter for letter.

A case is a folder `<dialect>/<case>/` with
- `case.toml`: `source` (where the behaviour is stated, or that it is our choice), `date`, `why`, and `[account]`; a
  dialect that has several roots (`ROOTS`) is played below each of them, or below the case's own `roots` only;
- `request.http` and `response.http`: requests and their answers, several divided by lines `###`;
  before a request below `### settled` every message comes to its end and every webhook is told;
- `after.json`: what the account has when all is done (only the members that are written are compared);
- `webhook.http`: what its webhooks were told.

Placeholders. In requests: `{{key}}` the account's key, `{{encoded}}` the same as it stands in an address, `{{user}}`
its user, `{{basic}}` both as HTTP Basic has them, `{{hook}}` an address that webhooks can reach, `{{root}}` the root of
the dialect, `{{x*512}}` a text 512 times, `{{numbers*3}}` so many different numbers, `{{octet*ff}}` an octet. In
answers `{{name:kind}}` stands for whatever fits the kind (see `KINDS`) and gives it a name; `{{name}}` is the same
again, anywhere later.
Header lines that are not written are not compared; the status, and the body octet by octet, are.
"""

import base64
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

KINDS = {
    "hex": "[0-9a-f]{32}",
    "int": "[1-9][0-9]*",
    "count": "[0-9]+",
    "word": "[A-Za-z]+",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "date": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "digits": "[0-9]{10}",
    "milli": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "micro": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "uid": "[0-9a-f]{13}",
    "uuid": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "ticks": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z",
    "any": ".*",
}
ROOTS: Mapping[str, Sequence[str]] = {"textboost": ("/api/v3", "/api/http")}
"""Where a dialect is served, when its cases are written for all places at once."""

_PLACEHOLDER = re.compile(r"\{\{(\w+)(?:([:*])(\w+))?\}\}")
_DIVIDER = re.compile(r"^###(.*)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSetup:
    """The account that a case begins with.

    numbers: its own, for SMS and MMS. campaigns: approved ones. channels: what it may send; empty for everything.
    settings: of single dialects.
    """

    credits: int = 100
    is_suspended: bool = False
    has_agreed: bool = True
    rate_limit: int | None = None
    senders: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    sender: str | None = None
    time_zone: str | None = None
    settings: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


class Opened(NamedTuple):
    """How an account is entered."""

    user: str
    key: str


@dataclass(frozen=True, slots=True)
class Written:
    """A request or an answer as it stands in a file: its first line, header lines and body."""

    first: str
    headers: Sequence[tuple[str, str]]
    body: str
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. target: path and query."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What comes back; names of headers in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Exchange(Protocol):
    """The program under test with one account. hook: an address that its webhooks can reach."""

    hook: str

    def open(self, account: AccountSetup) -> Opened:
        """Set the account up."""
        ...

    def call(self, request: Request) -> Response:
        """One request over HTTP; the length of the body is sent with it."""
        ...

    def settle(self) -> None:
        """Wait until every message has ended and every webhook has been told."""
        ...

    def after(self) -> Mapping[str, Any]:
        """`available` in credits as text; `messages` with recipient, text, reference, segments; `webhooks`, a count.

        `due_at_ms` of a message: when it will leave, if that is not at once.
        """
        ...

    def told(self, count: int) -> Sequence[Request]:
        """What the webhooks were given, in order; the target of each begins with the path below `hook`.

        count: so many calls are waited for, since nobody can tell when a handset will have written.
        """
        ...


@dataclass
class Names:
    """Values that placeholders stand for."""

    values: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """A text to be sent."""
        return _PLACEHOLDER.sub(self._value, text)

    def _value(self, found: re.Match[str]) -> str:
        name, sign, count = found.groups()
        if sign is None:
            return self.values[name]
        if name == "octet":
            return chr(0xDC00 + int(count, 16))
        if name == "numbers":
            return ",".join(str(27830000000 + number) for number in range(int(count)))
        return name * int(count)

    def match(self, expected: str, found: str, *, where: str) -> None:
        """Compare what came with what stands in the file, and remember what gets a name."""
        pattern, end, new = "", 0, set[str]()
        for placeholder in _PLACEHOLDER.finditer(expected):
            name, _, kind = placeholder.groups()
            pattern += re.escape(expected[end : placeholder.start()])
            if kind is not None:
                pattern += f"(?P<{name}>{KINDS[kind]})"
                new.add(name)
            else:
                pattern += f"(?P={name})" if name in new else re.escape(self.values[name])
            end = placeholder.end()
        fits = re.fullmatch(pattern + re.escape(expected[end:]), found)
        assert fits, f"{where}:\nexpected {expected}\nfound    {found}"
        self.values |= fits.groupdict()


def read(path: Path) -> Iterator[Written]:
    """The requests or answers in a file."""
    text = path.read_text(encoding="utf-8")
    pieces = _DIVIDER.split(text)
    yield _written(pieces[0], "")
    for note, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        yield _written(piece, note)


def _written(text: str, note: str) -> Written:
    assert note.strip() in ("", "settled"), f"### {note} is not known"
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip("\n").split("\n")
    # A blank at the end of a header's value may be what a case is about.
    headers = [(name, value.removeprefix(" ")) for name, _, value in (line.partition(":") for line in lines)]
    return Written(first, headers, body.removesuffix("\n"), note.strip() == "settled")


def request_from(written: Written, names: Names) -> Request:
    """What is sent for a request in a file."""
    method, target, _ = written.first.split(" ")
    headers = [(name, names.fill(value)) for name, value in written.headers]
    return Request(method, names.fill(target), headers, names.fill(written.body).encode(errors="surrogateescape"))


def compare(expected: Written, found: Response, names: Names) -> None:
    """Compare an answer with the one in a file."""
    body = found.body.decode()
    assert f"{found.status}" == expected.first.split(" ")[1], f"{found.status} {body}"
    for name, value in expected.headers:
        names.match(value, found.headers.get(name.lower(), "(no such header)"), where=name)
    names.match(expected.body, body, where="body")


def compare_told(expected: Written, found: Request, names: Names) -> None:
    """Compare what a webhook was given with what stands in a file."""
    method, target, _ = expected.first.split(" ")
    assert (found.method, found.target) == (method, target)
    given = {name.lower(): value for name, value in found.headers}
    for name, value in expected.headers:
        names.match(value, given.get(name.lower(), "(no such header)"), where=name)
    names.match(expected.body, found.body.decode(), where="body")


def compare_after(expected: object, found: object) -> None:
    """Compare the members that are written; lists have one length."""
    if isinstance(expected, Mapping):
        assert isinstance(found, Mapping)
        for name, value in expected.items():
            compare_after(value, found[name])
    elif isinstance(expected, list):
        assert isinstance(found, list)
        assert len(found) == len(expected)
        for one, other in zip(expected, found, strict=True):
            compare_after(one, other)
    else:
        assert found == expected


def account_in(folder: Path) -> AccountSetup:
    """The account of a case; the case must say where it comes from and why it is there."""
    facts = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    assert facts["source"], f"{folder.name} names no source"
    assert facts["date"], f"{folder.name} has no date"
    assert facts["why"], f"{folder.name} says nothing"
    given: dict[str, Any] = facts.get("account", {})
    for name, value in given.items():
        given[name] = tuple(value) if isinstance(value, list) else value
    return AccountSetup(**given)


def roots_of(folder: Path) -> Sequence[str]:
    """Where a case is played."""
    everywhere = ROOTS.get(folder.parent.name, ("",))
    roots: Sequence[str] = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8")).get("roots", everywhere)
    return roots


def play(folder: Path, exchange: Exchange, root: str = "") -> None:
    """Play a case from its first request to what its webhooks were told."""
    user, key = exchange.open(account_in(folder))
    basic = base64.b64encode(f"{user}:{key}".encode()).decode()
    encoded = key.replace("|", "%7C")
    values = {"hook": exchange.hook, "user": user, "key": key, "encoded": encoded, "basic": basic, "root": root}
    names = Names(values)
    requests, answers = list(read(folder / "request.http")), list(read(folder / "response.http"))
    assert len(requests) == len(answers)
    for request, answer in zip(requests, answers, strict=True):
        if request.is_settled:
            exchange.settle()
        compare(answer, exchange.call(request_from(request, names)), names)
    _play_after(folder, exchange, names=names)


def _play_after(folder: Path, exchange: Exchange, *, names: Names) -> None:
    after, webhook = folder / "after.json", folder / "webhook.http"
    if webhook.exists():
        exchange.settle()
        expected = list(read(webhook))
        found = exchange.told(len(expected))
        assert len(found) == len(expected), found
        for written, request in zip(expected, found, strict=True):
            compare_told(written, request, names)
    if after.exists():
        compare_after(json.loads(after.read_text(encoding="utf-8")), exchange.after())
