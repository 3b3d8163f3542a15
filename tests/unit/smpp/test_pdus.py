from heliograph.smpp.pdus import Bind, DeliverSm, SubmitSm, tlv


def test_the_first_of_two_equal_tags_is_found() -> None:
    tlvs = ((0x0381, b"one"), (0x0381, b"two"))
    assert tlv(tlvs, 0x0381) == b"one"
    assert tlv(tlvs, 0x0424) is None


def test_submit_and_deliver_have_one_layout() -> None:
    assert SubmitSm._fields == DeliverSm._fields


def test_a_bind_speaks_version_3_4_unless_told() -> None:
    assert Bind().interface_version == 0x34
