"""The mirror: every module of the pure floors has its own test module, and every such test module its module.

src/heliograph/smpp/codec.py is proved by tests/unit/smpp/test_codec.py. A module without a function (constants, value
types) has nothing to run and needs none.

    python tools/mirror.py [ROOT]     ROOT: the checkout; default: the one this file is in
"""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

SOURCE = Path("src/heliograph")
TESTS = Path("tests/unit")
FLOORS = ("gsm", "smpp", "mm7", "sip", "rtp", "core")


def has_function(path: Path) -> bool:
    """Whether there is anything to run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) for node in ast.walk(tree))


def check(root: Path) -> list[str]:
    """Each module without its tests, and each test module without its module."""
    findings: list[str] = []
    for floor in FLOORS:
        for module in sorted((root / SOURCE / floor).rglob("*.py")):
            below = module.relative_to(root / SOURCE)
            test = TESTS / below.with_name(f"test_{below.name}")
            if not (root / test).exists() and has_function(module):
                findings.append(f"{SOURCE / below}: {test} is missing")
        for test in sorted((root / TESTS / floor).rglob("test_*.py")):
            below = test.relative_to(root / TESTS)
            module = SOURCE / below.with_name(below.name.removeprefix("test_"))
            if not (root / module).exists():
                findings.append(f"{TESTS / below}: {module} is missing")
    return findings


def main(arguments: Sequence[str]) -> int:
    """Print the findings; 1 when there is one."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    findings = check(root)
    for finding in findings:
        print(finding)
    print(f"mirror: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
