"""What few bodies have beside their text, as it stands in their column: a JSON object, or nothing.

Beside the traits it holds for when a body was scheduled, which people want to see long after.
"""

import msgspec

from heliograph.core.messages import NO_TRAITS, Traits

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, str | int]).decode
_SEND_AT = "send_at_ms"


def written(traits: Traits, send_at_ms: int = 0) -> str | None:
    """The column of a body; None for most: one without traits that is sent at once.

    >>> written(Traits(language="it-it", gender="female")), written(NO_TRAITS, 7), written(NO_TRAITS)
    ('{"gender":"female","language":"it-it"}', '{"send_at_ms":7}', None)
    """
    if traits is NO_TRAITS and not send_at_ms:
        return None
    values = {name: value for name, value in (*traits._asdict().items(), (_SEND_AT, send_at_ms)) if value}
    return _encode(values).decode() if values else None


def read(column: str | None) -> Traits:
    """The traits of a body; names that are no traits are left out.

    >>> read('{"gender":"female","language":"it-it","send_at_ms":7}') == Traits(language="it-it", gender="female")
    True
    """
    if column is None:
        return NO_TRAITS
    values = {name: value for name, value in _decode(column).items() if name in Traits._fields}
    return NO_TRAITS._replace(**values) if values else NO_TRAITS  # type: ignore[arg-type]


def send_at_ms_of(column: str | None) -> int:
    """For when a body was scheduled; 0 for at once.

    >>> send_at_ms_of('{"send_at_ms":7}'), send_at_ms_of(None)
    (7, 0)
    """
    return int(_decode(column).get(_SEND_AT, 0)) if column else 0
