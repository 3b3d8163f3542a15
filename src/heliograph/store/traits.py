"""How the traits of a body stand in their column: as a JSON object of those it has, or not at all."""

import msgspec

from heliograph.core.messages import NO_TRAITS, Traits

_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder(dict[str, str | int]).decode


def written(traits: Traits) -> str | None:
    """The column of a body; None for one that has no traits, as most.

    >>> written(Traits(language="it-it", gender="female")), written(NO_TRAITS)
    ('{"gender":"female","language":"it-it"}', None)
    """
    if traits is NO_TRAITS or traits == NO_TRAITS:
        return None
    return _encode({name: value for name, value in traits._asdict().items() if value}).decode()


def read(column: str | None) -> Traits:
    """The traits of a body; names that a later version may know are left out.

    >>> read('{"gender":"female","language":"it-it"}') == Traits(language="it-it", gender="female")
    True
    """
    if column is None:
        return NO_TRAITS
    return NO_TRAITS._replace(**{name: value for name, value in _decode(column).items() if name in Traits._fields})  # type: ignore[arg-type]
