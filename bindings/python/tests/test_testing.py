"""The detector that users test with."""

import pytest

from hotpart.testing import ManualDetector


def test_the_fixture_has_usual_thresholds(hotpart_detector):
    assert (hotpart_detector.writes_threshold, hotpart_detector.reads_threshold) == (500, 1_500)


@pytest.mark.hotpart(writes_threshold=3, window_seconds=10, capacity=True)
def test_the_marker_says_what_the_fixture_is_made_with(hotpart_detector):
    hotpart_detector.record_write("t", "k", 2.5)
    assert hotpart_detector.warnings == []
    hotpart_detector.record_write("t", "k", 0.5)
    assert [warning.count for warning in hotpart_detector.warnings] == [3.0]
    hotpart_detector.advance(10)
    assert hotpart_detector.get_write_count("t", "k") == 3.0
    hotpart_detector.advance(1)
    assert (hotpart_detector.now, hotpart_detector.get_write_count("t", "k")) == (11.0, 0.0)


def test_a_callback_of_one_s_own_is_called_too():
    seen = []
    detector = ManualDetector(1, 1, 60, on_warning=seen.append)
    detector.record_write("t", "k")
    assert seen == detector.warnings and len(seen) == 1
    for wrong in (-1, float("nan"), float("inf"), 2**40):
        with pytest.raises(ValueError, match="seconds"):
            detector.advance(wrong)
    for wrong in (True, "1"):
        with pytest.raises(TypeError, match="seconds"):
            detector.advance(wrong)
    assert detector.now == 0


def test_setting_the_time_and_advancing_it_agree(hotpart_detector):
    hotpart_detector.record_write("t", "k")
    hotpart_detector.set_time(50)
    hotpart_detector.set_time(20)
    hotpart_detector.advance(11)
    assert (hotpart_detector.now, hotpart_detector.get_write_count("t", "k")) == (61.0, 0)


@pytest.mark.hotpart(preset=True, share=0.5)
def test_the_fixture_may_have_dynamodb_s_limits(hotpart_detector):
    hotpart_detector.record_write("t", "k", 1_000)
    assert [warning.rule for warning in hotpart_detector.warnings] == ["second"]
    assert hotpart_detector.now == 0
