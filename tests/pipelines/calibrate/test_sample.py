"""Lines are cut out truly."""

from __future__ import annotations

from pagemill.pipelines.calibrate.sample import calibration_lines
from pagemill.pipelines.calibrate.table import X_HEIGHTS


def test_lines_are_cut_out_at_the_asked_size(letters):
    by_size = calibration_lines(letters, X_HEIGHTS, 10)
    for height, lines in zip(X_HEIGHTS, by_size, strict=True):
        assert len(lines) == 10
        for line in lines:
            assert line.page.x_height == height
            assert line.image.shape == (line.page.height, line.page.width)
            x0, y0, x1, y1 = line.page.layer.lines[0].box
            inside = line.image[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1]
            assert (255 - inside.astype(int)).sum() >= 0.97 * (255 - line.image.astype(int)).sum()
    again = calibration_lines(letters, X_HEIGHTS, 10)
    assert [[line.page.key for line in lines] for lines in again] == [
        [line.page.key for line in lines] for lines in by_size
    ]
