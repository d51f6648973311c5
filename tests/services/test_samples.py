"""The sample photographs carry what the service must remove."""

import subprocess
import sys
from pathlib import Path

from PIL import Image


def test_both_samples_look_like_camera_files_and_carry_a_position(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "media_jobs.demo.draw", str(tmp_path)], check=True)
    stored = {}
    for path in sorted(tmp_path.glob("*.jpg")):
        assert path.stat().st_size < 10 * 1_048_576
        with Image.open(path) as picture:
            exif = picture.getexif()
            assert exif.get_ifd(0x8825)[2]
            assert exif[0x0110] == "Synthetic One"
            stored[path.stem] = (picture.size, exif[0x0112])
    assert stored == {"bedeguar-gall": ((3000, 2000), 6), "oak-apple-galls": ((4000, 3000), 1)}
