import os
import re
import signal
import socket
import subprocess
import sys

import pytest

PROGRAM = "import typer; from heliograph.cli.message_centre import register; app = typer.Typer(); register(app); app()"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_listens_and_ends_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, "-c", PROGRAM, "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as running:
        assert running.stdout is not None
        found = re.search(r"on 127\.0\.0\.1:(\d+)", running.stdout.readline())
        assert found is not None
        socket.create_connection(("127.0.0.1", int(found[1]))).close()
        running.send_signal(number)
        _, errors = running.communicate(timeout=10)
        assert (running.returncode, errors) == (0, "")


def test_an_address_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-c", PROGRAM, "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, env=ENVIRONMENT)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert ended.stderr.count("\n") == 1
