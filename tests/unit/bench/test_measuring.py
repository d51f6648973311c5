"""The bench tells what it measured, of pictures that are what they say, and its peers do the same work."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pyvips

from bench import measure
from bench.measure import Answer, Pairs, Peer, Spread, Turn, paired
from bench.parts.pipeline import scores
from bench.pictures import Picture
from bench.report import charts, table, targets
from bench.rows import Curve, Results, Row, Run
from bench.slow_proxy import slowed

SMALL = (800, 600)
BASELINE, PROGRESSIVE = 0xC0, 0xC2
FASTER = Row("speed", "faster than a snail", "12 MP", "×", Spread(2.1, 2, 2.25), 2.8, note="!")
SMALLER = Row("memory", "peak", "24 MP", "MB", Spread(79, 79, 79), 80, at_most=True)
UNTARGETED = Row("speed", "faster than a stone", "12 MP", "×", Spread(123.4, 99.94, 200))
MISSING = Row("speed", "faster than a ghost", "", "×", None, 20, note="apt install ghost")
ABACUS = {"Abacus": "(2 cores)", "libvips": "8.18"}
SPEED = Run("2026-11-30", 0.5, ABACUS, (FASTER, UNTARGETED, MISSING), (Curve("Bytes", "ours", ((70, 1.5), (80, 2))),))
RESULTS = Results({"speed": SPEED, "memory": Run("2026-11-30", 0.25, ABACUS, (SMALLER,))})


class Scripted(Peer):
    """Answers what it was given."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)

    def ask(self, way: str, picture: Path) -> Answer:
        return next(self._answers)


def turn(*answers: Answer) -> Turn:
    return Turn(Scripted(*answers), "way", Path("picture"))


def frame(jpeg: bytes) -> int:
    """The kind of its frame: the first SOF marker."""
    found = re.search(rb"\xff([\xc0-\xc3])\x00\x11\x08", jpeg)
    assert found
    return found[1][0]


def test_the_table_says_what_is_missed_and_by_how_much_and_what_is_to_install():
    assert table.markdown(RESULTS).splitlines() == [
        "| what | picture | measured (lowest–highest) | target |  | command | note |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        "| faster than a snail | 12 MP | 2.10 × (2.00–2.25) | ≥ 2.8 × | missed by 25 % | `python -m bench speed` | ! |",
        "| faster than a stone | 12 MP | 123 × (99.9–200) | – | – | `python -m bench speed` |  |",
        "| faster than a ghost |  | not measured | ≥ 20 × | – | `python -m bench speed` | apt install ghost |",
        "| peak | 24 MP | 79.0 MB | ≤ 80 MB | met | `python -m bench memory` |  |",
        "",
        "Measured on 2026-11-30 on Abacus (2 cores), libvips 8.18: speed (load 0.5), memory (load 0.2).",
    ]


def test_the_text_has_the_same_words_in_columns():
    head, snail, *_ = table.text(RESULTS).splitlines()
    assert snail.index("≥ 2.8 ×") == head.index("target")
    assert snail.split() == [word for word in table.markdown(RESULTS).splitlines()[2].split() if word != "|"]


def test_runs_come_back_from_their_file_and_a_part_measured_again_replaces_its_own_alone(tmp_path: Path):
    kept = tmp_path / "new" / "results.json"
    assert Results.load(kept) == Results({})
    RESULTS.save(kept)
    assert Results.load(kept) == RESULTS
    again = Run("2026-12-01", 3, ABACUS, ())
    assert Results.load(kept).with_run("memory", again) == Results({"speed": SPEED, "memory": again})


def goals(*rows: Row) -> list[list[str]]:
    """The cells of the table of targets that are about bytes."""
    lines = targets.markdown(Results({"bytes": Run("", 0, {}, rows)})).splitlines()
    return [cells for line in lines if "bench bytes" in (cells := line.split(" | "))[4]]


def test_each_target_stands_beside_what_was_measured_or_says_that_nothing_was():
    bytes_, cpu = goals()
    assert [bytes_[2:4], cpu[2:4]] == [["not measured", "–"]] * 2
    fewer = Row("bytes", "bytes, as many as sharp's defaults", "", "×", Spread(0.88, 0.8, 0.9), 0.9, at_most=True)
    what = "processor time of encoding, over sharp's defaults"
    slower = Row("bytes", what, "", "×", Spread(1.5, 1, 2), 1, at_most=True)
    bytes_, cpu = goals(fewer, slower)
    assert bytes_[2:4] == ["0.88 × (0.80–0.90)", "met"]
    assert cpu[2:4] == ["1.50 × (1.00–2.00)", "missed by 50 %"]


def test_what_was_measured_of_a_part_is_found_by_its_targets():
    results = Results.load(measure.ROOT / "bench/results.json")
    measured = [goal for goal in targets.GOALS if goal.part in results.runs and not goal.what.startswith("–")]
    assert not [goal.what for goal in measured if not list(goal.found(results))]


def test_a_target_of_nothing_is_missed_by_one():
    assert Row("soak", "leaked", "", "", Spread(0, 0, 0), 0, at_most=True).missed_by is None
    leaked = Row("soak", "leaked", "", "", Spread(1, 1, 1), 0, at_most=True)
    assert [leaked.missed_by, table.figure(leaked), table.verdict(leaked)] == [1, "1", "missed"]


def test_charts_are_drawn_of_figures_run_nothing_and_are_the_same_each_time():
    [(name, svg)] = charts.drawn(RESULTS)
    assert name == "bytes.svg"
    assert [(name, svg)] == list(charts.drawn(RESULTS))
    assert "ours" in svg
    assert not re.search("script|@import|href|20[0-9]{2}-", svg)


def test_a_target_is_met_at_its_very_figure():
    assert Row("speed", "", "", "×", Spread(2.8, 1, 9), 2.8).missed_by is None
    assert Row("speed", "", "", "×", Spread(1.1, 1, 9), 1.1, at_most=True).missed_by is None


def test_a_ratio_is_the_median_of_the_pairs_not_of_the_sides():
    pairs = Pairs([(1, 2), (2, 8), (10, 30)])
    assert pairs.ratios == Spread(3, 2, 4)
    assert pairs.in_ms("a", "b") == "a 2000 ms, b 8000 ms"


def test_the_warm_up_does_not_count():
    same = [(4, 3)]
    first, second = turn(Answer(9, same), Answer(1, same)), turn(Answer(9, same), Answer(3, same))
    assert paired(first, second, rounds=1).seconds == [(1, 3)]


def test_who_makes_other_sizes_is_not_compared():
    first, second = turn(Answer(1, [(267, 200)]), Answer(1, [])), turn(Answer(1, [(200, 200)]), Answer(1, []))
    with pytest.raises(ValueError, match="other sizes"):
        paired(first, second, rounds=1)


def test_bytes_at_a_quality_are_read_from_the_curve_and_beyond_its_ends():
    curve = [scores.Point(80, 4_000, 0), scores.Point(60, 1_000, 0), scores.Point(70, 2_000, 0)]
    assert [round(scores.bytes_at(score, curve)) for score in (60, 65, 75, 80)] == [1_000, 1_414, 2_828, 4_000]
    assert [round(scores.bytes_at(score, curve)) for score in (50, 90)] == [500, 8_000]


@pytest.mark.parametrize(("progressive", "kind"), [(False, BASELINE), (True, PROGRESSIVE)])
def test_a_picture_has_its_size_its_kind_and_the_grain_of_a_camera(progressive: bool, kind: int):
    encoded = Picture("test", *SMALL, progressive=progressive).encoded()
    opened = pyvips.Image.jpegload_buffer(encoded)
    assert (opened.width, opened.height) == SMALL
    assert opened.get("jpeg-chroma-subsample") == "4:2:0"
    assert frame(encoded) == kind
    if not progressive:
        assert len(encoded) == pytest.approx(0.8 * SMALL[0] * SMALL[1], rel=0.05)


def test_a_picture_is_the_same_each_time_and_its_profile_changes_no_pixel():
    plain, again = Picture("test", *SMALL).encoded(), Picture("other", *SMALL).encoded()
    tagged = Picture("test", *SMALL, display_p3=True).encoded()
    profile = pyvips.Image.jpegload_buffer(tagged).get("icc-profile-data")
    assert plain == again
    assert plain == tagged.replace(b"\xff\xe2" + (len(profile) + 16).to_bytes(2) + b"ICC_PROFILE\0\1\1" + profile, b"")


@pytest.mark.slow
def test_every_way_of_the_peers_in_python_makes_the_four_sizes(tmp_path: Path):
    picture = tmp_path / "picture.jpg"
    pyvips.Image.black(2560, 1920, bands=3).copy(interpretation="srgb").jpegsave(str(picture))
    ways = {
        "ours": ["cascade"],
        "floor": ["libvips", "Pillow", "unkept", "decode", "encode"],
        "pillow": ["draft", "thumbnail", "cascade"],
    }
    for name, known in ways.items():
        with Peer(name) as peer:
            answers = [peer.ask(way, picture) for way in known]
        assert {tuple(answer.outputs_px) for answer in answers} == {((2048, 1536), (1024, 768), (512, 384), (200, 200))}
        assert all(answer.cpu_s > 0 for answer in answers)


def test_a_slow_line_loses_nothing_either_way():
    content = bytes(range(256)) * 2_000
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (
            slowed(f"http://127.0.0.1:{port}", 50_000_000) as url,
            socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as client,
        ):
            sending = threading.Thread(target=client.sendall, args=(content,))
            sending.start()
            there, _ = server.accept()
            with there, there.makefile("rb") as arriving, client.makefile("rb") as answer:
                came = arriving.read(len(content))
                there.sendall(b"all of it")
                assert answer.read(9) == b"all of it"
            sending.join()
    assert came == content


@pytest.mark.slow
def test_s3_for_benches_starts_without_settings_of_django():
    """They start it in a process that never loads Django."""
    command = [sys.executable, "-c", "from tests.servers.seaweed import seaweedfs\nwith seaweedfs(): pass"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=measure.ROOT, env=environment, timeout=120, check=True)


def test_the_packages_in_node_are_pinned_and_come_from_whatever_registry_is_set():
    wanted = json.loads((measure.ROOT / "bench/package.json").read_text())["dependencies"]
    lock = json.loads((measure.ROOT / "bench/package-lock.json").read_text())
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not any("resolved" in package for package in lock["packages"].values())
    assert all("integrity" in package for path, package in lock["packages"].items() if path)
