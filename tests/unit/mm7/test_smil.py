from heliograph.mm7.smil import presentation
from heliograph.mm7.tree import Element, parse


def slides(*files: tuple[str, str]) -> list[Element]:
    body = parse(presentation(files)).child("body")
    assert body is not None
    return [slide.children[0] for slide in body.children]


def test_each_kind_has_its_element_in_the_region_it_needs() -> None:
    found = slides(
        ("t", "text/plain"), ("i", "image/gif"), ("a", "audio/amr"), ("v", "video/3gpp"), ("c", "text/vcard")
    )
    assert [(each.name, each.attributes) for each in found] == [
        ("text", {"src": "t", "region": "Text"}),
        ("img", {"src": "i", "region": "Image"}),
        ("audio", {"src": "a"}),
        ("video", {"src": "v", "region": "Image"}),
    ]


def test_sound_and_film_last_as_long_as_they_are() -> None:
    root = parse(presentation([("a", "audio/amr"), ("i", "image/gif")]))
    body = root.child("body")
    assert body is not None
    assert [each.attributes for each in body.children] == [{}, {"dur": "5000ms"}]


def test_no_file_makes_an_empty_presentation() -> None:
    assert slides() == []


def test_a_name_cannot_break_out() -> None:
    assert slides(('"/><evil/>', "image/png"))[0].attributes["src"] == '"/><evil/>'
