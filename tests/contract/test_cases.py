from pathlib import Path

import pytest

from tests.contract.case import Exchange, play

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/*/case.toml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_case(folder: Path, exchange: Exchange) -> None:
    play(folder, exchange)


def test_no_folder_is_left_out() -> None:
    here = Path(__file__).parent
    cases = {path for dialect in here.iterdir() if dialect.is_dir() for path in dialect.iterdir() if path.is_dir()}
    assert cases - set(FOLDERS) - {path for path in cases if "__pycache__" in path.parts} == set()
    assert len(FOLDERS) > 50
