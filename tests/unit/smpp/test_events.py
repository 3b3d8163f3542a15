from typing import get_args

from heliograph.smpp.events import Event


def test_every_event_names_its_fields_and_explains_itself() -> None:
    kinds = get_args(Event)
    assert len({kind.__name__ for kind in kinds}) == len(kinds) == 21
    for kind in kinds:
        assert kind.__doc__
        assert not kind.__doc__.startswith(kind.__name__ + "("), kind


def test_who_asks_or_answers_names_the_sequence_first() -> None:
    exceptions = {"BindRefused"}
    for kind in get_args(Event):
        if kind.__name__.endswith(("Requested", "Answered", "TimedOut")) and kind.__name__ not in exceptions:
            assert kind._fields[0] == "sequence"
