from dataclasses import fields
from typing import get_args

import pytest

from heliograph.mm7.errors import NotReadable
from heliograph.mm7.layouts import LAYOUTS, all_text, read_as, written_as
from heliograph.mm7.messages import Fault, Message, Status, SubmitRsp
from heliograph.mm7.tree import parse


def test_every_message_has_a_layout_with_all_its_fields() -> None:
    assert set(LAYOUTS) == set(get_args(Message)) - {Fault}
    for kind, layout in LAYOUTS.items():
        assert [each.name for each in layout] == [each.name for each in fields(kind)]


def test_what_is_absent_is_not_written() -> None:
    status = Status(status_code=1000, status_text="Success")
    written = written_as(LAYOUTS[SubmitRsp], SubmitRsp(status=status))
    assert written == "<Status><StatusCode>1000</StatusCode><StatusText>Success</StatusText></Status>"


def test_what_must_be_there_is_missed() -> None:
    with pytest.raises(NotReadable, match="SubmitRsp has no Status"):
        read_as(LAYOUTS[SubmitRsp], parse(b"<SubmitRsp/>"))


def test_all_text_goes_deep() -> None:
    assert all_text(parse(b"<a> x <b>y</b><c><d>z</d></c></a>")) == "x y z"
