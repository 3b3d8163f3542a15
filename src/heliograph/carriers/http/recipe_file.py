"""Reads a recipe: TOML, checked to the last key. Every mistake is a BadCarrier that names file, key and mistake.

How a recipe is written, key by key, is told in docs/howto/connect-over-http.md.
"""

import tomllib
from collections.abc import Mapping, Set
from importlib import resources
from pathlib import Path
from typing import Any, Final

from heliograph.carriers import http
from heliograph.carriers.http.forms import form_from
from heliograph.carriers.http.recipe import (
    ANY,
    Authentication,
    Coming,
    Polling,
    Preparation,
    Reader,
    Receipts,
    Recipe,
    Rule,
    Sending,
)
from heliograph.carriers.http.sources import conditions_from, list_from, lookups_from
from heliograph.carriers.http.tables import Table
from heliograph.carriers.settings import BadCarrier
from heliograph.core.messages import MOST_MEDIA, Channel
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState

MOST_OCTETS: Final = 64 * 1024

ACCESS: Final = frozenset({"user", "key", "callback"})
MESSAGE: Final = ACCESS | {
    "recipient", "recipient_plus", "sender", "sender_plus", "text", "text_hex", "reference", "template_id", "media",
    "first_media",
}  # fmt: skip
"""The places of a call that sends a message."""

_ANSWER: Final = frozenset({"json", "header", "text", "status", "reference"})
_CALL: Final = frozenset({"json", "query", "form", "header", "text", "path"})
_VERDICTS: Final = ("submitted", "refused", "deferred", "throttled", "unavailable", "in doubt")
_REASONS: Final = {
    reason.name.lower().replace("_", "-"): reason
    for reason in (
        Reason.CARRIER_REFUSED, Reason.INVALID_RECIPIENT, Reason.INVALID_SENDER, Reason.SENDER_NOT_ALLOWED,
        Reason.INVALID_TEXT, Reason.TEXT_TOO_LONG, Reason.NO_TEXT, Reason.BAD_MEDIA,
    )
}  # fmt: skip
_STATES: Final = {
    "delivered": MessageState.DELIVERED,
    "undelivered": MessageState.UNDELIVERED,
    "expired": MessageState.EXPIRED,
    "rejected": MessageState.REJECTED,
    "unknown": MessageState.UNKNOWN,
    "on_the_way": None,
}
_AFTER_S: Final = {"deferred": 30, "throttled": 1, "unavailable": 30}
_TRIES: Final = 4


def shipped() -> list[str]:
    """The names of the recipes that come with the program."""
    folder = resources.files(http).joinpath("recipes")
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def recipe_named(name: str) -> Recipe:
    """One of ours by its name, or an operator's by the path of its file."""
    if "/" in name:
        path = Path(name)
        if not path.is_absolute():
            raise BadCarrier(f"the recipe {name} is named by a path that does not begin at /")
        return recipe_from(path.name, _octets_of(path))
    if name not in shipped():
        raise BadCarrier(f"there is no recipe {name!r}: name a file by its path, or one of {', '.join(shipped())}")
    file = f"{name}.toml"
    return recipe_from(file, resources.files(http).joinpath("recipes", file).read_bytes())


def _octets_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise BadCarrier(f"the recipe {path} cannot be read: {error.strerror}") from None


def recipe_from(file: str, octets: bytes) -> Recipe:
    """Read the text of a recipe. file: its name. Raises BadCarrier."""
    if len(octets) > MOST_OCTETS:
        raise BadCarrier(f"recipe {file}: is larger than {MOST_OCTETS // 1024} KiB")
    try:
        keys = tomllib.loads(octets.decode())
    except (ValueError, RecursionError) as error:
        raise BadCarrier(f"recipe {file}: is no TOML: {error}") from None
    if isinstance(keys.get("mms"), dict) and isinstance(keys.get("sms"), dict) and keys["mms"].get("like") == "sms":
        keys["mms"] = {name: key for name, key in {**keys["sms"], **keys["mms"]}.items() if name != "like"}
    table = Table(file, "", keys)
    table.text("title", "")
    recipe = Recipe(
        name=file,
        authentication=_authentication(table.table("authentication")),
        sending={
            channel: _sending(found)
            for channel in (Channel.SMS, Channel.MMS)
            if (found := table.table(channel.name.lower())) is not None
        },
        preparations=tuple(map(_preparation, table.tables("setup"))),
        readers=tuple(map(_reader, table.tables("callback"))),
        polling=_polling(table.table("poll")),
    )
    table.check_all_taken()
    if not recipe.sending:
        table.refuse("", "sends nothing: write [sms], or [mms], or both")
    return recipe


def _authentication(table: Table | None) -> Authentication:
    if table is None:
        return Authentication()
    kind = table.word("kind", ("basic", "bearer", "fields", "none"))
    user, key = (table.text("user", ""), table.text("key")) if kind == "fields" else ("", "")
    table.check_all_taken()
    return Authentication(kind, user, key)


def _sending(table: Table) -> Sending:
    form = form_from(table, MESSAGE)
    rules = tuple(map(_rule, table.tables("answer")))
    detail = lookups_from(table, "detail", _ANSWER)
    most_media = table.number("most_media", MOST_MEDIA, least=1, most=MOST_MEDIA)
    table.check_all_taken()
    if not any(rule.verdict == "submitted" for rule in rules):
        table.refuse("answer", "has no rule for what was submitted")
    return Sending(form, rules, detail, most_media)


def _rule(table: Table) -> Rule:
    verdict = table.word("is", _VERDICTS)
    rule = Rule(
        conditions=conditions_from(table, _ANSWER),
        verdict=verdict,
        id=lookups_from(table, "id", _ANSWER) if verdict == "submitted" else (),
        detail=lookups_from(table, "detail", _ANSWER),
    )
    if verdict in _AFTER_S:
        seconds = table.number("after_s", _AFTER_S[verdict], least=1, most=3_600)
        rule = rule._replace(after_ms=1_000 * seconds)
    if verdict == "deferred":
        rule = rule._replace(tries=table.number("tries", _TRIES, least=1, most=100))
    if verdict == "refused":
        rule = rule._replace(reason=_REASONS[table.word("reason", _REASONS, "carrier-refused")])
    table.check_all_taken()
    return rule


def _receipts(table: Table, sources: Set[str]) -> Receipts:
    addresses = [lookups_from(each, "at", sources) for each in _alone(table, "addresses", most=2)]
    return Receipts(
        id=lookups_from(table, "id", sources, is_needed=True),
        state=lookups_from(table, "state", sources, is_needed=True),
        states=_states(table.needed("states")),
        error=lookups_from(table, "error", sources),
        addresses=tuple(addresses),
    )


def _alone(table: Table, key: str, *, most: int) -> list[Table]:
    """Each of a short list of look-ups, as a table that has it alone."""

    def read(place: str, written: Any) -> list[Table]:
        if not isinstance(written, list) or len(written) > most:
            raise ValueError(f"it is a list of at most {most}")
        return [Table(table.file, f"{place}[{number}]", {"at": each}) for number, each in enumerate(written, 1)]

    return table.read(key, read, [])


def _states(table: Table) -> Mapping[str, MessageState | None]:
    found: dict[str, MessageState | None] = {}
    for name, words in table.rest().items():
        if name not in _STATES:
            table.refuse(name, f"is none of {', '.join(_STATES)}")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            table.refuse(name, f'is a list of the carrier\'s words, with "{ANY}" for every other')
        for word in words:
            if word in found:
                table.refuse(name, f"has {word!r}, which is the word of another state already")
            found[word] = _STATES[name]
    return found


def _coming(table: Table, sources: Set[str]) -> Coming:
    return Coming(
        sender=lookups_from(table, "sender", sources, is_needed=True),
        recipient=lookups_from(table, "recipient", sources),
        text=lookups_from(table, "text", sources),
        media=list_from(table, "media", sources),
        id=lookups_from(table, "id", sources),
    )


def _reader(table: Table) -> Reader:
    kind = table.word("is", ("receipts", "incoming"))
    each = list_from(table, "each", _CALL)
    sources = _CALL | {"item"} if each else _CALL
    answer = table.table("answer")
    status, text = (answer.number("status", 200, least=200, most=299), answer.text("text", "")) if answer else (200, "")
    reader = Reader(
        conditions=conditions_from(table, sources),
        reads=_receipts(table, sources) if kind == "receipts" else _coming(table, sources),
        each=each,
        status=status,
        text=text,
    )
    for taken in (answer, table):
        if taken is not None:
            taken.check_all_taken()
    return reader


def _preparation(table: Table) -> Preparation:
    form = form_from(table, ACCESS)
    known = table.table("known")
    table.check_all_taken()
    if known is None:
        return Preparation(form)
    each = list_from(known, "each", _ANSWER)
    conditions = conditions_from(known, _ANSWER | {"item"}, ACCESS)
    preparation = Preparation(form, form_from(known, ACCESS), each, conditions)
    known.check_all_taken()
    return preparation


def _polling(table: Table | None) -> Polling | None:
    if table is None:
        return None
    single, sources = table.needed("single"), _ANSWER | {"item"}
    item = list_from(single, "item", _ANSWER)
    listing, receipts, incoming = table.table("list"), table.needed("receipts"), table.table("incoming")
    polling = Polling(
        single=form_from(single, ACCESS | {"id"}),
        item=item or single.refuse("item", "is missing"),
        receipts=_receipts(receipts, sources),
        list=form_from(listing, ACCESS | {"page"}) if listing else None,
        each=list_from(listing, "each", _ANSWER) if listing else None,
        incoming=_coming(incoming, sources) if incoming else None,
        incoming_when=conditions_from(incoming, sources, frozenset({"numbers"})) if incoming else (),
        pages=table.number("pages", 4, least=1, most=100),
        every_s=table.number("every_s", 5, least=1, most=3_600),
        longest_s=table.number("longest_s", 120, least=1, most=86_400),
    )
    for taken in (single, listing, receipts, incoming, table):
        if taken is not None:
            taken.check_all_taken()
    is_told_apart = polling.incoming is None or (polling.list and polling.incoming_when and polling.incoming.id)
    if not is_told_apart:
        table.refuse("incoming", "needs list, when and id: which of what is listed has come in, and how they differ")
    return polling
