import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tools import mirror, shape, words

HERE = Path(__file__).resolve().parents[2]


def write(root: Path, path: str, text: str) -> None:
    """Put a module into a made-up checkout. path: below src/heliograph, or from tests/."""
    file = root / path if path.startswith("tests/") else root / "src/heliograph" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def function(name: str, lines: int) -> str:
    return f"def {name}():\n" + "    step()\n" * (lines - 1)


class TestShape:
    def test_an_absent_tree_is_within_budget(self, tmp_path: Path) -> None:
        assert shape.check(tmp_path)[0] == []

    @pytest.mark.parametrize(("lines", "is_found"), [(60, False), (61, True)])
    def test_a_function_has_a_hard_cap(self, tmp_path: Path, lines: int, is_found: bool) -> None:
        write(tmp_path, "core/short.py", "".join(function(f"short_{n}", 2) for n in range(40)))
        write(tmp_path, "core/long.py", function("long", lines))
        findings, _ = shape.check(tmp_path)
        expected = [f"src/heliograph/core/long.py:1: long has {lines} lines; at most 60"]
        assert findings == (expected if is_found else [])

    def test_decorators_and_docstring_are_free(self, tmp_path: Path) -> None:
        text = "@decorated\ndef told():\n" + '    """Say' + "\n" * 80 + '    """\n    return 1\n'
        write(tmp_path, "core/told.py", text)
        findings, summary = shape.check(tmp_path)
        assert findings == []
        assert "1 functions: median 2, p95 2, longest 2 lines" in summary

    def test_the_tail_is_named_when_more_than_one_in_twenty_is_long(self, tmp_path: Path) -> None:
        write(tmp_path, "core/many.py", "".join(function(f"short_{n}", 2) for n in range(18)) + function("a", 31))
        assert [each for each in shape.check(tmp_path)[0] if " a has 31 lines" in each]
        write(tmp_path, "core/more.py", "".join(function(f"short_{n}", 2) for n in range(18)))
        assert shape.check(tmp_path)[0] == []

    def test_the_middle_function_is_short(self, tmp_path: Path) -> None:
        write(tmp_path, "core/middle.py", function("a", 9))
        assert shape.check(tmp_path)[0] == ["src/heliograph: the median function has 9 lines; at most 8"]

    def test_a_file_has_a_hard_cap_and_tables_are_excused(self, tmp_path: Path) -> None:
        for n in range(40):
            write(tmp_path, f"core/short_{n}.py", "A = 1\n")
        write(tmp_path, "core/long.py", "A = 1\n" * 601)
        write(tmp_path, next(iter(shape.TABLES)), "A = 1\n" * 900)
        assert shape.check(tmp_path)[0] == ["src/heliograph/core/long.py:1: the file has 601 lines; at most 600"]

    @pytest.mark.parametrize(
        ("signature", "finding"),
        [
            ("a, b, *, c, d, e, f", None),
            ("a, b, *, c, d, e, f, g", "send has 7 parameters; at most 6"),
            ("a, b, c", None),
            ("a, b, c, d", "send has 4 positional parameters; all but 3 by keyword"),
        ],
    )
    def test_parameters_are_few_and_named(self, tmp_path: Path, signature: str, finding: str | None) -> None:
        write(tmp_path, "core/send.py", f"def send({signature}): ...\n")
        place = "src/heliograph/core/send.py:1: "
        assert shape.check(tmp_path)[0] == ([place + finding] if finding else [])

    @pytest.mark.parametrize(("name", "is_found"), [("_send", False), ("__init__", True), ("__exit__", False)])
    def test_what_is_called_where_it_stands_may_have_them_by_place(
        self, tmp_path: Path, name: str, is_found: bool
    ) -> None:
        write(tmp_path, "core/send.py", f"class Send:\n    def {name}(self, a, b, c, d): ...\n")
        found = f"src/heliograph/core/send.py:2: {name} has 4 positional parameters; all but 3 by keyword"
        assert shape.check(tmp_path)[0] == ([found] if is_found else [])

    def test_what_is_private_has_few_parameters_too(self, tmp_path: Path) -> None:
        write(tmp_path, "core/send.py", "def _send(a, b, c, d, e, f, g): ...\n")
        assert shape.check(tmp_path)[0] == ["src/heliograph/core/send.py:1: _send has 7 parameters; at most 6"]

    def test_a_command_has_as_many_as_people_may_write(self, tmp_path: Path) -> None:
        write(tmp_path, "cli/send.py", "@group.command()\ndef send(a, b, c, *, d, e, f, g): ...\n")
        assert shape.check(tmp_path)[0] == []

    def test_self_is_not_a_parameter(self, tmp_path: Path) -> None:
        write(tmp_path, "core/send.py", "class Send:\n    def send(self, a, b, c): ...\n")
        assert shape.check(tmp_path)[0] == []

    def test_a_class_is_short_and_has_few_public_methods(self, tmp_path: Path) -> None:
        methods = "".join(f"    def do_{chr(97 + n)}(self): ...\n" for n in range(13))
        write(tmp_path, "core/wide.py", f"class Wide:\n{methods}    def _own(self): ...\n")
        write(tmp_path, "core/tall.py", "class Tall:\n" + "    a = 1\n" * 200)
        for n in range(20):
            write(tmp_path, f"core/short_{n}.py", "A = 1\n")
        assert shape.check(tmp_path)[0] == [
            "src/heliograph/core/tall.py:1: class Tall has 201 lines; at most 200",
            "src/heliograph/core/wide.py:1: class Wide has 13 public methods; at most 12",
        ]

    def test_a_dialect_is_small_as_a_whole(self, tmp_path: Path) -> None:
        for n in range(10):
            write(tmp_path, f"dialects/semaphore/file_{n}.py", "A = 1\n" * 91)
        write(tmp_path, "dialects/http.py", "A = 1\n" * 100)
        findings, _ = shape.check(tmp_path)
        assert findings == ["src/heliograph/dialects/semaphore: the dialect has 910 lines; at most 900"]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "finding"),
        [
            ("class DlrStore: ...", "DlrStore: not 'dlr'; say Receipt"),
            ("def send_msgs(): ...", "send_msgs: not 'msgs'; say Message"),
            ("async def send(*, tenant): ...", "tenant: not 'tenant'; say Account"),
            ("class A:\n    smsc: int", "smsc: not 'smsc'; say MessageCentre; Role.MC in SMPP"),
            ("class A:\n    ttl = 1", "ttl: not 'ttl'; say expires_at"),
            ("class A:\n    def f(self):\n        self._in_flight = 1", "_in_flight: not 'flight'; say window"),
            ("a = sa.Column('gateway', b)", "gateway: not 'gateway'; say Carrier"),
            ("class SmsStore: ...", "SmsStore: not 'sms'; say Message, or Channel.SMS for the channel"),
            ("class CarrierManager: ...", "CarrierManager: 'manager' says nothing about what is inside"),
        ],
    )
    def test_a_synonym_is_found(self, tmp_path: Path, text: str, finding: str) -> None:
        write(tmp_path, "services/a.py", text)
        (found,) = words.check(tmp_path)
        assert found.startswith("src/heliograph/services/a.py:")
        assert found.endswith(finding)

    @pytest.mark.parametrize(
        "text",
        [
            "def counterpart(): ...",
            "class Channel:\n    SMS = 'sms'",
            "def f():\n    parts = 1",
            "'dlr'",
            "def f(base_url): ...",
            "class Message: ...",
        ],
    )
    def test_other_words_pass(self, tmp_path: Path, text: str) -> None:
        write(tmp_path, "services/a.py", text)
        assert words.check(tmp_path) == []

    @pytest.mark.parametrize("path", ["smpp/codec.py", "dialects/semaphore/wire.py", "sandbox/phones.py"])
    def test_other_peoples_words_are_kept(self, tmp_path: Path, path: str) -> None:
        write(tmp_path, path, "phone_part: int\nclass Phone: ...\n")
        assert words.check(tmp_path) == []

    @pytest.mark.parametrize("path", ["core/utils.py", "core/common/__init__.py", "services/helpers.py"])
    def test_a_module_says_what_it_holds(self, tmp_path: Path, path: str) -> None:
        write(tmp_path, path, "")
        assert len(words.check(tmp_path)) == 1

    def test_names_are_cut_at_underscores_and_capitals(self) -> None:
        assert words.parts_of("SMSCAddress_in2MT") == ["smsc", "address", "in", "mt"]


class TestMirror:
    def test_a_module_has_its_tests_and_the_tests_their_module(self, tmp_path: Path) -> None:
        write(tmp_path, "core/money.py", "def add(): ...")
        write(tmp_path, "smpp/codec.py", "def decode(): ...")
        write(tmp_path, "tests/unit/core/test_money.py", "")
        write(tmp_path, "tests/unit/gsm/test_gone.py", "")
        assert mirror.check(tmp_path) == [
            "tests/unit/gsm/test_gone.py: src/heliograph/gsm/gone.py is missing",
            "src/heliograph/smpp/codec.py: tests/unit/smpp/test_codec.py is missing",
        ]

    def test_constants_and_higher_floors_need_none(self, tmp_path: Path) -> None:
        write(tmp_path, "core/limits.py", "LONGEST = 255")
        write(tmp_path, "cli/main.py", "def main(): ...")
        assert mirror.check(tmp_path) == []


@pytest.mark.parametrize("tool", ["shape", "words", "mirror"])
def test_a_tool_exits_1_exactly_when_it_finds_something(tmp_path: Path, tool: str) -> None:
    def run() -> int:
        return subprocess.run(
            [sys.executable, str(HERE / "tools" / f"{tool}.py"), str(tmp_path)], check=False, capture_output=True
        ).returncode

    assert run() == 0
    write(tmp_path, "core/gateway.py", "def send(a, b, c, d): ...")
    assert run() == 1


def test_a_test_cannot_leave_this_machine() -> None:
    with socket.socket() as far, pytest.raises(pytest.fail.Exception, match="loopback only"):
        far.connect(("192.0.2.1", 80))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        assert near.getpeername() == server.getsockname()
