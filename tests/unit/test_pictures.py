import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer

from heliograph.config import Settings
from heliograph.core.fates import Fate
from heliograph.core.reasons import Reason
from heliograph.core.states import MOVES, MessageState
from tools import pictures

HERE = Path(__file__).resolve().parents[2]


def page(root: Path, text: str, *, path: str = "docs/page.md") -> Path:
    """Put a page into a made-up checkout."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def block(name: str, inside: str = "") -> str:
    return f"# Page\n\n<!-- made by tools/pictures.py: {name} -->\n{inside}<!-- end -->\n\nWritten by hand.\n"


class TestBlocks:
    def test_every_move_is_drawn_and_no_other(self) -> None:
        drawn: set[tuple[str, str]] = set()
        for line in pictures.moves().splitlines():
            old, arrow, rest = line.strip().partition(" --> ")
            if arrow and old != "[*]":
                new, _, ends = rest.partition(" : ")
                drawn |= {(old, word) for word in (ends.split(", ") if ends else [new])}
        assert drawn == {(old.word, new.word) for old, following in MOVES.items() for new in following}

    def test_every_state_has_a_meaning_on_its_page(self) -> None:
        text = (HERE / "docs/reference/states.md").read_text(encoding="utf-8")
        assert [state.word for state in MessageState if f"\n| `{state.word}` | " not in text.split("<!--")[0]] == []

    def test_every_reason_has_an_address(self) -> None:
        text = pictures.reasons()
        for reason in Reason:
            section = text.partition(f"## {reason.number} ")[2].partition("\n## ")[0]
            assert reason.sentence in section
            assert reason.advice in section
            assert ("TouchBasePro" in section) == (reason.number < 200)

    def test_every_fate_has_a_row(self) -> None:
        assert [fate for fate in Fate if fate.sentence not in pictures.fate_table()] == []

    def test_every_setting_has_a_row_with_its_default(self) -> None:
        lines = pictures.settings_table().splitlines()[2:]
        assert [line.split(" | ")[0] for line in lines] == [f"| `{name}`" for name in Settings.__struct_fields__]
        assert "| `rate_limit` | `HELIOGRAPH_RATE_LIMIT` | `0` |" in "\n".join(lines)

    def test_metrics_are_listed_with_their_labels(self) -> None:
        text = pictures.metric_table()
        assert "| `heliograph_outcomes_total` | counter | carrier, outcome |" in text
        assert "| `heliograph_messages_in_memory` | gauge |  |" in text
        assert "process_" not in text

    def test_a_command_is_listed_with_its_arguments_and_options(self) -> None:
        app = typer.Typer()
        group = typer.Typer(invoke_without_command=True)
        app.add_typer(group, name="carrier")

        @group.callback()
        def carrier(once: Annotated[bool, typer.Option("--once", help="Only once.")] = False) -> None:
            """Look at all."""

        @group.command()
        def add(
            name: str,
            window: Annotated[int, typer.Option(help="How wide.")] = 10,
            policy: Annotated[Literal["resend", "hold"] | None, typer.Option()] = None,
        ) -> None:
            """Add a carrier;
            it is used at once."""

        @app.command()
        def audit(account: Annotated[str, typer.Option(help="Whose | which.")]) -> None:
            """Check."""

        text = pictures.described(app, {"audit": "Books.", "carrier": "Upstreams."})
        assert text.index("## audit\n\nBooks.") < text.index("## carrier\n\nUpstreams.")
        assert "\nheliograph carrier [--once]\n```\n\nLook at all.\n" in text
        assert "\nheliograph carrier add NAME [--window N] [--policy resend|hold]\n```\n\n" in text
        assert "Add a carrier; it is used at once.\n" in text
        assert "| `--window N` | 10 | How wide. |" in text
        assert "heliograph audit --account TEXT\n" in text
        assert "| `--account TEXT` | required | Whose \\| which. |" in text


class TestPages:
    def test_only_what_stands_between_the_marks_is_drawn(self, tmp_path: Path) -> None:
        file = page(tmp_path, block("fates", "old\n"))
        assert pictures.check(tmp_path) == ["docs/page.md: out of date; run `make docs`"]
        assert pictures.main([str(tmp_path)]) == 0
        assert file.read_text(encoding="utf-8") == block("fates", pictures.fate_table())
        assert pictures.check(tmp_path) == []

    def test_a_block_that_nobody_draws_is_a_mistake(self, tmp_path: Path) -> None:
        page(tmp_path, block("weather"))
        with pytest.raises(KeyError, match="weather"):
            pictures.check(tmp_path)

    @pytest.mark.parametrize(
        ("text", "finding"),
        [
            ("[a](other.md)", "there is no other.md"),
            ("[a](page.md#nowhere)", "page.md has no #nowhere"),
            ("[a](#nowhere)", "page.md has no #nowhere"),
            ("see `core/weather.py`", "there is no module core/weather.py"),
        ],
    )
    def test_what_leads_nowhere_is_named(self, tmp_path: Path, text: str, finding: str) -> None:
        page(tmp_path, f"# Here and there\n\n{text}\n")
        assert pictures.check(tmp_path) == [f"docs/page.md: {finding}"]

    @pytest.mark.parametrize(
        "text",
        [
            "[a](page.md#here-and-there) [b](#here-and-there) [c](../docs/) [d](https://www.example.com/x)",
            "`core/money.py` and `src/heliograph/core/money.py`",
            "`dialects/NAME/wire.py`",
            "```\n[a](gone.md) `core/gone.py`\n# no heading\n```",
        ],
    )
    def test_what_leads_somewhere_passes(self, tmp_path: Path, text: str) -> None:
        page(tmp_path, "", path="src/heliograph/core/money.py")
        page(tmp_path, f"# Here and there\n\n{text}\n")
        assert pictures.check(tmp_path) == []

    def test_it_exits_1_exactly_when_it_finds_something(self, tmp_path: Path) -> None:
        def run() -> int:
            command = [sys.executable, str(HERE / "tools/pictures.py"), "--check", str(tmp_path)]
            return subprocess.run(command, check=False, capture_output=True).returncode

        assert run() == 0
        page(tmp_path, "[a](gone.md)")
        assert run() == 1
