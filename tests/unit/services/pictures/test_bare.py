"""What is left of a picture when what it says beside itself is taken out."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from heliograph.services.pictures.bare import BARE
from heliograph.services.pictures.bare.jpeg import bare_jpeg
from heliograph.services.pictures.broken import BadPicture
from tests.unit.services.pictures.made import moving, photo, seen, written

SECRET = b"at home"
XMP = b"<x:xmpmeta>at home</x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int = 1) -> Image.Exif:
    """Where a picture was taken, and which way it is to be shown."""
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010E] = SECRET.decode()
    made.get_ifd(0x8825)[1] = "N"
    return made


def texts() -> PngImagePlugin.PngInfo:
    made = PngImagePlugin.PngInfo()
    made.add_text("Place", SECRET.decode())
    made.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return made


CASES = {
    "image/jpeg": written(photo(), "image/jpeg", exif=exif(), comment=SECRET, xmp=XMP, icc_profile=PROFILE),
    "image/png": written(photo(), "image/png", exif=exif(), pnginfo=texts(), icc_profile=PROFILE),
    "image/webp": written(photo(), "image/webp", exif=exif(), xmp=XMP, icc_profile=PROFILE),
    "image/gif": written(photo().quantize(64), "image/gif", comment=SECRET, xmp=XMP),
}


@pytest.mark.parametrize("content_type", CASES)
def test_metadata_are_gone_and_no_pixel_is_different(content_type: str) -> None:
    picture = CASES[content_type]
    assert SECRET in picture
    bare = BARE[content_type](picture)
    assert SECRET not in bare
    assert len(bare) < len(picture)
    image = seen(bare)
    assert not image.getexif()
    assert image.info.get("icc_profile") == (None if content_type == "image/gif" else PROFILE)
    assert image.tobytes() == seen(picture).tobytes()
    assert BARE[content_type](bare) == bare


@pytest.mark.parametrize("content_type", CASES)
def test_what_follows_the_end_is_left_out(content_type: str) -> None:
    picture = CASES[content_type]
    assert BARE[content_type](picture + SECRET) == BARE[content_type](picture)


@pytest.mark.parametrize("content_type", CASES)
def test_a_picture_without_its_end_is_none(content_type: str) -> None:
    picture = BARE[content_type](CASES[content_type])
    for length in (len(picture) - 1, len(picture) * 3 // 4, len(picture) // 2, 40, 14):
        with pytest.raises(BadPicture):
            BARE[content_type](picture[:length])


@pytest.mark.parametrize("content_type", ["image/gif", "image/png", "image/webp"])
def test_what_moves_goes_on_moving(content_type: str) -> None:
    picture = moving(content_type)
    frames, kept = ImageSequence.all_frames(seen(picture)), ImageSequence.all_frames(seen(BARE[content_type](picture)))
    assert len(kept) == 3
    assert [frame.tobytes() for frame in frames] == [frame.tobytes() for frame in kept]
    assert seen(BARE[content_type](picture)).info["loop"] == 0


def test_a_jpeg_still_says_which_way_it_is_shown() -> None:
    bare = bare_jpeg(written(photo(), "image/jpeg", exif=exif(6)), orientation=6)
    assert dict(seen(bare).getexif()) == {0x0112: 6}
    assert bare[2:4] == b"\xff\xe0", "the JFIF header stays in front"


def test_a_progressive_jpeg_with_restarts_keeps_every_scan() -> None:
    picture = written(photo(), "image/jpeg", progressive=True, restart_marker_rows=1)
    assert bare_jpeg(picture) == picture


def test_further_pictures_behind_the_first_are_left_out() -> None:
    file = BytesIO()
    photo().save(file, "MPO", save_all=True, append_images=[photo()])
    image = Image.open(BytesIO(bare_jpeg(file.getvalue())))
    assert image.format == "JPEG"


def test_a_png_with_a_wrong_checksum_is_broken() -> None:
    picture = bytearray(CASES["image/png"])
    picture[picture.index(b"IDAT") + 20] ^= 1
    with pytest.raises(BadPicture):
        BARE["image/png"](bytes(picture))
