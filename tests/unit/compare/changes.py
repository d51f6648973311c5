"""What can become of a picture on its way to a size: what every honest program does, and what none should."""

from collections.abc import Callable
from typing import Any

import pyvips

Change = Callable[[pyvips.Image, int], bytes]

Q_LEGACY, Q_OURS = 100, 82


def resized(image: pyvips.Image, width_px: int, kernel: str = "lanczos3") -> pyvips.Image:
    return image.resize(width_px / image.width, kernel=kernel)


def jpeg(image: pyvips.Image, quality: int = Q_OURS, **options: Any) -> bytes:
    return bytes(image.jpegsave_buffer(**{"Q": quality, "keep": "none", **options}))


def legacy(image: pyvips.Image, width_px: int) -> bytes:
    """A file as the site has them, made well."""
    return jpeg(resized(image, width_px), Q_LEGACY, subsample_mode="off")


def ours(image: pyvips.Image, width_px: int) -> bytes:
    return jpeg(resized(image, width_px))


def _encoded(quality: int, **options: Any) -> Change:
    return lambda image, width_px: jpeg(resized(image, width_px), quality, **options)


def _filtered(kernel: str) -> Change:
    return lambda image, width_px: jpeg(resized(image, width_px, kernel))


def _again(image: pyvips.Image, width_px: int) -> bytes:
    """Decoded and encoded once more, by another encoder's settings."""
    once = pyvips.Image.new_from_buffer(jpeg(resized(image, width_px), 90), "")
    return jpeg(once, 85, subsample_mode="off", interlace=True)


def _webp(image: pyvips.Image, width_px: int) -> bytes:
    return bytes(resized(image, width_px).webpsave_buffer(Q=80, keep="none"))


#: Encoders and filters may differ. None of this is a fault.
HARMLESS: dict[str, Change] = {
    "quality 70": _encoded(70),
    "quality 75, 4:4:4": _encoded(75, subsample_mode="off"),
    "quality 82": _encoded(82),
    "quality 90, 4:2:0": _encoded(90, subsample_mode="on"),
    "quality 95": _encoded(95),
    "quality 85, progressive": _encoded(85, interlace=True, optimize_coding=True),
    "encoded twice": _again,
    "WebP, quality 80": _webp,
    "filter: cubic": _filtered("cubic"),
    "filter: mitchell": _filtered("mitchell"),
    "filter: linear": _filtered("linear"),
}


def _moved(across: float, down: float) -> Change:
    """By so much of a pixel of the size. Moved before it is made smaller, so that it loses no sharpness."""

    def change(image: pyvips.Image, width_px: int) -> bytes:
        pixel = image.width / width_px
        right, below = round(across * pixel), round(down * pixel)
        return ours(image.embed(right, below, image.width, image.height, extend="copy"), width_px)

    return change


def _turned(image: pyvips.Image, width_px: int) -> bytes:
    return jpeg(resized(image, width_px).rot90())


def _upside_down(image: pyvips.Image, width_px: int) -> bytes:
    return jpeg(resized(image, width_px).rot180())


def _mirrored(image: pyvips.Image, width_px: int) -> bytes:
    return jpeg(resized(image, width_px).fliphor())


def _cropped(share: float) -> Change:
    """The middle of the picture, its proportions kept."""

    def change(image: pyvips.Image, width_px: int) -> bytes:
        width, height = round(image.width * share), round(image.height * share)
        return ours(image.crop((image.width - width) // 2, (image.height - height) // 2, width, height), width_px)

    return change


def _squeezed(image: pyvips.Image, width_px: int) -> bytes:
    square_px = resized(image, width_px).height
    return jpeg(image.thumbnail_image(square_px, height=square_px, size="force"))


def _half(colour: int) -> Change:
    """The lower half is a plain grey, as a file is shown that breaks off."""

    def change(image: pyvips.Image, width_px: int) -> bytes:
        whole = resized(image, width_px)
        left = whole.crop(0, 0, whole.width, whole.height // 2)
        return jpeg(left.embed(0, 0, whole.width, whole.height, background=[colour] * 3, extend="background"))

    return change


def _blurred(image: pyvips.Image, width_px: int) -> bytes:
    return jpeg(resized(image, width_px).gaussblur(width_px / 300))


def _enlarged(image: pyvips.Image, width_px: int) -> bytes:
    """Made of a size that is a third as wide."""
    return jpeg(resized(resized(image, width_px // 3), width_px))


def _brighter(image: pyvips.Image, width_px: int) -> bytes:
    return jpeg((resized(image, width_px) * 1.08 + 4).cast("uchar"))


def _another(image: pyvips.Image, width_px: int) -> bytes:
    """As large, and of something else."""
    there = resized(image, width_px)
    return jpeg(there.gaussblur(max(2.0, width_px / 30)).fliphor().flipver().invert())


def dull(image: pyvips.Image, width_px: int) -> bytes:
    """Display-P3's numbers shown as if they were sRGB's: the profile was dropped. For an original that has it."""
    return ours(image, width_px)


#: Each of these has to be found.
HARMFUL: dict[str, Change] = {
    "half a pixel to the right": _moved(0.5, 0),
    "half a pixel down": _moved(0, 0.5),
    "a quarter turn": _turned,
    "upside down": _upside_down,
    "mirrored": _mirrored,
    "cropped to 90 %": _cropped(0.9),
    "cropped to 97 %": _cropped(0.97),
    "squeezed into a square": _squeezed,
    "lower half grey": _half(128),
    "lower half black": _half(0),
    "made of a third of the size": _enlarged,
    "blurred by a 300th of its width": _blurred,
    "brighter": _brighter,
    "another picture": _another,
}
