import socket

import pytest

from heliograph.testing import ports


def test_ports_are_in_a_row_from_an_even_one_on() -> None:
    found = ports.free_ports(4)
    assert len(found) == 4
    assert found[0] % 2 == 0
    assert ports.BETWEEN[0] <= found[0] < ports.BETWEEN[1]


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch, kind: socket.SocketKind) -> None:
    taken = ports.free_ports(2)
    monkeypatch.setattr(ports, "BETWEEN", (taken[0], taken[0] + 1))
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", taken[1]))
        if kind is socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(LookupError, match="no 2 free ports"):
            ports.free_ports(2)
