"""Whose picture it is and how it was made, in files that say it in odd ways."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from media_jobs.pipeline.values import Rights
from tests.formats import facts

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def rights(tmp_path: Path, **parts: bytes) -> Rights:
    return facts.extracted(facts.jpeg_with(**parts), "jpeg", tmp_path).rights


# --- packets that are no XML, or not as most write it ----------------------------------------------

CREATOR = "<dc:creator><rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq></dc:creator>"
CREDIT = "<photoshop:Credit>{}</photoshop:Credit>"
BARE = "<x:xmpmeta><rdf:RDF><rdf:Description>"
DECLARED = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
#: Packet, credit, and whether exiftool 12.57 agrees: it prints other letters of Latin-1 as `?`, and reads nothing of a
#: packet that breaks off within a property.
NO_XML = {
    "ampersand": (facts.xmp("", "<dc:title>Salt & Pepper</dc:title>" + CREDIT.format("Ann & Lee")), "Ann & Lee", True),
    "ampersand in an attribute": (facts.xmp('photoshop:City="A&B"', CREDIT.format("Ann")), "Ann", True),
    "entities of HTML": (facts.xmp("", CREDIT.format("Caf&eacute; &copy;")), "Caf&eacute; &copy;", True),
    "impossible number": (facts.xmp("", CREDIT.format("Ann &#38; Lee &#0;")), "Ann & Lee &#0;", False),
    "control character": (facts.xmp("", CREDIT.format("Ann\x01 Lee")), "Ann Lee", False),
    "Latin-1 among UTF-8": (facts.xmp("", CREDIT.format("Zo@ é")).replace(b"@", b"\xeb"), "Zoë é", False),
    "undeclared prefixes": (facts.xmp('lr:weighted="x" acme:tool="y"', CREDIT.format("Ann")), "Ann", True),
    "undeclared photoshop": (
        f"{DECLARED}<rdf:Description>{CREDIT.format('Ann')}</rdf:Description></rdf:RDF></x:xmpmeta>".encode(),
        "Ann",
        True,
    ),
    "nothing declared": (
        f"{BARE}{CREDIT.format('Ann')}</rdf:Description></rdf:RDF></x:xmpmeta>".encode(),
        "Ann",
        True,
    ),
    "nothing declared, and cut": (f"{BARE}{CREDIT.format('Ann & Lee')}".encode(), "Ann & Lee", False),
    "unknown encoding": (
        b'<?xml version="1.0" encoding="x-unknown"?>' + facts.xmp("", CREDIT.format("Ann")),
        "Ann",
        True,
    ),
    "namespace without its slash": (
        facts.xmp("", CREDIT.format("Ann & Lee")).replace(b"photoshop/1.0/", b"photoshop/1.0"),
        "Ann & Lee",
        True,
    ),
}


@pytest.mark.parametrize("damage", NO_XML)
def test_xmp_that_is_no_xml_is_read_as_exiftool_reads_it(damage: str, tmp_path: Path) -> None:
    packet, credit, exiftool_agrees = NO_XML[damage]
    assert rights(tmp_path, xmp=packet).credit == credit
    if exiftool_agrees and shutil.which("exiftool"):
        command = ["exiftool", "-json", "-Credit", str(tmp_path / "source")]
        assert json.loads(subprocess.run(command, capture_output=True, check=True).stdout)[0]["Credit"] == credit


ITEM = "<dc:creator><rdf:Seq>{}</rdf:Seq></dc:creator>"
LISTED = "<rdf:Seq><rdf:li>{}</rdf:li></rdf:Seq>"
QUALIFIED = "<rdf:value>{}</rdf:value><mine:q>q</mine:q>"


@pytest.mark.parametrize(
    "element",
    [
        CREATOR,
        ITEM.format(f'<rdf:li rdf:parseType="Resource">{QUALIFIED}</rdf:li>'),
        ITEM.format('<rdf:li rdf:value="{}" mine:q="q"/>'),
        ITEM.format(f"<rdf:li><rdf:Description>{QUALIFIED}</rdf:Description></rdf:li>"),
        ITEM.format('<rdf:li><rdf:Description rdf:value="{}" mine:q="q"/></rdf:li>'),
        f'<dc:creator rdf:parseType="Resource">{QUALIFIED}</dc:creator>',
        f"<dc:creator><rdf:Description>{QUALIFIED.format(LISTED)}</rdf:Description></dc:creator>",
        '<dc:creator rdf:value="{}" mine:q="q"/>',
        "<dc:creator>{}</dc:creator>",
    ],
)
def test_qualifiers_do_not_hide_a_value(element: str, tmp_path: Path) -> None:
    assert rights(tmp_path, xmp=facts.xmp("", element.format("Ann Oak"))) == Rights("Ann Oak")


def test_fields_of_structures_are_nobody_s_names(tmp_path: Path) -> None:
    structure = (
        '<photoshop:Credit rdf:parseType="Resource"><mine:street>Elm</mine:street></photoshop:Credit>'
        "<dc:creator><rdf:Seq><rdf:li><rdf:Description><mine:street>Elm</mine:street></rdf:Description></rdf:li>"
        "</rdf:Seq></dc:creator>"
    )
    assert rights(tmp_path, xmp=facts.xmp("", structure)) == Rights()


@pytest.mark.parametrize("size", range(0, 700, 7))
def test_mending_never_raises(size: int, tmp_path: Path) -> None:
    packet = facts.xmp('lr:x="&"', CREATOR.format("Ann & Lee") + "\x01&#xZZ; <\xff")
    assert rights(tmp_path, xmp=packet[:size]).creator in ("", "Ann & Lee")


# --- IPTC that was edited after XMP ----------------------------------------------------------------

OLD = facts.xmp(
    'photoshop:Credit="Old" photoshop:DateCreated="2001-01-01"',
    CREATOR.format("Old") + '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">Old</rdf:li></rdf:Alt></dc:rights>',
)
NEW = ((80, b"New"), (110, b"New"), (116, b"New"), (55, b"20020202"))


def digest(photoshop: bytes) -> bytes:
    """The resource that says which IPTC belongs to the XMP."""
    size = int.from_bytes(photoshop[8:12], "big")
    return facts.resource(0x0425, hashlib.md5(photoshop[12 : 12 + size], usedforsecurity=False).digest())


@pytest.mark.parametrize(
    ("stated", "newer"), [(b"", "Old"), (digest(facts.iptc(*NEW)), "Old"), (digest(facts.iptc((80, b"Old"))), "New")]
)
def test_iptc_goes_first_once_its_digest_no_longer_fits(stated: bytes, newer: str, tmp_path: Path) -> None:
    for photoshop in (stated + facts.iptc(*NEW), facts.iptc(*NEW) + stated):
        found = facts.extracted(facts.jpeg_with(xmp=OLD, photoshop=photoshop), "jpeg", tmp_path)
        assert found.rights == Rights(newer, newer, newer)
        assert found.facts["captureDate"].value == {"Old": "2001-01-01", "New": "2002-02-02"}[newer]


def test_the_padding_of_iptc_in_tiff_is_no_edit(tmp_path: Path) -> None:
    block = facts.iptc(*NEW)[12:]
    stated = digest(facts.iptc(*NEW))
    for padding, newer in ((b"", "Old"), (b"\0\0\0", "Old"), (b"\x1c\2\x5a\0\1x", "New")):
        data = facts.exif({0x02BC: OLD, 0x83BB: block + padding, 0x8649: stated})
        assert facts.extracted(data, "tiff", tmp_path).rights.creator == newer


def test_what_iptc_had_no_room_for_is_taken_from_xmp(tmp_path: Path) -> None:
    name = "Wolfgang Amadeus Theophilus Mozart the Elder"
    photoshop = digest(b"") + facts.iptc((80, name.encode()[:32]))
    assert rights(tmp_path, xmp=facts.xmp("", CREATOR.format(name)), photoshop=photoshop).creator == name


def test_fields_that_edited_iptc_has_not_stay_those_of_xmp(tmp_path: Path) -> None:
    photoshop = digest(b"") + facts.iptc((80, b"New"))
    assert rights(tmp_path, xmp=OLD, photoshop=photoshop) == Rights("New", "Old", "Old")


# --- letters without width, Windows' author --------------------------------------------------------


@pytest.mark.parametrize("name", ["حسین\u200cزاده", "ශ්\u200dරී", "क्\u200dष", "👩\u200d🌾 Ada"])
def test_joiners_between_letters_are_kept(name: str, tmp_path: Path) -> None:
    assert rights(tmp_path, exif=facts.exif({0x013B: name})).creator == name
    assert rights(tmp_path, xmp=facts.xmp("", CREATOR.format(name))).creator == name
    assert rights(tmp_path, photoshop=facts.iptc((80, name.encode()))).creator == name


@pytest.mark.parametrize(
    ("written", "read"),
    [("\u200cAda\u200d", "Ada"), ("A \u200c\u200d B", "A B"), ("A\u200c\u200cB", "A\u200cB"), ("\u200d", "")],
)
def test_joiners_that_join_nothing_are_dropped(written: str, read: str, tmp_path: Path) -> None:
    assert rights(tmp_path, exif=facts.exif({0x013B: written})).creator == read


@pytest.mark.parametrize(
    ("artist", "author", "creator"),
    [
        (None, "山田太郎", "山田太郎"),
        ("Ada", "Eve", "Ada"),
        ("????", "山田太郎", "山田太郎"),
        (None, "Ada;Eve", "Ada; Eve"),
        (None, "", ""),
    ],
)
def test_windows_author_counts_where_no_artist_is_named(
    artist: str | None, author: str, creator: str, tmp_path: Path
) -> None:
    tags: facts.Tags = {0x9C9D: (author + "\0").encode("utf-16-le")}
    found = facts.extracted(
        facts.jpeg_with(exif=facts.exif(tags if artist is None else {0x013B: artist, **tags})), "jpeg", tmp_path
    )
    assert found.rights.creator == creator
    assert found.rights_from == ((("EXIF XPAuthor",) if artist != "Ada" else ("EXIF Artist",)) if creator else ())


# --- how it was made -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (AI, AI),
        (AI.replace("http:", "https:"), AI.replace("http:", "https:")),
        ("http://c2pa.org/digitalsourcetype/empty", "http://c2pa.org/digitalsourcetype/empty"),
        ("trainedAlgorithmicMedia", AI),
        (AI.removeprefix("http://"), AI),
        (f"{AI}/", AI),
        (f"{AI} (AI)", AI),
        ("Created using Generative AI", AI),
        ("digsrctype:trainedAlgorithmicMedia", AI),
        ("Trained algorithmic media", AI),
        ("made by Ada in Zurich", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_the_digital_source_type_is_an_address(written: str, read: str, tmp_path: Path) -> None:
    for packet in (
        facts.xmp(f'Iptc4xmpExt:DigitalSourceType="{written}"'),
        facts.xmp("", f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{written}"/>'),
        facts.xmp("", f"<Iptc4xmpExt:DigitalSourceType>{written}</Iptc4xmpExt:DigitalSourceType>"),
        facts.xmp(f'Iptc4xmpExt:DigitalSourceType="{written}"').replace(b"2008-02-29", b"2008-02-19"),
    ):
        found = facts.extracted(facts.jpeg_with(xmp=packet), "jpeg", tmp_path)
        assert found.rights.digital_source_type == read
        assert "XMP Iptc4xmpExt:DigitalSourceType" in found.names
