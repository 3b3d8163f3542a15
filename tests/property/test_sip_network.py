"""Two ends and a bad network between them: both come to an end whatever it does, and agree unless it is very bad."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.sip.events import Failed
from heliograph.sip.ways import Transport
from tests.unit.sip.network import Fate, Network, Story, outline

DELAY = 0.05
STORIES = {
    "the caller ends": Story(),
    "the called ends": Story(called_ends_after=1.0, caller_ends_after=None),
    "both end at once": Story(called_ends_after=5.0),
    "busy": Story(answers=None, refuses=1.0),
    "challenged": Story(challenges=True),
    # A caller that is heard of once and never again: in the end the phone stops ringing by itself.
    "given up": Story(answers=None, caller_gives_up=3.0, refuses=100.0),
    "given up at the answer": Story(answers=2.0, caller_gives_up=2.0),
    "given up at once": Story(answers=2.0, caller_gives_up=0.0),
    "answered at once, without ringing": Story(answers=0.0, rings=False),
}
ANSWERED = ["Answered", "Ended"]


def perfect(_: int) -> list[float]:
    return [DELAY]


def losing(*numbers: int) -> Fate:
    return lambda number: [] if number in numbers else [DELAY]


def agreed(network: Network) -> None:
    """Both ends saw a call that was answered, or both did not."""
    assert network.is_done
    caller, called = outline(network.caller_events), outline(network.called_events)
    assert caller in (["Failed"], ANSWERED)
    if network.refused:
        assert (caller, called) == (["Failed"], [])
    elif caller == ANSWERED:
        assert called == ANSWERED
    else:
        # An answer that crossed the giving up was a call to whoever answered.
        assert called in (["Failed"], ANSWERED) or network.story.caller_gives_up == 0.0


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("name", STORIES)
def test_on_a_perfect_network(name: str, transport: Transport) -> None:
    network = Network(STORIES[name], perfect, transport).run()
    agreed(network)
    gives_up = network.story.caller_gives_up is not None
    assert outline(network.caller_events) == (["Failed"] if gives_up or network.refused else ANSWERED)


@pytest.mark.parametrize("name", STORIES)
def test_any_packet_may_be_lost(name: str) -> None:
    count = Network(STORIES[name], perfect).run().sent
    for number in range(1, count + 4):
        agreed(Network(STORIES[name], losing(number)).run())


@pytest.mark.parametrize("name", ["the caller ends", "challenged", "given up at the answer"])
def test_any_two_packets_may_be_lost(name: str) -> None:
    count = Network(STORIES[name], perfect).run().sent
    for pair in itertools.combinations(range(1, count + 3), 2):
        agreed(Network(STORIES[name], losing(*pair)).run())


@pytest.mark.parametrize("name", STORIES)
def test_every_packet_may_come_twice(name: str) -> None:
    agreed(Network(STORIES[name], lambda _: [DELAY, 1.0]).run())


def test_a_called_that_falls_silent_after_its_answer() -> None:
    """The ACK never arrives, nor any BYE."""
    network = Network(Story(), lambda number: [DELAY] if number <= 4 else []).run()
    assert network.is_done
    assert outline(network.caller_events) == ANSWERED
    (failed,) = [event for event in network.called_events if isinstance(event, Failed)]
    assert failed.status == 408


FATES = st.lists(st.lists(st.floats(0.0, 8.0), max_size=2), max_size=60)


@given(st.sampled_from(sorted(STORIES)), FATES)
def test_whatever_a_network_does_both_ends_come_to_an_end(name: str, fates: list[list[float]]) -> None:
    def fate(number: int) -> list[float]:
        return fates[number - 1] if number <= len(fates) else [DELAY]

    network = Network(STORIES[name], fate).run()
    assert network.is_done
    assert outline(network.caller_events) in (["Failed"], ANSWERED)
    assert all(outline(network.called_events[:n]).count("Answered") <= 2 for n in range(len(network.called_events) + 1))
