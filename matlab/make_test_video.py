"""Write test_circle_1280x720_60fps.mp4, the committed twin of what make_test_video.m draws in MATLAB.

GNU Octave has no VideoWriter, so the committed file is encoded here with PyAV (H.264). The law of motion is the one of
make_test_video.m; tests/test_matlab.py compares the decoded discs with the positions which Octave computes from it.

    python make_test_video.py [OUT.mp4]        needs: pip install av numpy
"""

import sys
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, RATE, FRAMES = 1280, 720, 60, 900
RADIUS = 60  # px
START = (320.0, 240.0)  # px (x, y), 0-based
STEP = (7.0, 5.39)  # px per frame (x, y)


def bounce(start, step, low, high, k):
    """Position (px) after k steps of a point that is mirrored at low and high."""
    span = high - low
    phase = (start - low + step * k) % (2 * span)
    return low + span - abs(span - phase)


def disc(k):
    """Frame k (0-based) of the video: (H, W) uint8, white disc on black."""
    x = bounce(START[0], STEP[0], RADIUS, WIDTH - 1 - RADIUS, k)
    y = bounce(START[1], STEP[1], RADIUS, HEIGHT - 1 - RADIUS, k)
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    return np.where((columns - x) ** 2 + (rows - y) ** 2 <= RADIUS**2, 255, 0).astype(np.uint8)


def main(path):
    import av

    with av.open(str(path), "w") as video:
        stream = video.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # A key frame a second keeps seeking quick; no B-frames, so that the first frame is at time 0.
        stream.options = {"crf": "20", "preset": "veryslow", "g": "60", "bf": "0"}
        for k in range(FRAMES):
            picture = np.repeat(disc(k)[:, :, None], 3, axis=2)
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        video.mux(stream.encode(None))


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else here / "test_circle_1280x720_60fps.mp4")
