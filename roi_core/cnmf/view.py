"""What onlookers may see of the components: an immutable, versioned copy on the camera's picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.frame import Components, Status
from roi_core.jit import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from roi_core.cnmf.state import Cells

__all__ = ["Camera", "Fate", "View"]


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the analysed picture lies on the camera's (H, W): first px ``origin``, `bin` px to one."""

    shape: tuple[int, int]
    origin: tuple[int, int] = (0, 0)
    bin: int = 1


@dataclass(frozen=True, slots=True)
class Fate:
    """A component that is no more: when it was born and what became of it."""

    born: int
    status: Status
    reason: str


@dataclass
class View:
    """Makes `Components` when asked, with those that are no more behind the living."""

    camera: Camera
    version: int = 0
    gone: dict[int, Fate] = field(default_factory=dict)

    def of(
        self, cells: Cells, status: NDArray[np.uint8], reasons: tuple[str, ...], snr: NDArray[np.float32]
    ) -> Components:
        """Return all components as they are now."""
        n, t, camera = cells.count, cells.t, self.camera
        self.version += 1
        dead, fates = list(self.gone), list(self.gone.values())
        none = np.full(len(dead), np.nan, np.float32)
        data, indices, indptr = _on_camera(n, cells.field.shape, t, camera)
        return Components(
            version=self.version,
            shape=camera.shape,
            ids=np.concatenate([t.ids[:n], np.array(dead, np.int64)]),
            born=np.concatenate([t.born[:n], np.array([fate.born for fate in fates], np.int64)]),
            status=np.concatenate([status, np.array([fate.status for fate in fates], np.uint8)]),
            reason=(*reasons, *(fate.reason for fate in fates)),
            snr=np.concatenate([snr, none]),
            r=np.concatenate([t.r[:n], none]),
            size=np.concatenate([t.size[:n] * camera.bin**2, none]),
            data=data,
            indices=indices,
            indptr=np.concatenate([indptr, np.full(len(dead), indptr[-1])]),
        )


def _on_camera(n: int, shape: tuple[int, int], t: Any, camera: Camera) -> tuple[Any, Any, Any]:
    """Return the footprints as CSC arrays over the camera's pixels, each scaled to a maximum of 1."""
    y0, x0 = camera.origin
    frame = (shape[0], shape[1], camera.shape[0], camera.shape[1], y0, x0, camera.bin)
    indptr = np.zeros(n + 1, np.int64)
    _count(n, t.boxes, t.centres, frame, indptr)
    data, indices = np.empty(indptr[-1], np.float32), np.empty(indptr[-1], np.int32)
    _fill(n, t.boxes, t.centres, frame, indptr, data, indices)
    return data, indices, indptr


@kernel
def _count(n: Any, boxes: Any, centres: Any, frame: Any, indptr: Any) -> None:
    side = boxes.shape[1]
    for i in range(n):
        number = 0
        for y in range(side):
            for x in range(side):
                v, u = centres[i, 0] - side // 2 + y, centres[i, 1] - side // 2 + x
                inside = 0 <= v < frame[0] and 0 <= u < frame[1]
                number += inside and boxes[i, y, x] > 0
        indptr[i + 1] = indptr[i] + number * frame[6] ** 2


@kernel
def _fill(n: Any, boxes: Any, centres: Any, frame: Any, indptr: Any, data: Any, indices: Any) -> None:
    height, width, _, wide, y0, x0, px = frame
    side = boxes.shape[1]
    for i in range(n):
        k, top = indptr[i], max(boxes[i].max(), np.float32(1e-30))
        for y in range(side * px):
            v = (centres[i, 0] - side // 2) * px + y
            for x in range(side * px):
                u = (centres[i, 1] - side // 2) * px + x
                a = boxes[i, y // px, x // px]
                if a > 0 and 0 <= v < height * px and 0 <= u < width * px:
                    data[k], indices[k] = a / top, (v + y0) * wide + u + x0
                    k += 1
