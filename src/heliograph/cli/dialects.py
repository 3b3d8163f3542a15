"""What commands need to know of dialects: their names, and the states their webhooks hear of."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.states import MessageState
from heliograph.pipeline.ports import EventWriter
from heliograph.services.refused import Refused

KINDS = {
    "status": EventKind.STATUS,
    "reply": EventKind.REPLY,
    "messagestatusupdate": EventKind.STATUS,
    "messagereply": EventKind.REPLY,
}
"""What a webhook is told of, in small letters: our words and those that customers know from their documents."""


def names() -> list[str]:
    """Every dialect's name: its folder's."""
    import heliograph.dialects

    return sorted(each.name for each in pkgutil.iter_modules(heliograph.dialects.__path__) if each.ispkg)


def named(name: str) -> str:
    """The name of a dialect that tells webhooks; refused when there is none of this name."""
    telling = [each for each in names() if find_spec(f"heliograph.dialects.{each}.events")]
    if name not in telling:
        raise Refused(f"There is no dialect {name!r} that tells webhooks; there are {', '.join(telling)}.")
    return name


def kind_of(word: str) -> EventKind:
    """What a webhook of a type is told of; refused for a type that is none."""
    kind = KINDS.get(word.lower())
    if kind is None:
        raise Refused(f"{word!r} is not a type of webhook: write MessageStatusUpdate or MessageReply.")
    return kind


def writer(dialect: str) -> EventWriter:
    """How a dialect tells events."""
    made: EventWriter = import_module(f"heliograph.dialects.{named(dialect)}.events").Events()
    return made


def settings_of(dialect: str, wanted: Mapping[str, object]) -> dict[str, object]:
    """Settings of a dialect's webhooks, on and off for true and false; refused when it has none such.

    Which there are, and the values of each, stands as `SETTINGS` beside the dialect's events; no values: any text.
    """
    known: Mapping[str, tuple[object, ...]] = getattr(
        import_module(f"heliograph.dialects.{named(dialect)}.events"), "SETTINGS", {}
    )
    return _checked(wanted, known, whose=f"Webhooks of {dialect}")


def account_settings_of(wanted: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Settings of an account, by dialect, from `DIALECT.SETTING` names; refused when a dialect has none such.

    Which there are stands as `ACCOUNT_SETTINGS` in the dialect's package.
    """
    settings: dict[str, dict[str, object]] = {}
    for word, value in wanted.items():
        dialect, _, name = word.partition(".")
        if dialect not in names() or not name:
            raise Refused(f"{word!r} is no setting: write DIALECT.SETTING, of the dialects {', '.join(names())}.")
        known = getattr(import_module(f"heliograph.dialects.{dialect}"), "ACCOUNT_SETTINGS", {})
        settings.setdefault(dialect, {}).update(_checked({name: value}, known, whose=f"Accounts in {dialect}"))
    return settings


def _checked(wanted: Mapping[str, object], known: Mapping[str, tuple[object, ...]], *, whose: str) -> dict[str, object]:
    """Settings as they are kept. known: which there are, with the values of each; no values: any text."""
    settings: dict[str, object] = {}
    for name, value in wanted.items():
        if name not in known:
            raise Refused(f"{whose} have no setting {name!r}; they have {', '.join(known) or 'none'}.")
        values = known[name]
        settings[name] = _SWITCHES.get(str(value).lower(), value) if True in values else value
        is_good = settings[name] in values if values else isinstance(value, str)
        if value is not None and not is_good:
            raise Refused(f"Setting {name!r} is not {value!r}; write {' or '.join(map(_word, values)) or 'a text'}.")
    return settings


_SWITCHES = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def _word(value: object) -> str:
    return {True: "on", False: "off"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def told(webhook: Webhook) -> frozenset[MessageState]:
    """The states that a webhook hears of."""
    return writer(webhook.dialect).told(webhook)
