"""Which cameras there are, and what they offer; an empty list is an honest answer."""

from __future__ import annotations

import os
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Device", "list_devices"]

PROBED = 10
"""Indices tried where the system does not list its cameras."""

# From linux/videodev2.h: requests with their argument's size, and the answers' layouts.
QUERY_CAPABILITIES = 0x80685600
ENUMERATE_FORMATS = 0xC0405602
ENUMERATE_SIZES = 0xC02C564A
ENUMERATE_RATES = 0xC034564B
CAPTURE = 1
DEVICE_CAPABILITIES = 0x80000000
DISCRETE = 1
MOST = 64
"""Entries read of each list, so that a driver that never ends its list cannot hold us."""


@dataclass(frozen=True, slots=True)
class Device:
    """A camera and what opens it as a source; sizes (width, height) in px and rates in Hz it told of."""

    source: str
    name: str
    backend: str
    sizes: tuple[tuple[int, int], ...] = ()
    rates: tuple[float, ...] = ()

    def __str__(self) -> str:
        if not self.sizes:
            return f"{self.source} ({self.name})"
        width, height = self.sizes[0]
        return f"{self.source} ({self.name}, {width}x{height})"


def list_devices() -> list[Device]:
    """Return the cameras that the system itself knows, by their index."""
    return _listed() if sys.platform == "linux" else _probed()


def _listed(dev: Path = Path("/dev"), sysfs: Path = Path("/sys/class/video4linux")) -> list[Device]:
    """Ask each /dev/video* for its name, sizes and rates; nodes that do not capture are left out."""
    found: list[Device] = []
    for node in dev.glob("video*"):
        number = node.name.removeprefix("video")
        if not number.isdigit():
            continue
        try:
            offer = _offer(node)
        except OSError:
            offer = (), ()
        if offer is None:
            continue
        label = sysfs / node.name / "name"
        name = label.read_text(encoding="utf-8", errors="replace").strip() if label.is_file() else node.name
        found.append(Device(number, name, "V4L2", *offer))
    return sorted(found, key=lambda device: int(device.source))


def _offer(node: Path) -> tuple[tuple[tuple[int, int], ...], tuple[float, ...]] | None:
    """Return the sizes (largest first) and rates of a node, or None when it does not capture."""
    handle = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    try:
        answer = _ask(handle, QUERY_CAPABILITIES, bytes(104))
        if answer is None:
            return None
        everything, this_node = struct.unpack_from("<II", answer, 84)
        if not (this_node if everything & DEVICE_CAPABILITIES else everything) & CAPTURE:
            return None
        sizes: set[tuple[int, int]] = set()
        rates: set[float] = set()
        for pixels in _formats(handle):
            for size in _sizes(handle, pixels):
                sizes.add(size)
                rates.update(_rates(handle, pixels, size))
    finally:
        os.close(handle)
    by_area = sorted(sizes, key=lambda size: size[0] * size[1], reverse=True)
    return tuple(by_area), tuple(sorted(rates, reverse=True))


def _formats(handle: int) -> list[int]:
    found: list[int] = []
    for index in range(MOST):
        answer = _ask(handle, ENUMERATE_FORMATS, struct.pack("<II56x", index, 1))
        if answer is None:
            break
        found.append(struct.unpack_from("<I", answer, 44)[0])
    return found


def _sizes(handle: int, pixels: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for index in range(MOST):
        answer = _ask(handle, ENUMERATE_SIZES, struct.pack("<II36x", index, pixels))
        if answer is None:
            break
        kind, first, second = struct.unpack_from("<3I", answer, 8)
        # A range is (least width, greatest, step, least height, greatest, step); its largest is offered.
        greatest = second, struct.unpack_from("<I", answer, 28)[0]
        found.append((first, second) if kind == DISCRETE else greatest)
        if kind != DISCRETE:
            break
    return found


def _rates(handle: int, pixels: int, size: tuple[int, int]) -> list[float]:
    found: list[float] = []
    for index in range(MOST):
        answer = _ask(handle, ENUMERATE_RATES, struct.pack("<4I36x", index, pixels, *size))
        if answer is None:
            break
        kind, above, below = struct.unpack_from("<3I", answer, 16)
        if above:
            found.append(round(below / above, 3))
        if kind != DISCRETE:
            break
    return found


def _ask(handle: int, request: int, argument: bytes) -> bytes | None:
    """Return the driver's answer; None when there is no further entry or it does not know the question."""
    import fcntl

    try:
        return fcntl.ioctl(handle, request, argument)
    except OSError:
        return None


def _probed() -> list[Device]:
    """Open index after index where the system has no list that we can read."""
    from roi_core.sources.capture import cv2, open_capture

    found: list[Device] = []
    for index in range(PROBED):
        capture = open_capture(index, cv2.CAP_ANY)
        if capture is None:
            continue
        size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        rate = capture.get(cv2.CAP_PROP_FPS)
        found.append(
            Device(
                str(index), f"camera {index}", capture.getBackendName(), (size,), (rate,) if rate > 0 else ()
            )
        )
        capture.release()
    return found
