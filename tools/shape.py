"""The size budget: how long files, functions and classes may be, and how many parameters a function may have.

The tail is the target: a median hides the one function that holds the product. Complexity is left to the linter (C901).
A file is counted whole; a function from `def` to its last line, without its docstring and decorators.

    python tools/shape.py [ROOT]     ROOT: the checkout; default: the one this file is in
"""

import ast
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

SOURCE = Path("src/heliograph")

# Tables of constants: their length is the standard's, not ours.
TABLES = frozenset({"smpp/constants.py"})
# Revisions written once and never changed.
UNMEASURED = frozenset({"store/migrations/versions"})

PARAMETERS = 6
POSITIONAL = 3
CLASS_LINES = 200
PUBLIC_METHODS = 12
DIALECT_LINES = 900


class Budget(NamedTuple):
    """Lines that the middle one, the 95th of a hundred, and any one may have."""

    median: int
    p95: int
    hard: int


FILES = Budget(median=150, p95=400, hard=600)
FUNCTIONS = Budget(median=8, p95=30, hard=60)


class Measured(NamedTuple):
    """One file or function: where it stands, as path:line, what it is called and how long it is."""

    place: str
    name: str
    lines: int


Function = ast.FunctionDef | ast.AsyncFunctionDef


def percentile(values: Sequence[int], share: float) -> int:
    """Nearest rank: the smallest value that at least this share (above 0, at most 1) of the values do not exceed."""
    return sorted(values)[math.ceil(len(values) * share) - 1]


def docstring_lines(node: Function) -> int:
    """Lines of the docstring, quotes included."""
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return 0
    return (first.end_lineno or first.lineno) - first.lineno + 1


def function_lines(node: Function) -> int:
    """Lines from `def` to the end, without the docstring."""
    return (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)


def over_budget(what: str, measured: Sequence[Measured], budget: Budget) -> Iterator[str]:
    """Every one past the hard cap; and, when the median or the 95th percentile is past its bound, the ones to cut."""
    if not measured:
        return
    lengths = [each.lines for each in measured]
    median, p95 = percentile(lengths, 0.5), percentile(lengths, 0.95)
    if median > budget.median:
        yield f"{SOURCE}: the median {what} has {median} lines; at most {budget.median}"
    for place, name, lines in measured:
        if lines > budget.hard:
            yield f"{place}: {name} has {lines} lines; at most {budget.hard}"
        elif lines > budget.p95 < p95:
            yield f"{place}: {name} has {lines} lines, and more than one {what} in twenty has over {budget.p95}"


def parameter_findings(place: str, node: Function, *, in_class: bool) -> Iterator[str]:
    """Too many parameters, or too many that a caller may pass without their names.

    Those of a command (or of a group that is one by itself) are what people may write on its line, always by name.
    """
    called = [each.func for each in node.decorator_list if isinstance(each, ast.Call)]
    if any(getattr(each, "attr", "") in ("command", "callback") for each in called):
        return
    positional = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
    if in_class and positional and positional[0] in ("self", "cls", "_cls", "mcs"):
        del positional[0]
    total = len(positional) + len(node.args.kwonlyargs)
    if total > PARAMETERS:
        yield f"{place}: {node.name} has {total} parameters; at most {PARAMETERS}"
    # What is private is called where it stands, and often in a loop; dunder methods are called by the interpreter.
    is_private = node.name.startswith("_") and node.name != "__init__"
    if len(positional) > POSITIONAL and not is_private:
        yield f"{place}: {node.name} has {len(positional)} positional parameters; all but {POSITIONAL} by keyword"


def class_findings(place: str, node: ast.ClassDef) -> Iterator[str]:
    """A class too long, or with too many public methods."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if lines > CLASS_LINES:
        yield f"{place}: class {node.name} has {lines} lines; at most {CLASS_LINES}"
    public = [each for each in node.body if isinstance(each, Function) and not each.name.startswith("_")]
    if len(public) > PUBLIC_METHODS:
        yield f"{place}: class {node.name} has {len(public)} public methods; at most {PUBLIC_METHODS}"


def dialect_findings(files: Sequence[Measured]) -> Iterator[str]:
    """A dialect's folder longer than one person reads in an afternoon."""
    folders: dict[Path, int] = {}
    for place, _, lines in files:
        path = Path(place.rpartition(":")[0])
        if len(path.parts) > len(SOURCE.parts) + 2 and path.parts[len(SOURCE.parts)] == "dialects":
            folder = Path(*path.parts[: len(SOURCE.parts) + 2])
            folders[folder] = folders.get(folder, 0) + lines
    for folder, lines in folders.items():
        if lines > DIALECT_LINES:
            yield f"{folder}: the dialect has {lines} lines; at most {DIALECT_LINES}"


def source_files(root: Path) -> list[Path]:
    """Every module that is measured, in order."""
    source = root / SOURCE
    files = [each for each in sorted(source.rglob("*.py")) if each.relative_to(source).as_posix() not in TABLES]
    return [each for each in files if each.parent.relative_to(source).as_posix() not in UNMEASURED]


def check(root: Path) -> tuple[list[str], str]:
    """What breaks the budget, each as `path:line: sentence`, and one line of figures."""
    findings: list[str] = []
    files: list[Measured] = []
    functions: list[Measured] = []
    for path in source_files(root):
        text = path.read_text(encoding="utf-8")
        tree, where = ast.parse(text), path.relative_to(root).as_posix()
        if text:
            files.append(Measured(f"{where}:1", "the file", len(text.splitlines())))
        methods = {child for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for child in node.body}
        for node in ast.walk(tree):
            if isinstance(node, Function):
                place = f"{where}:{node.lineno}"
                functions.append(Measured(place, node.name, function_lines(node)))
                findings += parameter_findings(place, node, in_class=node in methods)
            elif isinstance(node, ast.ClassDef):
                findings += class_findings(f"{where}:{node.lineno}", node)
    findings += over_budget("file", files, FILES)
    findings += over_budget("function", functions, FUNCTIONS)
    findings += dialect_findings(files)
    return findings, f"{figures('files', files)}; {figures('functions', functions)}"


def figures(what: str, measured: Sequence[Measured]) -> str:
    """How many, and their median, 95th percentile and longest."""
    lengths = [each.lines for each in measured] or [0]
    median, p95 = percentile(lengths, 0.5), percentile(lengths, 0.95)
    return f"{len(measured)} {what}: median {median}, p95 {p95}, longest {max(lengths)} lines"


def main(arguments: Sequence[str]) -> int:
    """Print the findings and the figures; 1 when there is a finding."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings, summary = check(root)
    for finding in findings:
        print(finding)
    print(f"shape: {len(findings)} findings; {summary}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
