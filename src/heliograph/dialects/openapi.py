"""The OpenAPI 3.1 document of all dialects, made from their endpoint tables."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from heliograph.dialects.dialect import Dialect, Endpoint, Possible, Push

_TEMPLATE = "#/components/schemas/{name}"
_PLACE = re.compile(r"{(\w+)}")


def document(dialects: Sequence[Dialect], *, version: str, public_url: str | None = None) -> dict[str, Any]:
    """The document. version: of this program. public_url: see `Services.public_url`."""
    schemas = _Schemas(dialects)
    paths: dict[str, dict[str, Any]] = {}
    for dialect in dialects:
        for endpoint in dialect.endpoints:
            # An endpoint has one name, so it is described at the first place where it is served.
            path = paths.setdefault((endpoint.mounts or dialect.mounts)[0] + endpoint.path, {})
            path[endpoint.method.lower()] = _operation(dialect, endpoint, schemas=schemas)
    pushes = {
        push.name: {"post": _push(dialect, push, schemas=schemas)} for dialect in dialects for push in dialect.pushes
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Heliograph", "version": version},
        "servers": [{"url": public_url or "/"}],
        "tags": [{"name": dialect.name, "description": dialect.title} for dialect in dialects],
        "paths": paths,
        "webhooks": pushes,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                _scheme(dialect, name): dict(scheme) for dialect in dialects for name, scheme in dialect.schemes.items()
            },
        },
    }


class _Schemas:
    """A schema for each type that an endpoint speaks of."""

    def __init__(self, dialects: Sequence[Dialect]) -> None:
        self._kinds = list(dict.fromkeys(kind for dialect in dialects for kind in _kinds(dialect)))
        self._schemas, self.components = msgspec.json.schema_components(self._kinds, ref_template=_TEMPLATE)

    def json(self, kind: object) -> dict[str, Any]:
        """A body of a type."""
        return {"application/json": {"schema": self._schemas[self._kinds.index(kind)]}}


def _kinds(dialect: Dialect) -> list[Any]:
    spoken: list[object] = [push.kind for push in dialect.pushes]
    for endpoint in dialect.endpoints:
        spoken += [endpoint.request, *(possible.kind for possible in endpoint.answers.values())]
    return [kind for kind in spoken if kind is not None]


def _scheme(dialect: Dialect, name: str) -> str:
    return f"{dialect.name}.{name}"


def _operation(dialect: Dialect, endpoint: Endpoint, *, schemas: _Schemas) -> dict[str, Any]:
    places = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACE.findall(endpoint.path)
    ]
    optional = [
        {"name": name, "in": where, "schema": {"type": "string"}}
        for where, names in (("query", endpoint.query), ("header", endpoint.request_headers))
        for name in names
    ]
    operation: dict[str, Any] = {
        "operationId": f"{dialect.name}.{endpoint.name}",
        "tags": [dialect.name],
        "summary": endpoint.summary,
        "security": [{_scheme(dialect, name): []} for name in dialect.schemes],
        "responses": {
            str(status): _response(possible, schemas) for status, possible in sorted(endpoint.answers.items())
        },
    }
    if places or optional:
        operation["parameters"] = places + optional
    if endpoint.request is not None:
        operation["requestBody"] = {"required": True, "content": schemas.json(endpoint.request)}
    return operation


def _response(possible: Possible, schemas: _Schemas) -> dict[str, Any]:
    response: dict[str, Any] = {"description": possible.description}
    if possible.kind is not None:
        response["content"] = schemas.json(possible.kind)
    if possible.headers:
        response["headers"] = {name: {"schema": {"type": "string"}} for name in possible.headers}
    return response


def _push(dialect: Dialect, push: Push, *, schemas: _Schemas) -> Mapping[str, Any]:
    return {
        "operationId": f"{dialect.name}.{push.name}",
        "tags": [dialect.name],
        "summary": push.summary,
        "security": [],
        "requestBody": {"required": True, "content": schemas.json(push.kind)},
        "responses": {"2XX": {"description": "Taken. Anything else is tried again."}},
    }
