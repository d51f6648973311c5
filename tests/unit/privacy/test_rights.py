"""Whose picture it is: read from three languages, written into every output, and read back by others."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import pyvips

from media_jobs.pipeline.privacy import embed
from media_jobs.pipeline.privacy.rights import url
from media_jobs.pipeline.recipes import Format
from media_jobs.pipeline.values import Rights
from tests.formats import facts

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = facts.xmp(
    'photoshop:Credit="XMP Agency" xmpRights:WebStatement="https://example.org/licence"',
    "<dc:creator><rdf:Seq><rdf:li>Ada</rdf:li><rdf:li>Grace</rdf:li></rdf:Seq></dc:creator>"
    '<dc:rights><rdf:Alt><rdf:li xml:lang="de">von Ada</rdf:li><rdf:li xml:lang="x-default">by Ada</rdf:li></rdf:Alt>'
    "</dc:rights>",
)
IPTC = facts.iptc((80, b"Ida"), (80, b"Joe"), (110, b"IPTC Agency"), (116, b"by Ida"))
EXIF = facts.exif({0x013B: "Eve", 0x8298: "by Eve"})


def rights(tmp_path: Path, **parts: bytes) -> Rights:
    return facts.extracted(facts.jpeg_with(**parts), "jpeg", tmp_path).rights


def test_xmp_goes_before_iptc_before_exif(tmp_path: Path) -> None:
    assert rights(tmp_path, exif=EXIF) == Rights("Eve", "", "by Eve", "")
    assert rights(tmp_path, exif=EXIF, photoshop=IPTC) == Rights("Ida; Joe", "IPTC Agency", "by Ida", "")
    assert rights(tmp_path, exif=EXIF, photoshop=IPTC, xmp=XMP) == Rights(
        "Ada; Grace", "XMP Agency", "by Ada", "https://example.org/licence"
    )


def test_each_field_comes_from_where_it_stands(tmp_path: Path) -> None:
    packet = facts.xmp('photoshop:Credit="XMP Agency"')
    photoshop = facts.iptc((80, b"Ida"))
    assert rights(tmp_path, exif=EXIF, photoshop=photoshop, xmp=packet) == Rights("Ida", "XMP Agency", "by Eve", "")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Zoë".encode(), "Zoë"),
        ("Zoë".encode("latin-1"), "Zoë"),
        ("O’Hara".encode("cp1252"), "O’Hara"),
        ("Zoë Grün".encode()[:-2], "Zoë Gr"),  # cut within a letter, as after IPTC's 32 bytes
        (b"Ada\x81", "Ada"),  # not even Windows knows
        (b"Ada\xed\xa0\x80", "Adaí €"),  # half of a surrogate pair: no UTF-8
        (b"Ada\xc0\xbcp\xc0\xbe", "AdaÀ¼pÀ¾"),  # overlong
    ],
)
def test_texts_are_read_in_the_character_set_that_they_are_in(written: bytes, read: str, tmp_path: Path) -> None:
    for claims_utf_8 in (False, True):
        assert rights(tmp_path, photoshop=facts.iptc((80, written), utf_8=claims_utf_8)).creator == read
    assert rights(tmp_path, exif=facts.exif({0x013B: written})).creator == read


@pytest.mark.parametrize(
    "text",
    ["Picasa", "unknown", " - ", "©", "Copyright", "(C) by owner name", "OLYMPUS DIGITAL CAMERA  ", "N/A", "<none>"],
)
def test_what_programs_write_for_nobody_names_nobody(text: str, tmp_path: Path) -> None:
    block, photoshop = facts.exif({0x013B: text, 0x8298: text}), facts.iptc((110, text.encode("latin-1")))
    assert rights(tmp_path, exif=block, photoshop=photoshop) == Rights()


@pytest.mark.parametrize("text", ["Unknown Pleasures Ltd", "ada@example.org", "+41 44 123 45 67", "日本", "Noné"])
def test_what_names_somebody_stays(text: str, tmp_path: Path) -> None:
    assert rights(tmp_path, exif=facts.exif({0x013B: text, 0x8298: text})) == Rights(text, "", text, "")


def test_nobody_in_xmp_leaves_the_word_to_iptc(tmp_path: Path) -> None:
    packet = facts.xmp("", "<dc:creator><rdf:Seq><rdf:li>Picasa</rdf:li></rdf:Seq></dc:creator>")
    assert rights(tmp_path, xmp=packet, photoshop=facts.iptc((80, b"Ida"))).creator == "Ida"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Ada", "Ada"),
        ("Ada\0Editor", "Ada; Editor"),
        (" \0Editor", "Editor"),
        ("Ada\0", "Ada"),
    ],
)
def test_the_photographer_s_and_the_editor_s_copyright_are_kept_apart(written: str, read: str, tmp_path: Path) -> None:
    assert rights(tmp_path, exif=facts.exif({0x8298: written})).copyright == read


@pytest.mark.parametrize(
    "element",
    ['<cc:license rdf:resource="https://example.org/by"/>', "<cc:license>https://example.org/by</cc:license>"],
)
def test_a_licence_may_be_given_in_creative_commons_words(element: str, tmp_path: Path) -> None:
    assert rights(tmp_path, xmp=facts.xmp("", element)).licence == "https://example.org/by"


@pytest.mark.parametrize(
    "text",
    [
        "www.example.org",
        "javascript:alert(1)",
        "ftp://example.org/x",
        "https://",
        "https://ada:secret@example.org/x",
        "https://ada@example.org/x",
        'https://example.org/"><script>',
        "https://example.org/two words",
        "https://example.org/\x1b[31m",
        "http://[::1",
        "https://example.org/" + "x" * 500,
    ],
)
def test_what_is_no_web_address_is_no_licence(text: str) -> None:
    assert url(text) == ""


def test_control_characters_and_endless_texts_do_not_get_through(tmp_path: Path) -> None:
    wild = facts.exif({0x013B: "Ada\r\n\x1b[31m\u202e;; ;Eve", 0x8298: "©" + "c" * 3000})
    assert rights(tmp_path, exif=wild) == Rights("Ada [31m; Eve", "", "©" + "c" * 499, "")


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u2066", "\ufeff", "\u00ad", "\U000e0041", "\ufffd"])
def test_what_nobody_can_see_is_not_there(hidden: str, tmp_path: Path) -> None:
    assert rights(tmp_path, exif=facts.exif({0x013B: f"A{hidden}da"})).creator == "Ada"


# --- written into outputs --------------------------------------------------------------------------

FULL = Rights("Zoë 日本; Grace <Hopper>", "Agency & Co", "© 2024 “Ada”", "https://example.org/by?a=1&b=2", AI)
#: As long as `facts.extract` lets any become, of what takes most room when written.
LONGEST = Rights("a;" * 250, "A" + "&" * 499, "A" + "&" * 499, *["https://example.org/" + "&" * 480] * 2)


def picture(*, alpha: bool = False) -> pyvips.Image:
    bands = pyvips.Image.xyz(48, 32).bandjoin(128)
    return (bands.bandjoin(200) if alpha else bands).cast("uchar").copy(interpretation="srgb")


ENCODED: dict[str, tuple[Format, bytes]] = {
    "jpeg": (Format.JPEG, picture().jpegsave_buffer(keep="none")),
    "jpeg, progressive": (Format.JPEG, picture().jpegsave_buffer(keep="none", interlace=True)),
    "png": (Format.PNG, picture().pngsave_buffer(keep="none")),
    "png, alpha": (Format.PNG, picture(alpha=True).pngsave_buffer(keep="none")),
    "webp": (Format.WEBP, picture().webpsave_buffer(keep="none")),
    "webp, alpha": (Format.WEBP, picture(alpha=True).webpsave_buffer(keep="none")),
    "webp, lossless": (Format.WEBP, picture().webpsave_buffer(keep="none", lossless=True)),
    "webp, lossless, alpha": (Format.WEBP, picture(alpha=True).webpsave_buffer(keep="none", lossless=True)),
}


@pytest.mark.parametrize("kind", ENCODED)
@pytest.mark.parametrize("whose", [FULL, LONGEST, Rights(credit="Agency")], ids=["full", "longest", "credit"])
def test_embedding_rights_changes_no_pixel_and_what_is_read_back_is_what_was_written(
    kind: str, whose: Rights, tmp_path: Path
) -> None:
    encoded_as, plain = ENCODED[kind]
    with_rights = embed.with_rights(plain, encoded_as, whose)
    before, after = (pyvips.Image.new_from_buffer(data, "") for data in (plain, with_rights))
    assert after.write_to_memory() == before.write_to_memory()
    assert (after.width, after.height, after.bands) == (before.width, before.height, before.bands)
    read = facts.extracted(with_rights, encoded_as, tmp_path).rights
    assert read.creator.removesuffix(";") == whose.creator.replace(";", "; ").replace(";  ", "; ")[:500].strip("; ")
    assert (read.credit, read.copyright, read.licence) == (whose.credit, whose.copyright, whose.licence)
    assert read.digital_source_type == whose.digital_source_type


@pytest.mark.parametrize("kind", ENCODED)
def test_without_rights_not_a_byte_changes(kind: str) -> None:
    encoded_as, plain = ENCODED[kind]
    assert embed.with_rights(plain, encoded_as, Rights()) is plain
    assert (embed.xmp_packet(Rights()), embed.exif_block(Rights())) == (b"", b"")


def test_the_longest_rights_fit_into_a_segment_of_a_jpeg() -> None:
    assert max(len(embed.xmp_packet(LONGEST)), len(embed.exif_block(LONGEST))) < 20_000


@pytest.mark.skipif(not shutil.which("exiftool"), reason="needs exiftool: apt-get install libimage-exiftool-perl")
def test_exiftool_reads_the_fields_and_nothing_else(tmp_path: Path) -> None:
    for number, (encoded_as, plain) in enumerate(ENCODED.values()):
        (tmp_path / f"{number}.{encoded_as.extension}").write_bytes(embed.with_rights(plain, encoded_as, FULL))
    (tmp_path / "x.avif").write_bytes(facts.avif_with(xmp=embed.xmp_packet(FULL)))
    xmp = {
        "XMP-dc:Creator": ["Zoë 日本", "Grace <Hopper>"],
        "XMP-photoshop:Credit": FULL.credit,
        "XMP-dc:Rights": FULL.copyright,
        "XMP-xmpRights:WebStatement": FULL.licence,
        "XMP-iptcExt:DigitalSourceType": AI,
    }
    exif = {"IFD0:Artist": "Zoë 日本; Grace ‹Hopper>", "IFD0:Copyright": FULL.copyright}
    for tags in exiftool(tmp_path):
        name = tags.pop("SourceFile")
        assert tags == (xmp if name.endswith("avif") else xmp | exif), name


def exiftool(folder: Path) -> list[dict[str, Any]]:
    command = ["exiftool", "-json", "-G1", "-a", "-struct", "-XMP:all", "-EXIF:all", "-IPTC:all", "-ICC_Profile:all"]
    answer = subprocess.run([*command, "-Warning", str(folder)], capture_output=True, check=True)
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found
