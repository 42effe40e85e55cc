"""Names and dtypes inside a recording. The writer, the reader and ``matlab/`` agree here and nowhere else.

All strings among the root attributes are of fixed length, and every attribute name is a valid MATLAB
identifier. MATLAB sees the arrays transposed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

FORMAT: Final = "roi_stream"
FORMAT_VERSION: Final = 1

TIME: Final = "/time"
"""(rows, 1) f8: s since the first frame of the recording, strictly increasing."""
FRAME_INDEX: Final = "/frame_index"
"""(rows,) i8: the camera's own count; a gap is a loss."""
MEANS: Final = "/roi/means"
"""(rows, K) f4: NaN before a ROI was drawn and after it was deleted."""
DFF: Final = "/roi/dff"
"""(rows, K) f4: dF/F, when enabled; attribute ``baseline`` states the rule."""
CIRCLES: Final = "/roi/circles"
"""(K, 3) f8: xc, yc, r in px, 0-based; for another shape the circle of equal area at its centroid."""
SHAPES: Final = "/roi/shapes"
"""(K,) JSON: kind, name, colour, geometry and the versions with the frame from which each holds."""
EVENTS: Final = "/events"
"""Table of time (s), frame (the camera's count, -1 before the first), kind, data (JSON)."""
SETTINGS: Final = "/settings"
"""YAML text: the settings at the start; later edits are events."""
MOVIE: Final = "/movie"
"""(rows, H, W) u2, one frame a chunk, when asked."""

ALWAYS: Final = (TIME, FRAME_INDEX, MEANS, CIRCLES, SHAPES, EVENTS, SETTINGS)
"""What every recording of ours has, also an unfinished one."""

EVENT_DTYPE: Final = np.dtype(
    [("time", "f8"), ("frame", "i8"), ("kind", "S16"), ("data", np.dtype("O", metadata={"vlen": str}))]
)

TEXT_BYTES: Final = {
    "format": 16,
    "created_with": 64,
    "source": 256,
    "start_iso8601": 32,
    "end_iso8601": 32,
    "finish_reason": 256,
    "coord_origin": 64,
    "loss_basis": 16,
}
"""Length of each text attribute; longer text is cut."""

COORD_ORIGIN: Final = "0-based, pixel centre, top left"
UNKNOWN: Final = np.uint64(2**64 - 1)
"""Stored in ``frames_dropped`` when losses cannot be known; never 0 for want of knowing."""
