"""Templates: texts with named places, `{recipient}`, that are filled when a call is made. Pure."""

import re
from collections.abc import Mapping, Set
from typing import Final, NamedTuple, TypeAlias

Values: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""What places are filled with, by name; several for a place that stands for a list."""

LISTS: Final = frozenset({"media", "numbers"})
"""Places that stand for several values, and therefore alone."""

_MARK: Final = re.compile(r"\{\{|\}\}|\{([a-z0-9_]*)\}|[{}]")


class BadTemplate(ValueError):
    """The text is no template; what is said says why."""


class Template(NamedTuple):
    """literals and names take turns, beginning and ending with a literal, so there is one literal more."""

    literals: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def only(self) -> str:
        """The name of the place that is all of the template; "" when there is more, or less."""
        return self.names[0] if len(self.names) == 1 and self.literals == ("", "") else ""

    def filled(self, values: Values) -> str:
        """The text with its places filled."""
        if not self.names:
            return self.literals[0]
        pieces = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            value = values[name]
            pieces += (value if isinstance(value, str) else " ".join(value), literal)
        return "".join(pieces)


Tree: TypeAlias = "Template | int | float | bool | list[Tree] | dict[str, Tree]"
"""The members of a JSON body, or the fields of a form or query, with templates for texts."""

Filled: TypeAlias = "str | int | float | bool | list[Filled] | dict[str, Filled]"


def template_from(written: str, known: Set[str]) -> Template:
    """Read a template. known: the names that its places may have. Braces are doubled to stand for themselves.

    >>> template_from("+{recipient}", {"recipient"})
    Template(literals=('+', ''), names=('recipient',))
    >>> template_from("{{}}", set()).literals
    ('{}',)
    """
    literals, names, begin = [""], [], 0
    for mark in _MARK.finditer(written):
        literals[-1] += written[begin : mark.start()]
        begin = mark.end()
        if mark[0] in ("{{", "}}"):
            literals[-1] += mark[0][0]
        elif mark[1] in known:
            names.append(mark[1])
            literals.append("")
        else:
            raise BadTemplate(f"{mark[0]} is none of {_listed(known)}" if mark[1] else f"a {mark[0]} stands alone")
    literals[-1] += written[begin:]
    template = Template(tuple(literals), tuple(names))
    if LISTS.intersection(names) and not template.only:
        raise BadTemplate(f"{written!r} has something beside a list")
    return template


def _listed(known: Set[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(known)) or "nothing: no places can be filled here"


def filled(tree: Mapping[str, Tree], values: Values) -> dict[str, Filled]:
    """The members with their templates filled. One that is a single place with nothing to fill it is left out."""
    found: dict[str, Filled] = {}
    for name, branch in tree.items():
        value = _filled(branch, values)
        if value is not None:
            found[name] = value
    return found


def _filled(branch: Tree, values: Values) -> "Filled | None":
    if isinstance(branch, Template):
        if not branch.only:
            return branch.filled(values)
        found = values[branch.only]
        return (found if isinstance(found, str) else list(found)) or None
    if isinstance(branch, dict):
        return filled(branch, values)
    if isinstance(branch, list):
        return [value for each in branch if (value := _filled(each, values)) is not None]
    return branch
