"""Calls that we make: read from a recipe, and filled for one call."""

import base64
import re
from collections.abc import Mapping, Set
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from heliograph.carriers.http.recipe import Authentication, Form
from heliograph.carriers.http.tables import MOST_DEPTH, Table
from heliograph.carriers.http.templates import Filled, Template, Tree, Values, filled, template_from
from heliograph.net.http import Asked

_METHODS: Final = ("GET", "POST", "PUT")
_HEADER: Final = re.compile("[A-Za-z0-9!#$%&'*+.^_|~-]{1,64}")
_BODIES: Final = ("json", "form", "query")
_OURS: Final = frozenset({"authorization", "content-type", "content-length", "host", "connection", "transfer-encoding"})
_CONTENT_TYPES: Final = {"json": "application/json", "form": "application/x-www-form-urlencoded"}


def form_from(table: Table, places: Set[str]) -> Form:
    """Read the keys of a call. places: that its templates may have."""
    method = table.word("method", _METHODS, "GET")
    body = table.word("body", _BODIES, "query")
    if method == "GET" and body != "query":
        table.refuse("body", "of a GET is query: it has no other")
    path = table.read("path", lambda _, written: _path(written, places), None)
    if path is None:
        table.refuse("path", "is missing")

    def fields(_key: str, written: object) -> dict[str, Tree]:
        return _fields(written, places, is_flat=body != "json")

    return Form(
        method=method,
        path=path,
        body=body,
        headers=table.read("headers", lambda _, written: _headers(written, places), {}),
        fields=table.read("fields", fields, {}),
        narrow=table.read("gsm7", fields, {}),
        wide=table.read("ucs2", fields, {}),
        idempotency=table.read("idempotency", lambda _, written: _header(written), ""),
    )


def _path(written: object, places: Set[str]) -> Template:
    if not isinstance(written, str) or not written.startswith("/") or not written.isprintable():
        raise ValueError(f"{written!r} does not begin with a slash")
    if set(written) & set("?#\\ "):
        raise ValueError("it has no ?, #, \\ or blank: a query is written as fields")
    return template_from(written, places)


def _headers(written: object, places: Set[str]) -> dict[str, Template]:
    if not isinstance(written, dict):
        raise ValueError("it is a table")
    for name, value in written.items():
        if not isinstance(value, str):
            raise ValueError(f"{name} is a text, not {value!r}")
    return {_header(name): template_from(value, places) for name, value in written.items()}


def _header(name: object) -> str:
    if not isinstance(name, str) or not _HEADER.fullmatch(name) or name.lower() in _OURS:
        raise ValueError(f"{name!r} is no header, or one that is ours to say")
    return name


def _fields(written: object, places: Set[str], *, is_flat: bool) -> dict[str, Tree]:
    if not isinstance(written, dict):
        raise ValueError("it is a table")
    return {name: _tree(value, places, MOST_DEPTH if not is_flat else 1) for name, value in written.items()}


def _tree(written: Any, places: Set[str], depth: int) -> Tree:
    if isinstance(written, str):
        return template_from(written, places)
    if isinstance(written, bool | int | float):
        return written
    if isinstance(written, list | dict) and depth <= 0:
        raise ValueError("it has too many tables and lists in each other")
    if isinstance(written, list):
        return [_tree(each, places, depth - 1) for each in written]
    if isinstance(written, dict) and depth > 1:
        return {name: _tree(value, places, depth - 1) for name, value in written.items()}
    raise ValueError(f"{written!r} cannot stand there")


def asked_from(
    form: Form, values: Values, *, base: str, authentication: Authentication, is_wide: bool | None = None, key: str = ""
) -> Asked:
    """One call. base: the carrier's address before the path. is_wide: whether a text is none of the GSM alphabet; None
    without text. key: what names the call for the carrier, where it knows repetitions.
    """
    more: Mapping[str, Tree] = {} if is_wide is None else form.wide if is_wide else form.narrow
    fields = filled({**form.fields, **more}, values)
    headers = {name: _line(template.filled(values)) for name, template in form.headers.items()}
    if key and form.idempotency:
        headers[form.idempotency] = key
    fields = {**_known(authentication, values, headers), **fields}
    url = base + form.path.filled(_quoted(values))
    if form.body == "query":
        return Asked(form.method, url + ("?" + _pairs(fields) if fields else ""), headers)
    headers["Content-Type"] = _CONTENT_TYPES[form.body]
    body = msgspec.json.encode(fields) if form.body == "json" else _pairs(fields).encode("ascii")
    return Asked(form.method, url, headers, body)


def _known(authentication: Authentication, values: Values, headers: dict[str, str]) -> dict[str, Filled]:
    """Say who we are, in the headers or by the fields that are returned."""
    kind, user_name, key_name = authentication
    user, key = str(values["user"]), str(values["key"])
    if kind == "basic":
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()
    elif kind == "bearer":
        headers["Authorization"] = f"Bearer {_line(key)}"
    elif kind == "fields":
        return {**({user_name: user} if user_name else {}), key_name: key}
    return {}


def _line(value: str) -> str:
    """What can stand in a header."""
    return "".join(each for each in value if each.isprintable()).strip()


def _quoted(values: Values) -> Values:
    return {name: quote(value, safe="") for name, value in values.items() if isinstance(value, str)}


def _pairs(fields: Mapping[str, Filled]) -> str:
    return "&".join(
        f"{quote_plus(name)}={quote_plus(_written(each), errors='replace')}"
        for name, value in fields.items()
        for each in (value if isinstance(value, list) else [value])
    )


def _written(value: Filled) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
