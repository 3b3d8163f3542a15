"""Between our words and the standard's: parcels become SubmitReq, DeliverReq and reports become ours. Pure."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from heliograph.carriers.mm7.profile import Profile, SenderForm
from heliograph.core.messages import Channel, Parcel
from heliograph.core.numbers import SenderKind, sender_from
from heliograph.core.receipts import Receipt, match_key
from heliograph.core.states import MessageState
from heliograph.gsm import udh
from heliograph.gsm.segments import Encoding
from heliograph.mm7.messages import (
    Address,
    AddressKind,
    Content,
    DeliverReq,
    DeliveryReportReq,
    MMStatus,
    ReadReplyReq,
    Recipients,
    SenderIdentification,
    SubmitReq,
)
from heliograph.mm7.multipart import Part, fitting
from heliograph.mm7.packing import CONTENT_ID
from heliograph.pipeline.ports import Attachment, Incoming, IncomingMedia

MOST_TEXT_CHARS: Final = 20_000
"""A longer text of a handset is kept as a file."""

_TEXT: Final = "text/plain"
_TEXT_NAME: Final = "text.txt"
_MOST_ERROR_CHARS: Final = 80
_ENVELOPE_OCTETS: Final = 6_000
_FILE_OCTETS: Final = 700
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_PLMN: Final = re.compile(r"/type=[a-z0-9]+", re.IGNORECASE)
_CHARACTER_SETS: Final = re.compile(
    r"utf-?8|us-?ascii|utf-?16(-?[lb]e)?|iso-?8859-?[0-9]{1,2}|windows-?125[0-9]|cp125[0-9]"
)

_ENDS: Final = {
    MMStatus.RETRIEVED: MessageState.DELIVERED,
    MMStatus.DELIVERED: MessageState.DELIVERED,
    MMStatus.EXPIRED: MessageState.EXPIRED,
    MMStatus.REJECTED: MessageState.REJECTED,
    MMStatus.UNRECOGNISED: MessageState.UNDELIVERED,
    MMStatus.UNREACHABLE: MessageState.UNDELIVERED,
}
_ENDS_BY_WORD: Final = {word.lower(): state for word, state in _ENDS.items()}
_FORMS: Final = {
    SenderForm.NUMBER: AddressKind.NUMBER,
    SenderForm.SHORT_CODE: AddressKind.SHORT_CODE,
    SenderForm.RFC2822: AddressKind.RFC2822,
}
_KINDS: Final = {
    SenderKind.LONG_NUMBER: AddressKind.NUMBER,
    SenderKind.SHORT_CODE: AddressKind.SHORT_CODE,
    # Nothing of the standard's is a name; what takes one reads it here.
    SenderKind.ALPHANUMERIC: AddressKind.SHORT_CODE,
}


class UnusableSender(ValueError):
    """The sender cannot be written in a SenderAddress."""


class Submit(NamedTuple):
    """A request and its files."""

    message: SubmitReq
    files: list[Part]


def room_for_files(parcel: Parcel, profile: Profile) -> int:
    """How many octets the text and the files of a message may have before they are encoded."""
    taken = _ENVELOPE_OCTETS + _FILE_OCTETS * len(parcel.message.content.media)
    return fitting(max(0, profile.most_octets - taken), is_binary=profile.is_binary)


def submit_from(parcel: Parcel, attachments: Sequence[Attachment], profile: Profile) -> Submit:
    """The request for one message; raises UnusableSender."""
    message = parcel.message
    content = message.content
    request = SubmitReq(
        mm7_version=profile.version,
        sender_identification=SenderIdentification(
            vasp_id=profile.vasp_id, vas_id=profile.vas_id, sender_address=_sender_address(content.sender, profile)
        ),
        recipients=Recipients(to=(Address(value=_number(message.recipient[1:], profile)),)),
        service_code=profile.service_code,
        expiry_date=f"PT{profile.validity_s}S" if profile.validity_s else "",
        delivery_report=profile.asks_delivery,
        read_reply=profile.asks_reading,
        content=Content(href=f"cid:{CONTENT_ID}"),
    )
    return Submit(request, _files_from(content.text, attachments))


def _number(digits: str, profile: Profile) -> str:
    return f"+{digits}" if profile.has_plus else digits


def _sender_address(written: str, profile: Profile) -> Address:
    sender = sender_from(written)
    if sender is None:
        raise UnusableSender(f"{written!r} is no sender")
    is_long = sender.kind is SenderKind.LONG_NUMBER
    value = _number(sender.address, profile) if is_long else sender.address
    return Address(value=value, kind=_FORMS.get(profile.sender_form, _KINDS[sender.kind]))


def _files_from(text: str, attachments: Iterable[Attachment]) -> list[Part]:
    """The text first, then the files, each under a name of its own that any handset can read."""
    files: list[Part] = []
    if text:
        files.append(Part(text.encode(), f'{_TEXT}; charset="utf-8"', _TEXT_NAME, _TEXT_NAME))
    for number, (content, content_type, name) in enumerate(attachments, start=1):
        plain = f"{number}-{_UNSAFE.sub('-', name).strip('-.')[-40:] or 'file'}"
        files.append(Part(content, content_type, plain, plain))
    return files


def receipt_from(report: DeliveryReportReq) -> Receipt:
    """A delivery report in our words; one of which we do not know the status is on the way."""
    state = _ENDS_BY_WORD.get(report.mm_status.lower())
    error = "" if state is MessageState.DELIVERED else report.status_text[:_MOST_ERROR_CHARS]
    return Receipt(_key_of(report.message_id), state, _both_ends(report), error)


def receipt_of_reading(report: ReadReplyReq) -> Receipt:
    """Who has read a message, or deleted it unread, has got it."""
    is_known = report.mm_status.lower() != MMStatus.INDETERMINATE.lower()
    return Receipt(_key_of(report.message_id), MessageState.DELIVERED if is_known else None, _both_ends(report))


def _key_of(message_id: str) -> str:
    return match_key(message_id, is_hex=False)


def _both_ends(report: DeliveryReportReq | ReadReplyReq) -> tuple[str, str]:
    return (_digits(report.recipient), _digits(report.sender))


def _digits(address: Address | None) -> str:
    """An address as bare digits, without what MMS puts behind them: `/TYPE=PLMN`, or the name of a relay."""
    if address is None:
        return ""
    plain = _PLMN.split(address.value.strip(), maxsplit=1)[0]
    local = plain.partition("@")[0].removeprefix("+")
    return local if local.isdigit() else plain.removeprefix("+")


def incoming_from(request: DeliverReq, files: Sequence[Part], *, transaction_id: str) -> list[Incoming]:
    """A message from a handset, once for each of the addresses it was sent to.

    Which of them are ours the pipeline knows. A carrier may leave them out: then it is a message to nobody.
    """
    texts, media = _texts_and_media(files)
    text = "\n".join(each for each in (request.subject, *texts) if each).replace("\0", "\ufffd")
    body = text.encode("utf-16-be", "replace")
    header = _reference(request.linked_id or transaction_id, media)
    recipients = request.recipients
    addresses = dict.fromkeys(_digits(each) for each in (*recipients.to, *recipients.cc, *recipients.bcc))
    return [
        Incoming(_digits(request.sender), address, Encoding.UCS2, header, body, text, Channel.MMS, media)
        for address in addresses or ("",)
    ]


def _texts_and_media(files: Sequence[Part]) -> tuple[list[str], tuple[IncomingMedia, ...]]:
    texts: list[str] = []
    media: list[IncomingMedia] = []
    for each in files:
        text = _text_of(each) if each.media_type == _TEXT else None
        if text is not None and len(text) <= MOST_TEXT_CHARS:
            texts.append(text.strip())
        else:
            media.append(IncomingMedia(each.content, each.media_type, each.name))
    return texts, tuple(media)


def _text_of(file: Part) -> str:
    encoding = file.charset if _CHARACTER_SETS.fullmatch(file.charset) else "utf-8"
    try:
        return file.content.decode(encoding, "replace")
    except LookupError:
        return file.content.decode("utf-8", "replace")


def _reference(identity: str, media: tuple[IncomingMedia, ...]) -> bytes:
    """A header that says "the first of one", so that the pipeline knows the message again when it is repeated.

    A carrier repeats what it saw no answer to; two pictures that a person sends one after the other have the same text.
    """
    if not identity:
        return b""
    digest = hashlib.sha256(identity.encode("utf-8", "replace"))
    for each in media:
        digest.update(hashlib.sha256(each.content).digest())
    reference = int.from_bytes(digest.digest()[:2], "big")
    return udh.concatenation_header(udh.Concatenation(reference=reference, total=1, number=1, wide=True))
