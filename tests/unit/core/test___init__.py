import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

from heliograph import core, gsm


def modules_with_examples() -> list[ModuleType]:
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}")
        for package in (core, gsm)
        for found in pkgutil.iter_modules(package.__path__)
    ]
    finder = doctest.DocTestFinder()
    return [module for module in modules if any(each.examples for each in finder.find(module))]


@pytest.mark.parametrize("module", modules_with_examples(), ids=lambda module: module.__name__)
def test_examples_in_docstrings_hold(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_most_modules_show_examples() -> None:
    assert len(modules_with_examples()) >= 10
