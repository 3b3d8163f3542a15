"""Which endpoint a request is for: one look into a dictionary, or else a walk over the templates."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from heliograph.dialects.dialect import Dialect, Endpoint, Wording


class Served(NamedTuple):
    """An endpoint with what the edge needs around it."""

    endpoint: Endpoint
    dialect: Dialect
    worded: Wording
    has_body: bool
    mount: str = ""


class _Template(NamedTuple):
    segments: tuple[str, ...]
    served: Served

    def places(self, segments: Sequence[str]) -> Mapping[str, str] | None:
        """What stands in the template's places, or None when the path is another."""
        if len(segments) != len(self.segments):
            return None
        any_case = self.served.dialect.any_case
        places: dict[str, str] = {}
        for wanted, found in zip(self.segments, segments, strict=True):
            if wanted.startswith("{"):
                places[wanted[1:-1]] = found
            elif wanted != found and not (any_case and wanted.lower() == found.lower()):
                return None
        return places


class Router:
    """All endpoints of all dialects, each at every place where its dialect is mounted.

    exact: endpoints without places, by method and path: the edge looks there itself.
    """

    __slots__ = ("_dialects", "_templates", "exact")

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self._dialects = dialects
        self._templates: dict[str, list[_Template]] = {}
        self.exact: dict[tuple[str, str], Served] = {}
        for dialect in dialects:
            for endpoint in dialect.endpoints:
                self._add(dialect, endpoint)
        for templates in self._templates.values():
            # A written word goes before a place: /webhooks is not a message called "webhooks".
            templates.sort(key=lambda template: [word.startswith("{") for word in template.segments])

    def _add(self, dialect: Dialect, endpoint: Endpoint) -> None:
        has_body = endpoint.method in ("POST", "PUT", "PATCH", "DELETE")
        for mount in endpoint.mounts or dialect.mounts:
            path = mount + endpoint.path
            served = Served(endpoint, dialect, dialect.wording(path), has_body, mount)
            if "{" not in path:
                self.exact[endpoint.method, path] = served
            self._templates.setdefault(endpoint.method, []).append(_Template(tuple(path.split("/")), served))

    def find(self, method: str, path: str) -> tuple[Served, Mapping[str, str]] | None:
        """The endpoint and what stands in its places. A slash at the end of the path does not matter.

        HEAD finds the endpoint of GET, unless that does something.
        """
        if method == "HEAD":
            found = self.find("GET", path)
            return found if found is not None and found[0].endpoint.takes_head else None
        segments = path.removesuffix("/").split("/")
        for template in self._templates.get(method, ()):
            places = template.places(segments)
            if places is not None:
                return template.served, places
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that a path has, in the order of the alphabet; none when there is no such path."""
        here = {method for method in (*self._templates, "HEAD") if self.find(method, path) is not None}
        return tuple(sorted(here | {"OPTIONS"})) if here else ()

    def dialect_of(self, path: str) -> Dialect | None:
        """The dialect that has an endpoint there, whatever the method, or that the path belongs to by its beginning."""
        for method in self._templates:
            found = self.find(method, path)
            if found is not None:
                return found[0].dialect
        return next((dialect for dialect in self._dialects if _is_below(path, dialect)), None)


def _is_below(path: str, dialect: Dialect) -> bool:
    return (path.lower() if dialect.any_case else path).startswith(dialect.roots)
