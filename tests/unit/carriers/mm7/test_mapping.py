import pytest

from heliograph.carriers.mm7.mapping import (
    MOST_TEXT_CHARS,
    UnusableSender,
    incoming_from,
    receipt_from,
    receipt_of_reading,
    submit_from,
)
from heliograph.carriers.mm7.profile import Profile
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import Channel, Message, Parcel, whole_of
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.gsm.segments import Encoding, join
from heliograph.mm7.messages import Address, AddressKind, DeliverReq, DeliveryReportReq, ReadReplyReq, Recipients
from heliograph.mm7.multipart import Part
from heliograph.pipeline.ports import Attachment, Incoming, IncomingMedia

PROFILE = Profile(url="http://mms.example/", user="shop", password="secret", vasp_id="shop")
PICTURE = Part(b"\x89PNG", "image/PNG; name=x", "p", "p.png")


def parcel(*, text: str = "hi", sender: str = "27600") -> Parcel:
    content = whole_of(SubmissionId(1), channel=Channel.MMS, sender=sender, text=text)
    return Parcel(Message(AccountId(1), MessageId(1), "+27831234567", content, (CarrierId(1),), 2**62), 0)


def text_part(content: bytes, charset: str = "") -> Part:
    return Part(content, f"text/plain; charset={charset}" if charset else "text/plain", "t", "t.txt")


def deliver(*files: Part, subject: str = "", linked_id: str = "L", to: tuple[str, ...] = ("27600",)) -> list[Incoming]:
    request = DeliverReq(
        linked_id=linked_id,
        sender=Address(value="+27831234567"),
        recipients=Recipients(to=tuple(Address(value=each) for each in to)),
        subject=subject,
    )
    return incoming_from(request, files, transaction_id="T")


def test_a_message_without_text_has_no_file_for_it() -> None:
    files = submit_from(parcel(text=""), [Attachment(b"x", "image/png", "a.png")], PROFILE).files
    assert [each.name for each in files] == ["1-a.png"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Ünïcode näme.PNG", "1-n-code-n-me.PNG"),
        ("../../etc/passwd", "1-etc-passwd"),
        ('a"\r\nX: y.png', "1-a-X-y.png"),
        ("...", "1-file"),
        ("", "1-file"),
        ("x" * 300 + ".png", "1-" + "x" * 36 + ".png"),
    ],
)
def test_names_of_files_are_plain(name: str, expected: str) -> None:
    (_, file) = submit_from(parcel(), [Attachment(b"x", "image/png", name)], PROFILE).files
    assert (file.name, file.content_id) == (expected, expected)


def test_a_sender_that_is_none_is_not_sent() -> None:
    with pytest.raises(UnusableSender):
        submit_from(parcel(sender="much too long for a sender"), [], PROFILE)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+27831234567", "27831234567"),
        ("27831234567/TYPE=PLMN", "27831234567"),
        ("+27831234567/type=plmn@mms.example", "27831234567"),
        ("27831234567@mms.example", "27831234567"),
        ("shop@mms.example", "shop@mms.example"),
        (" 27600 ", "27600"),
    ],
)
def test_addresses_lose_what_mms_puts_behind_them(written: str, digits: str) -> None:
    report = DeliveryReportReq(
        message_id="00AB-c", recipient=Address(value=written, kind=AddressKind.RFC2822), mm_status="retrieved"
    )
    assert receipt_from(report) == Receipt("abc", MessageState.DELIVERED, (digits, ""))


def test_an_error_is_short() -> None:
    report = DeliveryReportReq(message_id="1", mm_status="Expired", status_text="x" * 500)
    assert receipt_from(report) == Receipt("1", MessageState.EXPIRED, ("", ""), "x" * 80)


def test_a_read_reply_that_does_not_know_says_nothing() -> None:
    assert receipt_of_reading(ReadReplyReq(message_id="1", mm_status="Indeterminate")).state is None


def test_subject_and_texts_become_one_text_and_the_rest_is_files() -> None:
    (incoming,) = deliver(text_part(b" one "), PICTURE, text_part(b"two"), subject="Hi")
    assert incoming.text == "Hi\none\ntwo"
    assert join((incoming.body,), Encoding.UCS2) == incoming.text
    assert incoming.media == (IncomingMedia(b"\x89PNG", "image/png", "p.png"),)


@pytest.mark.parametrize(
    ("content", "charset"),
    [
        ("é".encode(), ""),
        ("é".encode(), "utf-8"),
        ("é".encode("latin-1"), "ISO-8859-1"),
        ("é".encode("cp1252"), "windows-1252"),
        ("é".encode("utf-16"), "utf-16"),
        ("é".encode(), "unicode_escape"),
        ("é".encode(), "nonsense"),
        ("é".encode(), "iso-8859-99"),
    ],
)
def test_texts_are_read_in_the_encodings_that_handsets_use(content: bytes, charset: str) -> None:
    assert deliver(text_part(content, charset))[0].text == "é"


def test_a_text_has_nothing_that_a_store_cannot_keep() -> None:
    (incoming,) = deliver(text_part(b"a\0b\xff"), subject="c\0")
    assert incoming.text == "c\ufffd\na\ufffdb\ufffd"


def test_a_very_long_text_is_a_file() -> None:
    (incoming,) = deliver(text_part(b"x" * (MOST_TEXT_CHARS + 1)), text_part(b"short"))
    assert incoming.text == "short"
    assert incoming.media[0].declared == "text/plain"


def test_each_address_gets_it_once_and_a_message_to_nobody_is_kept() -> None:
    assert [each.recipient for each in deliver(to=("27600", "+27831111111", "27600"))] == ["27600", "27831111111"]
    assert [each.recipient for each in deliver(to=())] == [""]


def test_what_tells_messages_apart_is_their_name_and_their_files() -> None:
    (one,), (other_name,), (other_file,) = (
        deliver(PICTURE), deliver(PICTURE, linked_id="M"), deliver(PICTURE._replace(content=b"x"))
    )  # fmt: skip
    assert len({one.udh, other_name.udh, other_file.udh}) == 3
    assert deliver(PICTURE)[0].udh == one.udh
    assert deliver(PICTURE, linked_id="")[0].udh
