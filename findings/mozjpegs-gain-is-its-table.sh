#!/bin/sh
# pyvips==3.2.0 with pyvips-binary==8.18.7 (its libjpeg is mozjpeg), judged by ssimulacra2==0.3.0 on photos of scikit-image==0.26.0:
# at equal SSIMULACRA2 `trellis_quant` with the standard quantisation table saves nothing for three times the time,
# while `quant_table=3` alone saves 6 % for no time at all (more on larger photos). What "mozjpeg" gains is mostly that table.
# needs: Python 3.11 or newer on Linux, pip
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    pyvips==3.2.0 pyvips-binary==8.18.7 ssimulacra2==0.3.0 scikit-image==0.26.0 numpy==2.4.6
cat >"$folder/seen.py" <<'PYTHON'
import math
import statistics
import sys
import time
from pathlib import Path

import numpy
import pyvips
from skimage import data
from ssimulacra2 import compute_ssimulacra2

folder, QUALITIES = Path(sys.argv[1]), (72, 78, 84, 90)
STANDARD = {"optimize_coding": True, "interlace": True, "keep": "none", "subsample_mode": "on"}
SETTINGS = {
    "standard": {},
    "trellis": {"trellis_quant": True, "overshoot_deringing": True},
    "table 3": {"quant_table": 3},
    "both": {"quant_table": 3, "trellis_quant": True, "overshoot_deringing": True},
}


def curve(image, reference, more):
    """Scores, logarithms of bytes, and seconds."""
    points, started = [], time.process_time()
    for quality in QUALITIES:
        image.jpegsave(str(folder / f"{quality}.jpg"), Q=quality, **STANDARD, **more)
    seconds = time.process_time() - started
    for quality in QUALITIES:
        path = folder / f"{quality}.jpg"
        points.append((compute_ssimulacra2(str(reference), str(path)), math.log(path.stat().st_size)))
    return *numpy.array(points).T, seconds


def share(name):
    """Bytes at the scores that all settings reach, against the standard ones; and the time."""
    image = pyvips.Image.new_from_array(getattr(data, name)()).copy(interpretation="srgb").copy_memory()
    reference = folder / "reference.png"
    image.pngsave(str(reference))
    curves = {setting: curve(image, reference, more) for setting, more in SETTINGS.items()}
    low, high = max(c[0].min() for c in curves.values()), min(c[0].max() for c in curves.values())
    scores = numpy.linspace(low, high, 9)
    at = {setting: numpy.interp(scores, c[0], c[1]).mean() for setting, c in curves.items()}
    return {s: (math.exp(at[s] - at["standard"]), curves[s][2] / curves["standard"][2]) for s in SETTINGS}


shares = [share(name) for name in ("astronaut", "coffee", "chelsea", "rocket")]
found = {s: [statistics.median(share[s][part] for share in shares) for part in (0, 1)] for s in SETTINGS}
for setting, (size, seconds) in found.items():
    print(f"{setting:>8}: {size:.2f} of the bytes, {seconds:.1f} times the time")
assert found["trellis"][0] > 0.97, "this has changed"
assert found["table 3"][0] < 0.96, "this has changed"
PYTHON
"$folder/venv/bin/python" "$folder/seen.py" "$folder"
