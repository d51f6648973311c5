"""The file of rights: what is wrong in it is named by its line, and everything else stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from media_jobs.services.imports.stated_rights import BadRightsFile, BadRow, Stated, StatedRights

HEAD = "key,creator,licence,digitalSourceType\n"


@pytest.fixture
def rights(tmp_path: Path) -> Iterator[StatedRights]:
    stated = StatedRights(tmp_path / "index")
    yield stated
    stated.close()


def read(rights: StatedRights, tmp_path: Path, content: str | bytes) -> list[BadRow]:
    path = tmp_path / "rights.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(rights.read(path))


def test_every_column_becomes_its_field_and_an_empty_value_says_nothing(rights, tmp_path):
    text = HEAD + 'gall/a.jpg,"Ada, Lovelace",https://example.org/by,digitalCapture\ngall/b.jpg,,,\n'
    assert read(rights, tmp_path, b"\xef\xbb\xbf" + text.encode()) == []  # as Excel writes it
    assert rights.of(["gall/a.jpg", "gall/b.jpg", "gall/c.jpg"]) == {
        "gall/a.jpg": Stated(
            {
                "creator": "Ada, Lovelace",
                "licence": "https://example.org/by",
                "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
            }
        ),
        "gall/b.jpg": Stated({}),
    }


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("gall/x.jpg,Ada,ftp://example.org,", "licence takes an address"),
        ("gall/x.jpg,Ada,https://me:secret@example.org/,", "licence takes an address"),
        ("gall/x.jpg,Ada,,a painting", "digitalSourceType takes a term"),
        ("gall/x.jpg,\u200b,,", "creator takes a text that can be seen"),
        (f"gall/x.jpg,{'a' * 501},,", "501 characters"),
        ("gall/x.jpg,Ada", "2 values, and the first line names 4"),
        ("gall/x.jpg,Ada,,,more", "5 values"),
        (",Ada,,", "key is empty"),
        ('gall/x.jpg,"Ada"s,,', "no row of a CSV file"),
        ("gall/first.jpg,Ada,,", "line 2 has the same key"),
    ],
)
def test_a_bad_row_is_named_and_the_others_stand(rights, tmp_path, row, why):
    bad = read(rights, tmp_path, f"{HEAD}gall/first.jpg,Grace,,\n\n{row}\ngall/last.jpg,Mary,,\n")
    assert [(found.line, why in found.why) for found in bad] == [(4, True)], bad
    found = rights.of(["gall/first.jpg", "gall/x.jpg", "gall/last.jpg"])
    assert (found["gall/first.jpg"], found["gall/last.jpg"]) == (
        Stated({"creator": "Grace"}),
        Stated({"creator": "Mary"}),
    )
    if bad[0].key == "gall/x.jpg":
        assert found["gall/x.jpg"].bad == bad[0].why


def test_what_is_not_utf_8_is_one_bad_row(rights, tmp_path):
    content = f"{HEAD}gall/a.jpg,Ren".encode() + b"\xe9" + b",,\ngall/b.jpg,Mary,,\n"
    assert [(bad.line, bad.why) for bad in read(rights, tmp_path, content)] == [(2, "it is not UTF-8")]
    assert rights.of(["gall/b.jpg"]) == {"gall/b.jpg": Stated({"creator": "Mary"})}


@pytest.mark.parametrize("head", ["", "creator\n", "key,author\n", "key,key\n", '"key\n', "key;creator\n"])
def test_a_file_without_a_head_that_is_understood_is_not_used(rights, tmp_path, head):
    with pytest.raises(BadRightsFile, match="first line"):
        read(rights, tmp_path, head + "gall/a.jpg,Ada\n")
    assert rights.of(["gall/a.jpg"]) == {}


def test_rows_that_name_no_object_are_counted_and_the_first_named(rights, tmp_path):
    rows = "".join(f"gall/{number}.jpg,Ada,,\n" for number in range(30))
    assert read(rights, tmp_path, HEAD + rows) == []
    rights.of(f"gall/{number}.jpg" for number in range(0, 30, 2))
    assert rights.not_found(at_most=2) == (15, [(3, "gall/1.jpg"), (5, "gall/3.jpg")])
