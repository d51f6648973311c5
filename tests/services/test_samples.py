"""The sample photographs that are shipped carry what the service must remove, and what it must keep."""

import io

import pytest
from PIL import Image

from media_jobs.demo import shipped, shrink

_GPS, _MODEL, _ORIENTATION = 0x8825, 0x0110, 0x0112


def test_the_samples_are_small_camera_files_with_a_position_and_a_creator() -> None:
    stored = {}
    for path in shipped.photographs():
        assert path.stat().st_size < 300_000
        with Image.open(path) as picture:
            picture.load()
            exif = picture.getexif()
            assert len(exif.get_ifd(_GPS)[2]) == 3
            assert exif[_MODEL] == "Synthetic One"
            assert b"gallimg samples" in picture.info["xmp"]
            stored[path.stem] = (picture.size, exif[_ORIENTATION])
    assert stored == {"bedeguar-gall": ((2400, 1600), 6), "oak-apple-galls": ((1600, 1200), 1)}


@pytest.mark.parametrize("name", shrink.SIZES)
def test_a_sample_is_not_taken_for_another_picture_or_other_metadata(name: str) -> None:
    sample = (shipped.FOLDER / f"{name}.jpg").read_bytes()
    assert shrink.is_alike(sample, sample)
    assert not shrink.is_alike(sample, sample.replace(b"Synthetic One", b"Synthetic Two"))
    with Image.open(io.BytesIO(sample)) as picture:
        upside_down = io.BytesIO()
        picture.transpose(Image.Transpose.ROTATE_180).save(upside_down, "jpeg", exif=b"")
    head = b"".join(shrink.metadata(sample))
    bare = upside_down.getvalue()
    assert not shrink.is_alike(sample, bare[:2] + head + bare[2 + len(_jfif(bare)) :])


def _jfif(jpeg: bytes) -> bytes:
    """Return the APP0 segment that Pillow begins with."""
    assert jpeg[2:4] == b"\xff\xe0"
    return jpeg[2 : 4 + int.from_bytes(jpeg[4:6], "big")]
