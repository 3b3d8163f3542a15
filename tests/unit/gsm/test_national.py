"""The tables against what can be known of them without copying them: Unicode's order of scripts, sizes, known texts."""

import unicodedata

import pytest

from heliograph.gsm import alphabet
from heliograph.gsm.alphabet import ESCAPE, NOTHING
from heliograph.gsm.national import (
    LOCKING,
    NO_TABLES,
    SINGLE,
    Language,
    Tables,
    alphabet_of,
    choices,
    header_of,
    tables_in,
)

LANGUAGES = [language for language in Language if language]
# Where the scripts of India begin in Unicode. They were laid out in parallel, after one Indian standard.
SCRIPTS = {
    Language.HINDI: 0x0900,
    Language.BENGALI: 0x0980,
    Language.PUNJABI: 0x0A00,
    Language.GUJARATI: 0x0A80,
    Language.ORIYA: 0x0B00,
    Language.TAMIL: 0x0B80,
    Language.TELUGU: 0x0C00,
    Language.KANNADA: 0x0C80,
    Language.MALAYALAM: 0x0D00,
}
# Characters that Unicode took in after the tables had been made, or that they leave out.
LATER = set(map(chr, (0x0C34, 0x0C3C, 0x0C81, 0x0D01, 0x0D29, 0x0D3C)))


def changes(language: Language) -> dict[int, str]:
    """Where a locking shift table differs from the default alphabet."""
    pairs = enumerate(zip(LOCKING[language], alphabet.MAIN, strict=True))
    return {septet: ours for septet, (ours, default) in pairs if ours != default}


def additions(language: Language) -> dict[int, str]:
    """What a single shift table has beside the extension table."""
    assert alphabet.EXTENSION.items() <= SINGLE[language].items()
    return dict(SINGLE[language].items() - alphabet.EXTENSION.items())


def test_the_languages_and_who_has_which_table() -> None:
    assert [language.value for language in Language] == list(range(14))
    assert set(SINGLE) == set(LANGUAGES)
    assert set(LOCKING) == set(LANGUAGES) - {Language.SPANISH}


@pytest.mark.parametrize("language", LOCKING)
def test_a_locking_shift_table_has_each_character_once(language: Language) -> None:
    characters = [character for character in LOCKING[language] if character != NOTHING]

    assert len(LOCKING[language]) == 128
    assert len(set(characters)) == len(characters)
    assert [LOCKING[language].index(control) for control in "\n\r\x1b"] == [0x0A, 0x0D, ESCAPE]
    assert all(LOCKING[language].index(each) == alphabet.MAIN.index(each) for each in "0123456789abcxyz !,.?")


@pytest.mark.parametrize("language", SINGLE)
def test_a_single_shift_table_holds_the_extension_table_and_no_escape(language: Language) -> None:
    table = SINGLE[language]

    assert alphabet.EXTENSION.items() <= table.items()
    assert all(0 <= septet < 0x80 and len(character) == 1 for septet, character in table.items())
    assert ESCAPE not in table
    assert not {NOTHING, " ", "\n", "\r"} & set(table.values())
    # The standard has these two twice in the tables of India and Pakistan.
    twice = {each for each in table.values() if [*table.values()].count(each) > 1}
    assert twice == ({"*", "¡"} if language >= Language.BENGALI else set())


@pytest.mark.parametrize("language", SCRIPTS)
def test_the_scripts_of_india_stand_in_the_order_of_unicode(language: Language) -> None:
    for septet, devanagari in enumerate(LOCKING[Language.HINDI][:0x60]):
        ours = LOCKING[language][septet]
        if not "\u0900" <= devanagari <= "\u097f":
            assert ours == devanagari
            continue
        parallel = chr(ord(devanagari) - 0x0900 + SCRIPTS[language])
        is_missing = parallel in LATER or not unicodedata.name(parallel, "")
        assert ours == (NOTHING if is_missing else parallel)


@pytest.mark.parametrize("language", SCRIPTS)
def test_every_character_of_a_script_is_of_that_script(language: Language) -> None:
    block = range(SCRIPTS[language], SCRIPTS[language] + 0x80)
    foreign = {each for each in [*LOCKING[language], *SINGLE[language].values()] if ord(each) not in block}

    # The dandas are Devanagari's and shared by all.
    assert {each for each in foreign if each > "\u0600"} <= {NOTHING, "€", "\u0964", "\u0965"}


@pytest.mark.parametrize("language", [*SCRIPTS, Language.URDU])
def test_digits_of_the_script_stand_in_order(language: Language) -> None:
    table = [unicodedata.digit(each, -1) for each in SINGLE[language].values() if each > "\u0600"]

    assert table[table.index(0) :][:10] == list(range(10))
    assert "".join(SINGLE[language][septet] for septet in range(0x41, 0x5B)) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_urdu_is_written_in_arabic_letters() -> None:
    letters = {each for each in [*LOCKING[Language.URDU], *SINGLE[Language.URDU].values()] if ord(each) > 0x5FF}

    assert all(each == "€" or "\u0600" <= each <= "\u06ff" for each in letters)
    assert sum(each > "\u05ff" for each in LOCKING[Language.URDU]) == 80


def test_what_turkish_spanish_and_portuguese_change() -> None:
    assert changes(Language.TURKISH) == dict(
        zip((0x04, 0x07, 0x0B, 0x0C, 0x1C, 0x1D, 0x40, 0x60), "€ıĞğŞşİç", strict=True)
    )
    assert additions(Language.TURKISH) == {
        ord(plain): character for plain, character in zip("GISgis", "ĞİŞğış", strict=True)
    } | {0x63: "ç"}
    vowels = {ord(plain): character for plain, character in zip("AIOUaiou", "ÁÍÓÚáíóú", strict=True)}
    assert additions(Language.SPANISH) == vowels | {0x09: "ç"}
    portuguese = set("ÃãÕõÂâÊêÔôÀÁáÍíÓóÚúç")
    assert set(additions(Language.PORTUGUESE).values()) == portuguese | set("ΦΓΩΠΨΣΘ")
    assert set(changes(Language.PORTUGUESE).values()) == portuguese | set("ªº∞^\\€|~`Ç")


@pytest.mark.parametrize(
    ("tables", "text", "octets"),
    [
        (Tables(single=Language.TURKISH), "Işık ağaç", b"I\x1bs\x1bik a\x1bga\x1bc"),
        (Tables(locking=Language.TURKISH), "Işık ağaç€", b"I\x1d\x07k a\x0ca\x60\x04"),
        (Tables(Language.TURKISH, Language.TURKISH), "Işık [é]", b"I\x1d\x07k \x1b<\x05\x1b>"),
        (Tables(single=Language.SPANISH), "Buenos días, Ángel", b"Buenos d\x1bias, \x1bAngel"),
        (Tables(locking=Language.PORTUGUESE), "Não, açaí^", b"N\x7bo, a\x09a\x07\x16"),
        (Tables(locking=Language.HINDI), "नमस्ते, 10", b"\x2f\x42\x4c\x5f\x27\x59, 10"),
        (Tables(Language.HINDI, Language.HINDI), "SMS नमस्ते।", b"\x1bS\x1bM\x1bS \x2f\x42\x4c\x5f\x27\x59\x1b\x19"),
        (Tables(locking=Language.TAMIL), "வணக்கம்", b"\x49\x26\x15\x5f\x15\x42\x5f"),
        (Tables(locking=Language.URDU), "سلام", b"\x3d\x4d\x00\x4e"),
        (Tables(single=Language.HINDI), "*¡*", b"*@*"),
        (Tables(Language.HINDI, Language.HINDI), "*¡", b"\x1b\x0b\x1b\x13"),
    ],
)
def test_known_texts(tables: Tables, text: str, octets: bytes) -> None:
    assert alphabet_of(tables).encode(text) == octets
    assert alphabet_of(tables).decode(octets) == text


@pytest.mark.parametrize(
    ("tables", "octets", "text"),
    [
        (Tables(locking=Language.BENGALI), b"\x0c1\x17", "\ufffd1\u0997"),
        (Tables(locking=Language.BENGALI), b"\x1b\x0c", "\ufffd"),
        (Tables(Language.BENGALI, Language.BENGALI), b"\x1b\x0c\x1b\x0e\x1b\x18", "+-*"),
        (Tables(Language.TURKISH, Language.NONE), b"\x1bA\x1b\x1b\x1b", "A "),
        (Tables(Language.SPANISH, Language.SPANISH), b"\x1d\x1bi", "æí"),
        (NO_TABLES, b"\x1bs\x1be", "s€"),
    ],
)
def test_decoding_shows_what_a_handset_would(tables: Tables, octets: bytes, text: str) -> None:
    assert alphabet_of(tables).decode(octets) == text


def test_two_languages_may_meet_in_one_text() -> None:
    both = alphabet_of(Tables(single=Language.PORTUGUESE, locking=Language.TURKISH))

    assert both.decode(both.encode("şã")) == "şã"


def test_the_default_tables_are_the_default_alphabet() -> None:
    octets = bytes(range(0x100)) + bytes(each for septet in range(0x80) for each in (ESCAPE, septet))

    assert alphabet_of(NO_TABLES).decode(octets) == alphabet.decode(octets)
    assert choices(Language.NONE) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_headers_are_written_and_read(language: Language) -> None:
    for tables in choices(language):
        assert tables_in(header_of(tables)) == tables
    assert header_of(Tables(single=language)) == bytes((3, 0x24, 1, language))
    assert header_of(Tables(locking=language)) == bytes((3, 0x25, 1, language))


@pytest.mark.parametrize(
    ("header", "tables"),
    [
        ("", NO_TABLES),
        ("03240101", Tables(single=Language.TURKISH)),
        ("08000307020125010d", Tables(locking=Language.URDU)),
        ("09240101250101240103", Tables(Language.PORTUGUESE, Language.TURKISH)),
        ("0324010e", NO_TABLES),
        ("032501ff", NO_TABLES),
        ("0424020101", NO_TABLES),
        ("022400", NO_TABLES),
        ("03240201", NO_TABLES),
        ("0924", NO_TABLES),
        ("050003070201", NO_TABLES),
    ],
)
def test_what_a_header_names(header: str, tables: Tables) -> None:
    assert tables_in(bytes.fromhex(header)) == tables
