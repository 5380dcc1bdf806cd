"""What users test with."""

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
    with pytest.raises(ValueError, match="seconds"):
        detector.advance(-1)


@pytest.mark.hotpart(preset=True, share=0.5)
def test_the_fixture_may_have_dynamodb_s_limits(hotpart_detector):
    hotpart_detector.record_write("t", "k", 1_000)
    assert [warning.rule for warning in hotpart_detector.warnings] == ["second"]
    assert hotpart_detector.now == 0
