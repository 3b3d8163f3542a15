"""Guards for every test: the network ends at loopback, and property tests are not judged by the clock."""

import asyncio
import gc
import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from heliograph.store import migrations
from heliograph.store.opening import open_store
from heliograph.testing.postgres import Server, server

settings.register_profile("here", deadline=None, derandomize=False)
# Where nobody looks on, a failure is reported at once: a slow story would be made smaller for minutes.
at_once = (Phase.explicit, Phase.reuse, Phase.generate)
settings.register_profile("ci", parent=settings.get_profile("here"), print_blob=True, phases=at_once)


def pytest_configure(config: pytest.Config) -> None:
    """Half as many examples of what holds for all inputs where long repetitions are left out."""
    chosen = settings.get_profile("ci" if os.environ.get("CI") else "here")
    is_short = config.option.markexpr == "not long"
    settings.register_profile("chosen", parent=chosen, max_examples=50 if is_short else 100)
    settings.load_profile("chosen")


def pytest_collection_finish() -> None:
    """Whatever stands until the end is not looked through again each time that garbage is collected."""
    gc.collect()
    gc.freeze()


def _is_near(family: int, address: Any) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    if host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    """Fail the test that connects beyond this machine, instead of letting it pass or hang with the network's mood.

    Sockets that uvloop opens by itself do not pass here.
    """
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if not _is_near(self.family, address):
            pytest.fail(f"a test tried to connect to {address!r}: tests talk to loopback only")
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if not _is_near(self.family, address):
            pytest.fail(f"a test tried to connect to {address!r}: tests talk to loopback only")
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        yield


@pytest.fixture(autouse=True, scope="session")
def _one_new_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the schema once: every other new store in a file is a copy of the first, which takes a tenth of the time."""
    upgrade = migrations.upgrade
    pattern = tmp_path_factory.mktemp("schema") / "new.sqlite"

    def copied(path: Path) -> str | None:
        if not path.exists() or path.stat().st_size:
            return upgrade(path)
        if not pattern.exists():
            upgrade(pattern)
        path.write_bytes(pattern.read_bytes())
        return None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "upgrade", copied)
        yield


async def _make_schema(address: str) -> None:
    await (await open_store(address, Path())).close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server for all tests of this process; a crash of the machine may cost it everything."""
    try:
        with server(fsync="off", synchronous_commit="off", full_page_writes="off") as running:
            # Every database begins with the schema: Alembic makes one at a time in a process.
            asyncio.run(_make_schema(running.address("template1")))
            yield running
    except LookupError as error:
        pytest.skip(str(error))
