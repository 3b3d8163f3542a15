import pytest

from heliograph.carriers.sip.greeting import Answerer, Greeting


def heard(*stretches: tuple[bool, int]) -> Answerer | None:
    """Who picked up, after stretches of sound (True) and silence of so many milliseconds."""
    greeting = Greeting()
    for is_loud, milliseconds in stretches:
        for _ in range(milliseconds // 20):
            greeting.hear(is_loud=is_loud)
    return greeting.who


HELLO = ((False, 300), (True, 400))


@pytest.mark.parametrize(
    ("stretches", "who"),
    [
        (((False, 2_480),), None),
        (((False, 2_500),), Answerer.MACHINE),
        ((*HELLO, (False, 780)), None),
        ((*HELLO, (False, 800)), Answerer.PERSON),
        ((*HELLO, (True, 1_200)), Answerer.MACHINE),
        # Words with short gaps are one greeting.
        (((True, 500), (False, 200), (True, 500), (False, 200), (True, 600)), Answerer.MACHINE),
        # Clicks are no words.
        (((True, 80), (False, 400)) * 5, None),
        (((True, 80), (False, 400)) * 6, Answerer.MACHINE),
        # Short words without end, and without the silence of somebody who waits.
        (((True, 120), (False, 700)) * 7, Answerer.UNSURE),
    ],
)
def test_who_picked_up(stretches: tuple[tuple[bool, int], ...], who: Answerer | None) -> None:
    assert heard(*stretches) is who


def test_a_judgement_stands() -> None:
    assert heard(*HELLO, (False, 800), (True, 4_000)) is Answerer.PERSON


def test_a_machine_listens_when_it_has_been_silent_for_long_enough() -> None:
    greeting = Greeting()
    for _ in range(200):
        greeting.hear(is_loud=True)
    assert not greeting.is_over
    for _ in range(74):
        greeting.hear(is_loud=False)
    assert not greeting.is_over
    greeting.hear(is_loud=False)
    assert greeting.is_over


def test_no_greeting_is_endless() -> None:
    greeting = Greeting()
    for _ in range(1_500):
        greeting.hear(is_loud=True)
    assert greeting.is_over
