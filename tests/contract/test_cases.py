from pathlib import Path

import pytest

from tests.contract.case import Exchange, play, roots_of

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/*/case.toml"))


PLAYED = [
    pytest.param(folder, root, id=f"{folder.parent.name}/{folder.name}{root and f'@{root}'}")
    for folder in FOLDERS
    for root in roots_of(folder)
]


@pytest.mark.parametrize(("folder", "root"), PLAYED)
def test_case(folder: Path, root: str, exchange: Exchange) -> None:
    play(folder, exchange, root)


def test_no_folder_is_left_out() -> None:
    here = Path(__file__).parent
    cases = {path for dialect in here.iterdir() if dialect.is_dir() for path in dialect.iterdir() if path.is_dir()}
    assert cases - set(FOLDERS) - {path for path in cases if "__pycache__" in path.parts} == set()
    assert len(FOLDERS) > 50
