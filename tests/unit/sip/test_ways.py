from heliograph.sip.ways import Transport


def test_only_udp_loses_messages() -> None:
    assert [each for each in Transport if not each.is_reliable] == [Transport.UDP]
