"""Everything becomes 8-bit sRGB, or 8-bit grey where it was grey; alpha stays. Profiles have done their work then."""

import struct

import pyvips

_PROFILE = "icc-profile-data"
_KNOWN = frozenset({"srgb", "b-w", "rgb16", "grey16", "scrgb", "cmyk", "lab", "labs", "xyz", "hsv", "rgb"})
_GREY = frozenset({"b-w", "grey16"})


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """The picture in sRGB, or grey, with 8 bits a sample. A broken profile is ignored, not fatal."""
    image = _without_extra_bands(_named(image))
    target = "b-w" if image.interpretation in _GREY else "srgb"
    if image.get_typeof(_PROFILE) and not is_srgb(image.get(_PROFILE)):
        try:
            converted = image.icc_transform("srgb", embedded=True, intent="perceptual").copy_memory()
            return _eight_bit(converted.colourspace(target))
        except pyvips.Error:
            pass  # damaged, or of another kind of picture: what an untagged picture gets
    return _eight_bit(image.colourspace(target))


def is_srgb(profile: bytes) -> bool:
    """Whether an ICC profile calls itself sRGB."""
    if profile[16:20] != b"RGB " or len(profile) < 132:
        return False
    (count,) = struct.unpack_from(">I", profile, 128)
    for i in range(min(count, 100)):
        entry = profile[132 + 12 * i : 144 + 12 * i]
        if len(entry) == 12 and entry[:4] == b"desc":
            at, size = struct.unpack(">II", entry[4:])
            name = profile[at : at + min(size, 4096)].replace(b"\0", b"").lower()
            return b"srgb" in name and b"linear" not in name
    return False


def _named(image: pyvips.Image) -> pyvips.Image:
    """Give samples of no declared meaning (TIFF allows them) the most likely one."""
    if image.format in ("uint", "int"):
        image = (image / 65536).cast("ushort").copy(interpretation="rgb16" if image.bands >= 3 else "grey16")
    if image.interpretation in _KNOWN:
        return image
    deep = image.format == "ushort"
    if image.bands >= 3:
        return image.copy(interpretation="rgb16" if deep else "srgb")
    return image.copy(interpretation="grey16" if deep else "b-w")


def _without_extra_bands(image: pyvips.Image) -> pyvips.Image:
    """Keep colour and the first alpha."""
    colours = {"b-w": 1, "grey16": 1, "cmyk": 4}.get(image.interpretation, 3)
    return image if image.bands <= colours + 1 else image.extract_band(0, n=colours + 1)


def _eight_bit(image: pyvips.Image) -> pyvips.Image:
    return image if image.format == "uchar" else image.cast("uchar")
