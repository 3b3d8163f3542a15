"""One picture made to fit."""

import pytest
from PIL import Image, ImageCms

from heliograph.services.pictures.adapting import adapted
from heliograph.services.pictures.broken import BadPicture
from tests.unit.services.pictures.made import BOMBS, FORMATS, moving, photo, seen, written

PLENTY = 10_000_000
RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(left: tuple[int, int, int] = RED, right: tuple[int, int, int] = BLUE) -> Image.Image:
    """A picture of two colours, wider than high."""
    image = Image.new("RGB", (400, 300), left)
    image.paste(right, (200, 0, 400, 300))
    return image


def is_near(one: object, other: tuple[int, ...], most: int = 12) -> bool:
    assert isinstance(one, tuple)
    return len(one) == len(other) and all(abs(a - b) <= most for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("content_type", ["image/jpeg", "image/png", "image/gif", "image/webp"])
def test_what_fits_stays_as_it_is(content_type: str) -> None:
    picture = written(photo(), content_type)
    assert adapted(picture, content_type, most_octets=len(picture)) == (picture, content_type)


@pytest.mark.parametrize("content_type", FORMATS)
@pytest.mark.parametrize("most_octets", [30_000, 8_000])
def test_what_does_not_fit_is_made_to(content_type: str, most_octets: int) -> None:
    picture = written(photo(800, 600), content_type)
    made = adapted(picture, content_type, most_octets=most_octets)
    assert most_octets / 2 < len(made.content) <= most_octets
    assert made.content_type == "image/jpeg"
    image = seen(made.content)
    assert image.width / image.height == pytest.approx(4 / 3, rel=0.02)


@pytest.mark.parametrize("content_type", ["image/bmp", "image/tiff", "image/avif"])
def test_kinds_that_phones_do_not_show_become_others(content_type: str) -> None:
    made = adapted(written(halves(), content_type), content_type, most_octets=PLENTY)
    assert made.content_type == ("image/jpeg" if content_type == "image/avif" else "image/png")
    assert is_near(seen(made.content).convert("RGB").getpixel((10, 10)), RED)


def test_a_side_is_no_longer_than_the_carrier_takes() -> None:
    made = adapted(written(photo(), "image/jpeg"), "image/jpeg", most_octets=PLENTY, most_side=100)
    assert seen(made.content).size == (100, 75)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "at home"
    picture = written(halves(), "image/jpeg", exif=exif)
    made = adapted(picture, "image/jpeg", most_octets=PLENTY, most_side=200)
    image = seen(made.content)
    assert image.size == ((200, 150) if orientation <= 4 else (150, 200))
    assert not image.getexif()
    first = image.getpixel((20, 20))
    assert is_near(first, RED if orientation in (1, 4, 5, 6) else BLUE), first
    whole = adapted(picture, "image/jpeg", most_octets=PLENTY)
    assert dict(seen(whole.content).getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    assert b"at home" not in whole.content


def test_a_turned_png_is_turned_back() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    made = adapted(written(halves(), "image/png", exif=exif), "image/png", most_octets=PLENTY)
    assert seen(made.content).size == (300, 400)


def test_colours_of_printers_become_those_of_screens() -> None:
    picture = written(halves().convert("CMYK"), "image/jpeg")
    made = adapted(picture, "image/jpeg", most_octets=PLENTY)
    image = seen(made.content)
    assert image.mode == "RGB"
    assert is_near(image.getpixel((10, 10)), RED)


def test_a_colour_profile_is_applied() -> None:
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = written(halves(), "image/jpeg", icc_profile=swapped)
    assert is_near(seen(adapted(picture, "image/jpeg", most_octets=PLENTY, most_side=90).content).getpixel((9, 9)), RED)
    grey = Image.linear_gradient("L")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made = adapted(written(grey, "image/png", icc_profile=profile), "image/png", most_octets=PLENTY, most_side=90)
    assert "icc_profile" not in seen(made.content).info


def test_sixteen_bits_of_grey_are_not_burnt_out() -> None:
    grey = Image.new("I;16", (256, 10))
    grey.putdata([column * 256 for _ in range(10) for column in range(256)])
    made = adapted(written(grey, "image/png"), "image/png", most_octets=PLENTY, most_side=128)
    row = list(seen(made.content).convert("L").crop((0, 2, 128, 3)).tobytes())
    assert row[:3] < [8, 8, 8]
    assert row[-1] > 245
    assert row == sorted(row)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_stays_so(mode: str) -> None:
    image = photo(600, 450)
    image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: 0 if value < 128 else 255))
    shown = image.quantize(64) if mode == "P" else image.convert(mode)
    made = adapted(written(shown, "image/png"), "image/png", most_octets=20_000)
    assert made.content_type == "image/png"
    assert len(made.content) <= 20_000
    again = seen(made.content).convert("RGBA")
    assert is_near(again.getpixel((5, 5)), (0, 0, 0, 0), 255)
    assert again.getchannel("A").getpixel((5, 5)) == 0
    assert again.getchannel("A").getpixel((again.width // 2, again.height - 5)) == 255


def test_a_drawing_stays_sharp() -> None:
    made = adapted(written(halves(), "image/bmp"), "image/bmp", most_octets=20_000)
    assert made.content_type == "image/png"
    assert seen(made.content).convert("RGB").tobytes() == halves().tobytes()


@pytest.mark.parametrize("content_type", ["image/gif", "image/webp", "image/png"])
def test_what_moves_is_sent_whole_or_not_at_all(content_type: str) -> None:
    picture = moving(content_type)
    assert adapted(picture, content_type, most_octets=len(picture)).content == picture
    with pytest.raises(BadPicture, match="moves and cannot be made smaller"):
        adapted(picture, content_type, most_octets=len(picture) - 1)
    with pytest.raises(BadPicture, match="moves"):
        adapted(picture, content_type, most_octets=PLENTY, most_side=20)


@pytest.mark.parametrize("content_type", BOMBS)
def test_a_bomb_is_refused_by_what_it_claims(content_type: str) -> None:
    bomb = BOMBS[content_type]
    assert len(bomb) < 50_000
    for most_octets in (PLENTY, 300):
        with pytest.raises(BadPicture, match=r"claims|broken"):
            adapted(bomb, content_type, most_octets=most_octets)


@pytest.mark.parametrize("content_type", FORMATS)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_what_is_cut_short_is_refused(content_type: str, share: float) -> None:
    picture = written(photo(), content_type)
    for most_octets in (PLENTY, 5_000):
        with pytest.raises(BadPicture, match="broken or cut short"):
            adapted(picture[: int(len(picture) * share)], content_type, most_octets=most_octets)


def test_a_picture_is_what_it_is_called() -> None:
    with pytest.raises(BadPicture, match="is called image/png and is none"):
        adapted(written(photo(), "image/jpeg"), "image/png", most_octets=PLENTY)
    with pytest.raises(BadPicture, match=r"cannot be looked into \(image/heic\)"):
        adapted(b"\0\0\0\x18ftypheic" + bytes(100), "image/heic", most_octets=PLENTY)
    with pytest.raises(BadPicture, match="is called image/gif"):
        adapted(b"", "image/gif", most_octets=PLENTY)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_line_becomes_shorter_and_not_for_ever(mode: str) -> None:
    line = photo(8, 30_000).convert(mode)
    line.putpixel((0, 0), (0,) * len(mode))
    made = adapted(written(line, "image/png"), "image/png", most_octets=6_000)
    assert seen(made.content).width < 8
    with pytest.raises(BadPicture, match="cannot be made so small"):
        adapted(written(line, "image/png"), "image/png", most_octets=90)


def test_what_cannot_be_made_small_enough_is_refused() -> None:
    with pytest.raises(BadPicture, match="cannot be made so small"):
        adapted(written(photo(), "image/jpeg"), "image/jpeg", most_octets=200)
