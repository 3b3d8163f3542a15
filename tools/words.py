"""The vocabulary: one name for each thing (docs/glossary.md), and none of its synonyms.

Looked at: names of modules, classes, functions, parameters, fields and table columns in src/heliograph. A name is cut
at underscores and capitals and its parts are compared, so that `counterpart` is not a `part`. Where a standard or a
vendor has the word, its own names are kept: smpp/, mm7/, sip/ and a dialect's wire.py.

    python tools/words.py [ROOT]     ROOT: the checkout; default: the one this file is in
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

SOURCE = Path("src/heliograph")

# Someone else's vocabulary.
FOREIGN = ("smpp/*", "mm7/*", "sip/*", "dialects/*/wire.py", "dialects/*/wire/*")

# The synonym → the word to use. The plural is meant too.
BANNED = {
    "adapter": "driver, for a carrier; Dialect, for an HTTP API",
    "bill": "Quote or Posting",
    "blacklist": "OptOut",
    "cfg": "config, or settings",
    "charset": "Encoding",
    "client": "Account, or driver; Role.ESME in SMPP",
    "cnt": "count",
    "conn": "connection; Session in SMPP",
    "connector": "Carrier",
    "ctx": "the thing it stands for",
    "debit": "capture",
    "destination": "recipient",
    "dlr": "Receipt",
    "flavour": "Dialect",
    "flight": "window",
    "fragment": "Segment",
    "gateway": "Carrier",
    "inbound": "mo, or incoming",
    "inflight": "window",
    "login": "bind",
    "mgr": "what it does",
    "mobile": "Msisdn",
    "msg": "Message",
    "notification": "Message, or Event",
    "org": "Account",
    "originator": "Sender",
    "outbound": "mt, or outgoing",
    "part": "Segment",
    "phone": "Msisdn",
    "postback": "Webhook",
    "provider": "Carrier",
    "req": "request",
    "resp": "response",
    "sdt": "send_at",
    "smsc": "MessageCentre; Role.MC in SMPP",
    "subscriber": "Contact",
    "suppression": "OptOut",
    "tariff": "RateCard",
    "tel": "Msisdn",
    "telephone": "Msisdn",
    "tenant": "Account",
    "token": "ApiKey",
    "tps": "throughput",
    "ttl": "expires_at",
    "unsubscribe": "OptOut",
    "vendor": "Carrier, or Dialect",
}

# Names of modules and classes that say nothing about what is inside.
EMPTY = frozenset({"base", "common", "helper", "manager", "misc", "util"})

# Where a banned word is the right one: (path pattern, word, why).
ALLOWED = (
    ("net/http.py", "client", "the HTTP client itself"),
    ("net/http.py", "connector", "aiohttp's name for what opens its connections"),
    ("net/guard.py", "connector", "aiohttp's name for what opens its connections"),
    ("webhooks/*", "client", "the HTTP client that it calls with"),
    ("testing/*", "client", "the HTTP client that a test calls with"),
    ("carriers/smpp/mapping.py", "destination", "the standard's field, where a Message becomes a PDU"),
    ("core/throttle.py", "token", "a token bucket"),
    ("sandbox/*", "phone", "the simulated handset itself"),
)

PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def parts_of(name: str) -> list[str]:
    """The words in a snake_case or CamelCase name, in small letters.

    >>> parts_of("SMSCAddress"), parts_of("in_flight_2")
    (['smsc', 'address'], ['in', 'flight'])
    """
    return [each.lower() for each in PART.findall(name)]


def is_allowed(word: str, *, where: str) -> bool:
    """Whether a banned word is the right one in the module at this path below src/heliograph."""
    return any(word == allowed and fnmatch(where, pattern) for pattern, allowed, _ in ALLOWED)


def banned_in(name: str, *, where: str) -> Iterator[str]:
    """What is wrong with a name, one sentence for each wrong word in it."""
    for part in parts_of(name):
        word = part if part in BANNED else part.removesuffix("s")
        if word in BANNED and not is_allowed(word, where=where):
            yield f"{name}: not {part!r}; say {BANNED[word]}"


def empty_in(name: str) -> Iterator[str]:
    """What is wrong with the name of a module or class, beside the synonyms."""
    for part in parts_of(name):
        if part.removesuffix("s") in EMPTY:
            yield f"{name}: {part!r} says nothing about what is inside"


def class_findings(name: str) -> Iterator[str]:
    """What is wrong with the name of a class, beside the synonyms: `sms` is a channel, and a message is not one."""
    yield from empty_in(name)
    if "sms" in parts_of(name):
        yield f"{name}: not 'sms'; say Message, or Channel.SMS for the channel"


def column_name(node: ast.Call) -> str | None:
    """The name given to a table or a column in a SQLAlchemy table, if that is what is called."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called not in ("Column", "Table", "column", "table") or not node.args:
        return None
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None


def assigned_fields(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    """Fields and members written in a class's body, each with its line."""
    for each in node.body:
        targets: Sequence[ast.expr] = ()
        if isinstance(each, ast.AnnAssign):
            targets = (each.target,)
        elif isinstance(each, ast.Assign):
            targets = each.targets
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.lineno, target.id


def names_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every name of ours that outlives its function, each with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.lineno, node.name
                arguments = node.args
                for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                    yield argument.lineno, argument.arg
            case ast.ClassDef():
                yield node.lineno, node.name
                yield from assigned_fields(node)
            case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.Call() if (name := column_name(node)) is not None:
                yield node.lineno, name


def module_findings(where: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each wrong name in one module, its own among them, with its line. where: its path below src/heliograph."""
    path = Path(where)
    module = path.parent.name if path.stem == "__init__" else path.stem
    yield from ((1, finding) for finding in empty_in(module))
    for line, name in ((1, module), *names_in(tree)):
        yield from ((line, finding) for finding in banned_in(name, where=where))
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from ((node.lineno, finding) for finding in class_findings(node.name))


def check(root: Path) -> list[str]:
    """Each wrong name, as `path:line: sentence`."""
    findings: list[str] = []
    source = root / SOURCE
    for path in sorted(source.rglob("*.py")):
        where = path.relative_to(source).as_posix()
        if not any(fnmatch(where, pattern) for pattern in FOREIGN):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            findings += [
                f"{SOURCE / where}:{line}: {finding}" for line, finding in sorted(module_findings(where, tree))
            ]
    return findings


def main(arguments: Sequence[str]) -> int:
    """Print the findings; 1 when there is one."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = check(root)
    for finding in findings:
        print(finding)
    print(f"words: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
