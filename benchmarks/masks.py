"""What regions cost: their means in each frame, building their masks, and one step of a live drag."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmarks.paired import ratio, table
from roi_core.masks import Masks
from roi_core.rois import Circle, Ellipse, Freehand, RoiSet

SHAPE = (720, 1280)
RADIUS = 12.0


def random_rois(count):
    """Return `count` circles of 12 px (449 pixels) all over the frame."""
    return RoiSet.random(count, SHAPE[::-1], RADIUS)


def freehand(vertices=500, radius=100.0):
    """Return a wavy closed line of that many vertices."""
    turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    reach = radius * (1 + 0.1 * np.sin(9 * turn))
    return Freehand(np.stack([640 + reach * np.cos(turn), 360 + reach * np.sin(turn)], axis=1))


class Drag:
    """One region of a set moved pixel by pixel, as the window does: new set, new masks."""

    def __init__(self, rois, roi_id):
        self.rois, self.roi_id, self.way = rois, roi_id, 1
        self.masks = Masks(rois, SHAPE)

    def step(self):
        """Move once, there and back."""
        self.way = -self.way
        self.rois = self.rois.replace(self.rois[self.roi_id].moved(self.way, 0))
        self.masks = Masks(self.rois, SHAPE, self.masks)


def means(frame):
    """Return one row per number of regions."""
    rows = []
    for count in (10, 50, 100, 300, 1000):
        masks = Masks(random_rois(count), SHAPE)
        out = masks.means(frame)
        rows.append((f"means of {count} ROIs, {frame.dtype}", ratio(partial(masks.means, frame, out), frame)))
    return rows


def building(frame):
    """Return one row per shape."""
    shapes = {
        "circle, r 12": Circle(640, 360, 12),
        "circle, r 100": Circle(640, 360, 100),
        "ellipse, 100 x 50, 30 degrees": Ellipse(640, 360, 100, 50, 30),
        "freehand, 500 vertices, r 100": freehand(),
    }
    rows = [
        (f"masks of one {name}", ratio(partial(Masks, [roi], SHAPE), frame)) for name, roi in shapes.items()
    ]
    many = random_rois(1000)
    return [*rows, ("masks of 1000 circles from nothing", ratio(partial(Masks, many, SHAPE), frame, 100))]


def dragging(frame):
    """Return one row per crowd around the dragged region."""
    drags = {
        "circle, r 100, alone": Drag(RoiSet([Circle(640, 360, 100)]), 1),
        "circle, r 100, among 100": Drag(random_rois(100).add(Circle(640, 360, 100)), 101),
        "circle, r 100, among 1000": Drag(random_rois(1000).add(Circle(640, 360, 100)), 1001),
        "freehand, 500 vertices, alone": Drag(RoiSet([freehand()]), 1),
        "freehand, 500 vertices, among 100": Drag(random_rois(100).add(freehand()), 101),
        "freehand, 500 vertices, among 1000": Drag(random_rois(1000).add(freehand()), 1001),
    }
    return [(f"drag of a {name}", ratio(drag.step, frame)) for name, drag in drags.items()]


def main():
    """Print the tables."""
    frame = np.random.default_rng(0).integers(0, 65536, SHAPE).astype(np.uint16)
    table("ROI means, 1280x720 uint16; memcpy of the frame", means(frame))
    table("ROI means, 1280x720 float32; memcpy of the frame", means(frame.astype(np.float32)))
    table("Building masks, 1280x720; memcpy of the uint16 frame", building(frame))
    table("One step of a live drag (set and masks), 1280x720; memcpy of the uint16 frame", dragging(frame))


if __name__ == "__main__":
    main()
