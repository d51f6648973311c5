"""Pictures for the pipeline's tests, made by libvips alone, so that no other decoder is loaded beside it."""

from typing import Any

import pyvips

from media_jobs.demo.exif_writer import Facts, with_facts

#: Top left, top right, bottom left, bottom right.
CORNERS = ((220, 30, 30), (30, 160, 40), (30, 50, 200), (240, 220, 60))


def flat(*colour: float, size_px: tuple[int, int] = (32, 32), format: str = "uchar", kind: str = "") -> pyvips.Image:
    """`kind`: libvips' interpretation; by default what so many bands mean."""
    image = (pyvips.Image.black(*size_px, bands=len(colour)) + list(colour)).cast(format)
    return image.copy(interpretation=kind or ("srgb" if len(colour) >= 3 else "b-w"))


def quadrants(width_px: int = 64, height_px: int = 48, *, orientation: int = 1) -> pyvips.Image:
    """Corners of the colours of CORNERS; `width_px` × `height_px` as displayed, stored as a camera would."""
    picture = flat(*CORNERS[3], size_px=(width_px, height_px))
    half = (width_px // 2, height_px // 2)
    for index, (x, y) in enumerate(((0, 0), (half[0], 0), (0, half[1]))):
        picture = picture.insert(flat(*CORNERS[index], size_px=half), x, y)
    return _stored(picture, orientation).copy_memory()


def _stored(picture: pyvips.Image, orientation: int) -> pyvips.Image:
    return {
        1: lambda: picture,
        2: picture.fliphor,
        3: lambda: picture.rot("d180"),
        4: picture.flipver,
        5: lambda: picture.rot("d90").fliphor(),
        6: lambda: picture.rot("d270"),
        7: lambda: picture.rot("d90").flipver(),
        8: lambda: picture.rot("d90"),
    }[orientation]()


def tagged(picture: pyvips.Image, profile: bytes) -> pyvips.Image:
    picture = picture.copy()
    picture.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return picture


def encoded(picture: pyvips.Image, suffix: str = ".png", **options: Any) -> bytes:
    data: bytes = picture.write_to_buffer(suffix, **options)
    return data


def jpeg(width_px: int = 64, height_px: int = 48, *, orientation: int = 1, **options: Any) -> bytes:
    """Sizes are as displayed."""
    plain = encoded(quadrants(width_px, height_px, orientation=orientation), ".jpg", **{"Q": 95, **options})
    return plain if orientation == 1 else with_facts(plain, Facts(orientation=orientation))


def opened(data: bytes) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(data, "")


def at(picture: pyvips.Image, x: float, y: float) -> tuple[float, ...]:
    """The pixel at these shares of width and height."""
    return tuple(picture(int(x * picture.width), int(y * picture.height)))


def near(found: tuple[float, ...], wanted: tuple[float, ...], tolerance: float = 12) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def is_upright(picture: pyvips.Image) -> bool:
    middles = ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))
    return all(near(at(picture, *middle), corner, 30) for middle, corner in zip(middles, CORNERS, strict=True))
