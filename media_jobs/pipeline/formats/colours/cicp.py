"""Colours by their numbers in ITU-T H.273, as PNG (cICP), HEIF and video have them. Stdlib only."""

from media_jobs.pipeline.formats.colours.icc import (
    DISPLAY_P3_PRIMARIES,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    Chromaticities,
    Colours,
    Curve,
)

_C = (0.310, 0.316)
_D65 = (0.3127, 0.3290)
_EQUAL = (1 / 3, 1 / 3)
_DCI = (0.314, 0.351)
_SMPTE_C: Chromaticities = (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65)
_PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: _SMPTE_C,
    7: _SMPTE_C,
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),  # BT.2020
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, *_EQUAL),  # XYZ
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_DCI),
    12: DISPLAY_P3_PRIMARIES,
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
#: As displays turn samples into light (BT.1886), not as cameras make them: so do browsers.
_DISPLAYED = Curve(2.4)
_CURVES = {
    **dict.fromkeys((1, 6, 11, 14, 15), _DISPLAYED),
    4: Curve(2.2),
    5: Curve(2.8),
    7: Curve(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0913),
    8: Curve(1.0),
    13: SRGB_CURVE,
    17: Curve(2.6, (52.37 / 48) ** (1 / 2.6)),
}
DISPLAY_P3 = 12  #: its primaries
#: Curves for displays that are brighter than white.
HDR = {16: "PQ", 18: "HLG"}


def colours(primaries: int, transfer: int) -> Colours | None:
    """What the numbers mean; None where one is unknown, reserved or HDR."""
    if primaries in _PRIMARIES and transfer in _CURVES:
        return Colours(_PRIMARIES[primaries], _CURVES[transfer])
    return None


def hdr(primaries: int, transfer: int) -> str:
    """The name of the HDR curve, if it is one and the primaries are known; else empty."""
    return HDR.get(transfer, "") if primaries in _PRIMARIES else ""
