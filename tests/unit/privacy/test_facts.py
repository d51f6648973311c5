"""The table of facts: each needs a switch, and is private unless the table says otherwise."""

from dataclasses import fields

from media_jobs.pipeline.values import FACTS, KEEP_LABELS, PUBLIC_FACTS, Keep


def test_every_fact_needs_a_switch_that_there_is_and_each_switch_has_a_label() -> None:
    switches = {switch.name for switch in fields(Keep)}
    assert {fact.keep for fact in FACTS.values()} == switches
    assert KEEP_LABELS.keys() == switches


def test_public_are_date_camera_lens_and_exposure_and_nothing_else() -> None:
    assert {
        *("captureDate", "cameraMake", "cameraModel", "lens"),
        *("exposureTime", "fNumber", "iso", "focalLength"),
    } == PUBLIC_FACTS


def test_facts_have_labels_of_their_own() -> None:
    labels = [fact.label for fact in FACTS.values()]
    assert len(set(labels)) == len(labels)
