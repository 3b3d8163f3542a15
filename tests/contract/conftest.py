"""The exchange that contract cases are played against: one for the whole run, an account for each case."""

from collections.abc import Iterator

import pytest

from tests.contract.case import Exchange
from tests.contract.real import Hearer, House, RealExchange


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Hearer().listening() as hearer, House(tmp_path_factory.mktemp("contract"), hearer).serving() as serving:
        yield serving


@pytest.fixture
def exchange(house: House) -> Iterator[Exchange]:
    real = RealExchange(house)
    yield real
    real.close()
