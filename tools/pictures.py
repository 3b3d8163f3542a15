"""What the documents show of the code, drawn from the code: states, errors, fates, settings, commands, metrics.

A page that shows something has a block between two marks; what stands there is written by `make docs`, everything else
by people. `--check` writes nothing: it names the blocks that are out of date, links that lead nowhere, and modules that
a page names and nobody has.

    python tools/pictures.py [--check] [ROOT]     ROOT: the checkout; default: the one this file is in
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, Literal, cast, get_args, get_origin

import typer
from prometheus_client.parser import text_string_to_metric_families

from heliograph import config
from heliograph.cli import GROUPS
from heliograph.core import fates
from heliograph.core.ids import CarrierId
from heliograph.core.reasons import Reason
from heliograph.core.states import MOVES, MessageState
from heliograph.dialects.bulkvs import endpoints as bulkvs_endpoints
from heliograph.dialects.bulkvs import errors as bulkvs_errors
from heliograph.dialects.bulkvs import events as bulkvs_events
from heliograph.dialects.dialect import Endpoint
from heliograph.dialects.textboost import broadcasts as textboost_broadcasts
from heliograph.dialects.textboost import endpoints as textboost_endpoints
from heliograph.dialects.textboost import errors as textboost_errors
from heliograph.dialects.textboost import reports as textboost_reports
from heliograph.dialects.touchbasepro import endpoints, errors, translate
from heliograph.ops.metrics import Live, Metrics
from heliograph.pipeline.tally import Tally

BLOCK: Final = re.compile(r"(<!-- made by tools/pictures\.py: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")
MODULE: Final = re.compile(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`")
FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)

SETTINGS: Final[Mapping[str, str]] = {
    "data": "The data folder. The store and the two lock files live here unless `database` says otherwise.",
    "database": "The store. Empty means `heliograph.sqlite` in the data folder. A PostgreSQL address is any that libpq "
    "takes.",
    "database_unsafe": "Serve also on a PostgreSQL server whose settings let it lose in a crash what it has committed.",
    "listen": "Where the HTTP interface listens.",
    "smpp_listen": "Where customers will bind over SMPP. Read and checked; this version does not listen there yet.",
    "public_url": "How customers reach us, for links we hand out. Without it the host that the caller asked.",
    "webhook_allow": "Networks that webhooks and media may be at although they are private or loopback.",
    "webhook_https_only": "Call webhooks, and fetch media, over https only.",
    "rate_limit": "Requests a minute for each account that has no limit of its own; 0 for none.",
    "sender": "The sender of accounts that have no default of their own.",
    "national_tables": "Whose shift tables may be used for which numbers, where the carrier takes them: such as "
    "`90:turkish,351:portuguese`. See [alphabets](alphabets.md).",
    "us_campaigns": "Whether US numbers (+1, but for toll-free ones) send SMS and MMS only for an approved campaign.",
    "message_limit": "Messages that may wait in the store, due within half an hour; past it, submissions are refused.",
    "memory_limit": "Unfinished messages held in memory; past it, they wait in the store.",
    "validity_hours": "How long a message is tried before it expires.",
    "retention_days": "How long a message is kept after it ended, with its text; 0 keeps it.",
    "media": "Where files of MMS are kept; empty is a folder in the data folder. See [media](../howto/media.md).",
    "media_most_octets": "The largest file that is fetched for an MMS.",
    "media_link_days": "How long a link to a file is good. Deliveries can be replayed for 30 days, links and all.",
    "speech_most_octets": "How much is kept of texts that were read aloud, so that the same one is not read again. "
    "A second takes 16,000 octets. It stands in `speech` in the data folder. See [voices](voices.md).",
    "log_level": "The least that is logged.",
    "processes": "Processes that serve beside each other on this machine; on PostgreSQL.",
    "role": "What they do: take requests, run carriers, or both; on PostgreSQL.",
    "process_listen": "Where the first process answers `/readyz` for itself; the others at the ports behind.",
}
"""What each setting is for, beside what `config` knows of it."""


def cell(text: str) -> str:
    """A text that cannot break a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rows = [columns, ["---"] * len(columns), *([cell(each) for each in line] for line in lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


# Blocks ------------------------------------------------------------------------------------------------------------


def moves() -> str:
    """The picture of the states: an arrow for each move, the ends of one state on one arrow."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", "    [*] --> scheduled", "    [*] --> queued"]
    for old, following in MOVES.items():
        if old is MessageState.RECEIVED:
            lines.append("    [*] --> received")
        still_open = [new for new in sorted(following) if not new.is_terminal]
        ends = [new.word for new in sorted(following) if new.is_terminal]
        lines += [f"    {old.word} --> {new.word}" for new in still_open]
        if MessageState.UNKNOWN.word in ends:
            lines.append(f"    {old.word} --> unknown")
        settled = [word for word in ends if word != MessageState.UNKNOWN.word]
        if settled:
            lines.append(f"    {old.word} --> [*] : {', '.join(settled)}")
    return "\n".join([*lines, "```", ""])


def move_table() -> str:
    """The same as rows, for looking up."""
    lines = [
        [f"`{old.word}`", ", ".join(f"`{new.word}`" for new in sorted(following)) or "nothing: this is an end"]
        for old, following in MOVES.items()
    ]
    return table(("from", "may go to"), lines)


def reasons() -> str:
    """A section for each reason, so that each has an address to link to."""
    sections = []
    for reason in Reason:
        words = errors.WORDS[reason]
        told = f"\nTouchBasePro: HTTP {words.status}, `Code` {words.code or 1000 + reason.number}."
        told += f" BulkVS: HTTP {bulkvs_errors.STATUSES[reason]}."
        faithful, strict = textboost_errors.WORDS[reason].statuses
        told += f" TextBoost: HTTP {faithful}{f', strict {strict}' if strict != faithful else ''}.\n"
        sections.append(
            f"## {reason.number} {reason.name.lower().replace('_', ' ')}\n\n"
            f"{reason.sentence} {reason.advice}\n{told if reason.number < 200 else ''}"
        )
    return "\n".join(["", *sections])


def fate_table() -> str:
    """The fates of sandbox recipients."""
    return table(
        ("last digits", "example", "fate", "what happens"),
        [
            (f"`{row.digits}`" if row.digits else "any other", row.example, row.fate, row.sentence)
            for row in fates.table()
        ],
    )


def settings_table() -> str:
    """Every setting with its default; raises KeyError for one whose meaning nobody wrote down here."""
    defaults = config.load_settings(None, {"HOME": "~"}, {})
    lines = []
    for name, setting in config._SETTINGS.items():  # noqa: SLF001 (the table itself is what is shown)
        value = getattr(defaults, name)
        shown = "" if value in (None, (), "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"
        lines.append((f"`{name}`", f"`{config.PREFIX}{name.upper()}`", shown, setting.form, SETTINGS[name]))
    return table(("in the file", "in the environment", "default", "is", "meaning"), lines)


def endpoint_table(served: Sequence[Endpoint]) -> str:
    """What a dialect serves."""
    lines = [
        (f"`{each.method} {each.path}`", each.summary, ", ".join(map(str, sorted(each.answers)))) for each in served
    ]
    return table(("call", "what it does", "HTTP status of its answers"), lines)


def word_table() -> str:
    """Our states in the words of the TouchBasePro dialect."""
    lines = [
        (
            f"`{state.word}`",
            translate.NEWER_WORDS[state],
            translate.OLDER_WORDS[state],
            translate.PUSHED.get(state, "-"),
        )
        for state in translate.NEWER_WORDS
    ]
    return table(("state", "`GET /sms/messages/…`", "`GET /sms/message/…`", "webhook"), lines)


def bulkvs_word_table() -> str:
    """Ends of messages in the words of the BulkVS dialect."""
    lines = [(f"`{state.word}`", *words) for state, words in bulkvs_events.RECEIPT_WORDS.items()]
    return table(("state", "`stat` of a receipt", "`status` in 3CX's form"), lines)


def textboost_word_table() -> str:
    """Our states in the words of the TextBoost dialect."""
    lines = [(f"`{state.word}`", word) for state, word in textboost_reports.WORDS.items()]
    return table(("state", "`status` of a report"), lines)


def textboost_campaign_table() -> str:
    """States of broadcasts in the words of the TextBoost dialect."""
    lines = [(f"`{state.name.lower()}`", word) for state, word in textboost_broadcasts.WORDS.items()]
    return table(("broadcast", "`status` of a campaign"), lines)


def textboost_endpoint_table() -> str:
    """What the TextBoost dialect serves: one line for each path and what is done there."""
    served: dict[tuple[str, str], list[Endpoint]] = {}
    for each in textboost_endpoints.ENDPOINTS:
        where = f"{each.mounts[0]}{each.path}" if each.mounts else each.path
        served.setdefault((where, each.summary), []).append(each)
    lines = [
        (
            f"`{', '.join(each.method for each in group)} {where}`",
            summary,
            ", ".join(map(str, sorted(group[0].answers))),
        )
        for (where, summary), group in served.items()
    ]
    return table(("call", "what it does", "HTTP status of its answers"), lines)


def metric_table() -> str:
    """Every figure of `/metrics`, from a server that has seen one of everything."""
    carrier = CarrierId(1)
    tally = Tally()
    tally.refused[Reason.NO_FUNDS] = tally.states[MessageState.DELIVERED] = tally.calls[True] = 1
    tally.outcomes[carrier, "submitted"] = tally.receipts[carrier] = tally.incoming[carrier] = 1
    line = SimpleNamespace(queue=(), holding=(), sessions=())
    desk = SimpleNamespace(
        tally=tally,
        directory=SimpleNamespace(snapshot=SimpleNamespace(carriers={})),
        writer=SimpleNamespace(commits=0),
    )
    process = {"owner": "1", "node": "0", "role": "all"}
    shown = SimpleNamespace(desk=desk, lines={carrier: line}, in_memory=0, waiting=0)
    live = SimpleNamespace(dispatch=shown, process=process)
    families = text_string_to_metric_families(Metrics(cast(Live, live)).render().decode())
    lines = [
        (
            f"`{family.name}{'_total' if family.type == 'counter' else ''}`",
            family.type,
            ", ".join(family.samples[0].labels) if family.samples else "",
            family.documentation,
        )
        for family in families
        if family.name.startswith("heliograph_")
    ]
    return table(("name", "type", "labels", "meaning"), lines)


# Commands ----------------------------------------------------------------------------------------------------------


def commands() -> str:
    """Every command with its arguments and options."""
    app = typer.Typer(add_completion=False)
    app.callback()(lambda: None)
    for group in GROUPS.values():
        import_module(f"heliograph.cli.{group.module}").register(app)
    return described(app, {name: group.about for name, group in GROUPS.items()})


def described(app: typer.Typer, abouts: Mapping[str, str]) -> str:
    """The commands of an application, in the order of `abouts`: name to what the overview says."""
    known: Mapping[str, Any] = cast(Any, typer.main.get_command(app)).commands
    sections = [""]
    for name, about in abouts.items():
        sections.append(f"## {name}\n\n{about}\n")
        inner: Mapping[str, Any] = getattr(known[name], "commands", {})
        if not inner or known[name].invoke_without_command:
            sections.append(_command(name, known[name]))
        sections += [f"### {name} {word}\n\n{_command(f'{name} {word}', command)}" for word, command in inner.items()]
    return "\n".join(sections)


def _command(name: str, command: Any) -> str:
    parameters = [each for each in command.params if each.name != "help"]
    usage = " ".join(["heliograph", name, *(_usage(each) for each in parameters)])
    options = [
        (f"`{_written(each)}`", _default(each), each.help or "") for each in parameters if each.opts[0].startswith("-")
    ]
    listed = f"\n{table(('option', 'default', 'meaning'), options)}" if options else ""
    return f"```\n{usage}\n```\n\n{' '.join((command.help or '').split())}\n{listed}"


def _usage(parameter: Any) -> str:
    if not parameter.opts[0].startswith("-"):
        word = parameter.metavar or parameter.name.upper()
        return word if parameter.required or word.startswith("[") else f"[{word}]"
    return _written(parameter) if parameter.required else f"[{_written(parameter)}]"


def _written(parameter: Any) -> str:
    kind = parameter.type_descriptor.annotation
    if parameter.is_bool_flag or kind is bool:
        return "/".join([*parameter.opts, *parameter.secondary_opts])
    if get_origin(kind) is Literal:
        return f"{parameter.opts[0]} {'|'.join(get_args(kind))}"
    return f"{parameter.opts[0]} {parameter.metavar or ('N' if kind is int else 'TEXT')}"


def _default(parameter: Any) -> str:
    return (
        "required" if parameter.required else "" if parameter.default in (None, "", False) else str(parameter.default)
    )


# Pages -------------------------------------------------------------------------------------------------------------

BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "moves": moves,
    "move_table": move_table,
    "reasons": reasons,
    "fates": fate_table,
    "settings": settings_table,
    "endpoints": lambda: endpoint_table(endpoints.ENDPOINTS),
    "words": word_table,
    "bulkvs_endpoints": lambda: endpoint_table(bulkvs_endpoints.ENDPOINTS),
    "bulkvs_words": bulkvs_word_table,
    "textboost_endpoints": textboost_endpoint_table,
    "textboost_words": textboost_word_table,
    "textboost_campaigns": textboost_campaign_table,
    "metrics": metric_table,
    "commands": commands,
}


def drawn(page: str) -> str:
    """A page with its blocks as they should be. Raises KeyError for a block that nobody draws."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}{found[3]}", page)


def pages(root: Path) -> list[Path]:
    """Every page of the checkout that people wrote."""
    return sorted([*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "src").rglob("*.md")])


def anchor_of(heading: str) -> str:
    """The name by which a heading is linked to.

    >>> anchor_of("## 103 no funds"), anchor_of("### `webhook` add …")
    ('103-no-funds', 'webhook-add-')
    """
    return re.sub(r"[^\w\- ]", "", heading.lstrip("#").strip().lower()).replace(" ", "-")


def lost(page: Path, root: Path) -> Iterator[str]:
    """Links of a page that lead nowhere, and modules it names that are not there."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target, anchor in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        goal = (page.parent / target) if target else page
        if not goal.exists():
            yield f"there is no {target}"
        elif anchor and goal.suffix == ".md":
            headings = re.findall(r"^#+ .*$", FENCE.sub("", goal.read_text(encoding="utf-8")), re.MULTILINE)
            if anchor[1:] not in map(anchor_of, headings):
                yield f"{target or page.name} has no {anchor}"
    for module in MODULE.findall(text):
        if not any((place / module).exists() for place in (root, root / "src/heliograph", page.parent)):
            yield f"there is no module {module}"


def check(root: Path) -> list[str]:
    """What is wrong with the pages, a sentence each."""
    findings = []
    for page in pages(root):
        where = page.relative_to(root)
        text = page.read_text(encoding="utf-8")
        if drawn(text) != text:
            findings.append(f"{where}: out of date; run `make docs`")
        findings += [f"{where}: {each}" for each in lost(page, root)]
    return findings


def main(arguments: Sequence[str]) -> int:
    """Write the blocks, or with `--check` print what is wrong; 1 when something is."""
    named = [each for each in arguments if each != "--check"]
    root = Path(named[0]) if named else Path(__file__).resolve().parent.parent
    if "--check" in arguments:
        findings = check(root)
        for finding in findings:
            print(finding)
        print(f"pictures: {len(findings)} findings")
        return 1 if findings else 0
    for page in pages(root):
        text = page.read_text(encoding="utf-8")
        renewed = drawn(text)
        if renewed != text:
            page.write_text(renewed, encoding="utf-8")
            print(f"{page.relative_to(root)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
