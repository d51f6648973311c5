"""HEIC and AVIF whose properties come in another order, crop much, or dim their colours."""

from tests.formats import heif
from tests.images import CORNERS
from tests.odd import ALL_RED, Odd, refused

ALPHA = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"


def of_heif() -> dict[str, Odd]:
    found: dict[str, Odd] = {}
    for name, codec, large in (("heic", heif.HEVC, heif.LARGE_HEVC), ("avif", heif.AV1, heif.LARGE_AV1)):
        top_left, top_right, bottom_left, bottom_right = CORNERS
        quarter = heif.crop(64, 48, (-32, 1), (-24, 1))
        found |= {
            f"{name}-rotation-before-size": Odd(
                heif.grid(codec, before=(heif.rotation(90),)),
                (96, 128),
                (top_right, bottom_right, top_left, bottom_left),
            ),
            f"{name}-crop-before-size": Odd(heif.grid(codec, before=(quarter,)), (64, 48), ALL_RED),
            f"{name}-cropped-a-lot": Odd(heif.single(large, heif.crop(40, 30)), (40, 30), ALL_RED),
            f"{name}-cropped-then-turned": Odd(
                heif.grid(codec, 128, 96, quarter, heif.rotation(270)), (48, 64), ALL_RED
            ),
            f"{name}-turned-then-cropped": Odd(
                heif.grid(codec, 128, 96, heif.rotation(90), heif.crop(48, 64, (-24, 1), (-32, 1))),
                (48, 64),
                (top_right,) * 4,
            ),
            f"{name}-cropped-then-mirrored": Odd(
                heif.grid(codec, 128, 96, heif.crop(64, 96, (32, 1)), heif.mirror(0)),
                (64, 96),
                (bottom_right, bottom_right, top_right, top_right),
            ),
            f"{name}-cropped-beyond-its-edges": Odd(heif.grid(codec, 128, 96, heif.crop(300, 300)), (128, 96)),
            f"{name}-crop-far-away": refused(heif.grid(codec, 128, 96, heif.crop(10, 10, (900, 1))), "undecodable"),
            f"{name}-premultiplied": Odd(
                heif.grid(codec, 64, 64, helpers=(ALPHA,), premultiplied=True), (64, 64), ((255, 178, 178),) * 4
            ),
        }
    return found
