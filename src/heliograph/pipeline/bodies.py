"""Bodies: what the recipients of a submission get, each encoded once, and what it counts as."""

from collections.abc import Iterator
from typing import NamedTuple

from heliograph.core import voice
from heliograph.core.alphabets import LanguageTable, language_for
from heliograph.core.ids import SubmissionId, segment_reference
from heliograph.core.messages import (
    MOST_MMS_CHARS,
    NO_TRAITS,
    Channel,
    Content,
    Media,
    Refusal,
    Submission,
    is_template_id,
    whole_of,
)
from heliograph.core.reasons import Reason
from heliograph.gsm import alphabet
from heliograph.gsm.alphabet import NotInAlphabet
from heliograph.gsm.national import Language
from heliograph.gsm.segments import Encoding, TooLong, split

_MOST_CHARS = {Channel.MMS: MOST_MMS_CHARS, Channel.VOICE: voice.MOST_CHARS}


class Body(NamedTuple):
    """A content, or why there is none.

    units: what its price is counted in: segments, one MMS, started half minutes of voice. about: as `Refusal` has it.
    """

    content: Content | None
    units: int = 0
    reason: Reason | None = None
    about: str = ""


def body_of(
    submission: Submission,
    text: str,
    *,
    submission_id: SubmissionId,
    sender: str,
    language: Language = Language.NONE,
) -> Body:
    """Encode a text as a submission wants it sent. language: whose tables it may take."""
    if not text and not submission.media_urls:
        return Body(None, reason=Reason.NO_TEXT)
    if "\0" in text:
        return Body(None, reason=Reason.INVALID_TEXT)
    channel, traits = submission.channel, submission.traits
    if channel is not Channel.SMS:
        return _whole(submission, text, submission_id=submission_id, sender=sender)
    if language is not Language.NONE:
        traits = traits._replace(alphabet=int(language))
    try:
        encoding, segments = split(text, reference=segment_reference(submission_id), language=language)
    except TooLong:
        return Body(None, reason=Reason.TEXT_TOO_LONG)
    except NotInAlphabet:
        return Body(None, reason=Reason.INVALID_TEXT)
    return Body(Content(submission_id, sender, text, encoding, segments, channel, (), traits), len(segments))


def _whole(submission: Submission, text: str, *, submission_id: SubmissionId, sender: str) -> Body:
    """The body of an MMS or of voice."""
    channel = submission.channel
    if len(text) > _MOST_CHARS[channel]:
        return Body(None, reason=Reason.TEXT_TOO_LONG)
    if not is_unicode(text):
        return Body(None, reason=Reason.INVALID_TEXT)
    why = voice.why_unread(text, submission.traits.language) if channel is Channel.VOICE else ""
    if why:
        return Body(None, reason=Reason.UNREADABLE_TEXT, about=why)
    media = tuple(map(Media, submission.media_urls))
    traits = submission.traits
    content = whole_of(submission_id, channel=channel, sender=sender, text=text, media=media, traits=traits)
    return Body(content, voice.units_of(text) if channel is Channel.VOICE else 1)


class Bodies:
    """The bodies of a submission whose recipients do not all get the same.

    identifiers: as many as there can be bodies, rising. languages: whose tables which recipients may get.
    """

    __slots__ = ("_identifiers", "_languages", "_made", "_sender", "_submission")

    def __init__(
        self, submission: Submission, identifiers: Iterator[int], *, sender: str, languages: LanguageTable
    ) -> None:
        self._submission = submission
        self._identifiers = identifiers
        self._sender = sender
        self._languages = languages
        self._made: dict[tuple[str, Language], Body] = {}

    @staticmethod
    def most(submission: Submission, languages: LanguageTable) -> int:
        """How many bodies there can be."""
        texts = len(set(submission.texts)) if submission.texts else 1
        return texts * (1 + len(set(languages.languages.values())))

    def of(self, place: int, recipient: str) -> Body:
        """The body for the recipient (`+` and digits) at a place of the submission."""
        submission = self._submission
        text = submission.texts[place] if submission.texts else submission.text
        if submission.channel is not Channel.SMS or alphabet.is_encodable(text):
            return self._body(text, Language.NONE)
        body = self._body(text, language_for(recipient, self._languages))
        # Tables that do not help are not taken: then it is the text that everybody gets.
        is_helped = body.content is None or body.content.encoding is Encoding.GSM7
        return body if is_helped else self._body(text, Language.NONE)

    def _body(self, text: str, language: Language) -> Body:
        body = self._made.get((text, language))
        if body is None:
            body = self._made[text, language] = body_of(
                self._submission,
                text,
                submission_id=SubmissionId(next(self._identifiers)),
                sender=self._sender,
                language=language,
            )
        return body


def with_good_traits(submission: Submission) -> Submission | Refusal:
    """A submission whose traits make sense, with its voice as it is written here."""
    if submission.traits is not NO_TRAITS and not is_template_id(submission.traits.template_id):
        return Refusal(Reason.MALFORMED)
    if submission.channel is not Channel.VOICE:
        return submission
    traits = voice.voice_from(submission.traits)
    return Refusal(Reason.BAD_VOICE) if traits is None else submission._replace(traits=traits)


def differs(submission: Submission, languages: LanguageTable) -> bool:
    """Whether recipients of a submission may get different bodies."""
    if submission.texts:
        return True
    has_tables = languages.longest > 0 and submission.channel is Channel.SMS
    return has_tables and not alphabet.is_encodable(submission.text)


def is_unicode(text: str) -> bool:
    """Whether a text can be written at all: a lone surrogate cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
