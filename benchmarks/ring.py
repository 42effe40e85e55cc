"""What publishing and polling cost: a frame into and out of its ring, a row of traces."""

from __future__ import annotations

import numpy as np

from benchmarks.paired import ratio, table
from roi_core.ring import FrameRing, TraceRing


def main():
    """Print the table."""
    shape, rows = (720, 1280), []
    frame = np.ones(shape, np.uint16)
    ring, out = FrameRing(8, shape), np.empty(shape, np.uint16)

    def push():
        np.copyto(ring.claim(), frame)
        ring.publish(0, 0.0)

    rows.append(("frame 1280x720 push (copy in and publish)", ratio(push, frame)))
    rows.append(("frame 1280x720 publish alone", ratio(lambda: ring.publish(0, 0.0), frame)))
    rows.append(("frame 1280x720 latest (validated copy out)", ratio(lambda: ring.latest(out), frame)))
    for count in (10, 100, 1000):
        traces = TraceRing(10_000, tuple(range(count)))
        columns, raw = traces.columns(traces.ids), np.zeros(count, np.float32)
        push_row = lambda t=traces, c=columns, r=raw: t.push(0.0, 0, c, r, r)  # noqa: E731
        rows.append((f"trace row of {count} ROIs push", ratio(push_row, frame)))
        rows.append(
            (f"trace poll of {count} ROIs, nothing new", ratio(lambda t=traces: t.since(t.head), frame))
        )
        rows.append(
            (f"trace poll of {count} ROIs, 3 new rows", ratio(lambda t=traces: t.since(t.head - 3), frame))
        )
    table("Rings (against a memcpy of a 1280x720 uint16 frame)", rows)


if __name__ == "__main__":
    main()
