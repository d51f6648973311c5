"""A decoder that was taken over gets nothing published or written down but what it was asked for."""

import hashlib
import json
import os
from dataclasses import replace
from math import inf, nan
from pathlib import Path

import pytest

from media_jobs.pipeline.recipes import Format, Preset, Rendition
from media_jobs.pipeline.values import Keep, Output, Placeholder, Receipt, Rendered, Request, Rights
from media_jobs.pipeline.verify import collect, verify

THUMB = Rendition("thumb", 200)
RIGHTS = Rights("Ada\u200cAda <ada@example.org>", "", "© Ada", "https://example.org/licence")
CONTENT = b"\xff\xd8\xff\xe0 a derivative"
EVERYTHING = Keep(gps=True, device_serial=True)
METADATA = {
    "orientation": 6,
    "captureDate": "2024-05-01T12:30:00+02:00",
    "cameraMake": "Gallmann",
    "cameraModel": "Pocket G1",
    "lens": "50 mm ƒ/1.8",
    "exposureTime": "1/250",
    "fNumber": 1.8,
    "iso": 100,
    "focalLength": 50.0,
    "gps": {"latitude": 47.3769, "longitude": 8.5417, "altitude": -3},
    "bodySerial": "SN-1",
    "lensSerial": "SN-2",
}


@pytest.fixture
def request_(tmp_path: Path) -> Request:
    return Request(str(tmp_path / "source"), str(tmp_path), "a" * 64, Preset("p", (THUMB,)), keep=EVERYTHING)


@pytest.fixture
def honest(request_: Request) -> Rendered:
    (Path(request_.into) / "thumb.jpg").write_bytes(CONTENT)
    digest = request_.digest(THUMB, rights=RIGHTS, engine="e")
    checksum = hashlib.sha256(CONTENT).hexdigest()
    output = Output("thumb", Format.JPEG, "thumb.jpg", digest, 200, 150, len(CONTENT), checksum)
    return Rendered(
        format="jpeg",
        width_px=400,
        height_px=300,
        orientation=6,
        metadata=METADATA,
        rights=RIGHTS,
        receipt=Receipt(("EXIF Make", "ICC profile"), ("EXIF Make",), ("ICC profile",), {"thumb": ("XMP dc:rights",)}),
        placeholder=Placeholder("data:image/webp;base64,UklGRg==", "#0a14c8"),
        outputs=(output,),
        engine="e",
    )


def test_an_honest_answer_passes_even_after_its_way_through_the_pipe(honest, request_):
    verify(honest, request_)
    verify(Rendered.from_json(json.loads(json.dumps(honest.to_json()))), request_)


@pytest.mark.parametrize(
    "lie",
    [
        {"file": "../secret_key"},
        {"file": "/etc/passwd"},
        {"name": "full"},
        {"digest": "0" * 32},
        {"format": Format.PNG},
        {"size_bytes": 0},
        {"size_bytes": float(len(CONTENT))},
        {"width_px": 0},
        {"height_px": 1e3},
        {"width_px": 16_384},
        {"sha256": "0" * 63 + "\n"},
        {"sha256": 0},
    ],
    ids=repr,
)
def test_a_lie_about_an_output_is_found(honest, request_, lie):
    with pytest.raises(ValueError, match=r"thumb|asked for"):
        verify(replace(honest, outputs=(replace(honest.outputs[0], **lie),)), request_)


def test_outputs_that_are_missing_or_too_many_are_found(honest, request_):
    for outputs in ((), honest.outputs * 2):
        with pytest.raises(ValueError, match="asked for"):
            verify(replace(honest, outputs=outputs), request_)


@pytest.fixture
def taken(tmp_path):
    folder = tmp_path / "taken"
    folder.mkdir()
    return folder


def test_an_output_is_copied_to_where_the_decoder_cannot_change_it(honest, tmp_path, taken):
    collect(honest.outputs[0], tmp_path, taken)
    (tmp_path / "thumb.jpg").write_bytes(b"something else")
    assert (taken / "thumb.jpg").read_bytes() == CONTENT


@pytest.mark.parametrize("link", [os.symlink, os.link], ids=["symbolic", "hard"])
def test_a_link_to_another_file_is_found(honest, tmp_path, taken, link):
    secret = tmp_path / "secret"
    secret.write_bytes(CONTENT)  # of the same size, even
    (tmp_path / "thumb.jpg").unlink()
    link(secret, tmp_path / "thumb.jpg")
    with pytest.raises((ValueError, OSError), match=r"plain file|symbolic"):
        collect(honest.outputs[0], tmp_path, taken)


def test_a_pipe_in_the_place_of_a_picture_holds_nobody_up(honest, tmp_path, taken):
    (tmp_path / "thumb.jpg").unlink()
    os.mkfifo(tmp_path / "thumb.jpg")
    with pytest.raises(ValueError, match="plain file"):
        collect(honest.outputs[0], tmp_path, taken)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (CONTENT + b"!", "plain file"),
        (b"<script>".ljust(len(CONTENT)), "does not begin"),
        (CONTENT.replace(b"a", b"b"), "another checksum"),
    ],
    ids=["another size", "a page", "other bytes"],
)
def test_another_file_than_was_stated_is_found(honest, tmp_path, taken, content, why):
    (tmp_path / "thumb.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=why):
        collect(honest.outputs[0], tmp_path, taken)


@pytest.mark.parametrize(
    "lie",
    [
        {"format": "<b>"},
        {"format": 7},
        {"width_px": "400"},
        {"width_px": True},
        {"height_px": 2**31},
        {"orientation": 9},
        {"engine": "e" * 1_000_000},
        {"engine": None},
    ],
    ids=lambda lie: f"{next(iter(lie))} {next(iter(lie.values()))!r:.12}",
)
def test_odd_facts_about_the_picture_are_found(honest, request_, lie):
    with pytest.raises(ValueError, match=r"unknown|impossible|odd|not what"):
        verify(replace(honest, **lie), request_)


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("surprise", "x"),
        ("orientation", 0),
        ("captureDate", ["2024"]),
        ("cameraMake", "x" * 101),
        ("cameraModel", "two\nlines"),
        ("lens", "\ud800"),
        ("exposureTime", 0.004),
        ("fNumber", "1.8"),
        ("fNumber", True),
        ("iso", 10**400),
        ("focalLength", nan),
        ("focalLength", inf),
        ("gps", "47 N"),
        ("gps", {"latitude": "47"}),
        ("gps", {"latitude": 47.0, "note": 1}),
        ("bodySerial", {"a": "b"}),
    ],
    ids=lambda value: f"{value!r:.16}",
)
def test_odd_metadata_is_found(honest, request_, fact, value):
    with pytest.raises(ValueError, match="not asked for"):
        verify(replace(honest, metadata={**METADATA, fact: value}), request_)


@pytest.mark.parametrize(
    ("switch", "facts"),
    [
        ("timestamps", {"captureDate"}),
        ("camera_info", {"cameraMake", "cameraModel", "lens", "exposureTime", "fNumber", "iso", "focalLength"}),
        ("gps", {"gps"}),
        ("device_serial", {"bodySerial", "lensSerial"}),
    ],
)
def test_facts_that_nobody_may_know_are_found(honest, request_, switch, facts):
    private = replace(request_, keep=replace(EVERYTHING, **{switch: False}))
    verify(replace(honest, metadata={fact: METADATA[fact] for fact in METADATA.keys() - facts}), private)
    for fact in facts:
        with pytest.raises(ValueError, match="not asked for"):
            verify(replace(honest, metadata={fact: METADATA[fact]}), private)


@pytest.mark.parametrize(
    "rights",
    [
        Rights(creator="x" * 501),
        Rights(credit="two\nlines"),
        Rights(copyright=7),  # type: ignore[arg-type]
        Rights(licence="javascript:alert(1)"),
        Rights(digital_source_type="made by AI"),
    ],
    ids=lambda rights: next(name for name in rights.__slots__ if getattr(rights, name)),
)
def test_odd_rights_are_found(honest, request_, rights):
    digest = request_.digest(THUMB, rights=rights, engine="e")
    outputs = (replace(honest.outputs[0], digest=digest),)
    with pytest.raises(ValueError, match=r"odd rights|licence or origin"):
        verify(replace(honest, rights=rights, outputs=outputs), request_)


@pytest.mark.parametrize(
    "lie",
    [
        {"found": ("x",) * 257},
        {"kept": ("x" * 65,)},
        {"dropped": (7,)},
        {"outputs": {}},
        {"outputs": {"thumb": (), "full": ()}},
        {"outputs": {"thumb": ("two\nlines",)}},
    ],
    ids=lambda lie: f"{lie!r:.24}",
)
def test_an_odd_receipt_is_found(honest, request_, lie):
    with pytest.raises(ValueError, match="receipt"):
        verify(replace(honest, receipt=replace(honest.receipt, **lie)), request_)


@pytest.mark.parametrize(
    ("uri", "colour"),
    [
        ("data:text/html;base64,PGI+", "#000000"),
        ("data:image/webp;base64," + "A" * 2000, "#000000"),
        ('data:image/webp;base64,AAAA"><script>', "#000000"),
        ("data:image/webp;base64,AAAA\n", "#000000"),
        (None, "#000000"),
        ("data:image/webp;base64,AAAA", "red"),
        ("data:image/webp;base64,AAAA", "#00000"),
        ("data:image/webp;base64,AAAA", 0),
    ],
)
def test_an_odd_placeholder_is_found(honest, request_, uri, colour):
    with pytest.raises(ValueError, match="placeholder"):
        verify(replace(honest, placeholder=Placeholder(uri, colour)), request_)
