"""The exchange that contract cases are played against: one for a module of them, an account for each case.

It does not outlive its module: whoever is idle in such a hurry takes a third of a processor from all other tests.
"""

from collections.abc import Iterator

import pytest

from tests.contract.case import Exchange
from tests.contract.real import Hearer, House, RealExchange


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Hearer().listening() as hearer, House(tmp_path_factory.mktemp("contract"), hearer).serving() as serving:
        yield serving


@pytest.fixture
def exchange(house: House) -> Iterator[Exchange]:
    real = RealExchange(house)
    yield real
    real.close()
