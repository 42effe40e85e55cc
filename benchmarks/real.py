"""What online CNMF finds on real recordings, drawn over the picture in which an eye looks for cells.

There is no truth for them. Each picture is to be looked at: every cell an eye sees should have a green
outline (accepted), and nothing else; red ones were rejected. Left is the ground alone: the correlation of
each pixel with its neighbours (two-photon), or how far it ever rose above its median, without the glow
(one-photon). The table tells how many outlines stand out of that ground, by twice the deviation of a pixel.

usage: python -m benchmarks.real [FOLDER for the pictures; artifacts/real]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from benchmarks.refine import SHARED, program
from roi_core.cnmf.peaks import DEVIATION, blurred
from roi_core.frame import Status
from roi_core.offline.movie import Movie
from roi_core.recording import Recording
from roi_core.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.float32]

CLEAR = 2.0
"""Deviations of a pixel by which those of a cell, on the mean, are brighter than those around."""
BODY = 0.3
"""Share of the brightest pixel down to which a footprint is drawn."""
SIZE = 900
"""Pixels of the longer side of a drawn picture."""
COLOURS = {Status.ACCEPTED: (0, 255, 0), Status.REJECTED: (60, 60, 255)}


class Film(NamedTuple):
    """A recording, and what a user would set for it; ``crop`` is (x, y, width, height)."""

    path: str
    preset: str
    radius: float
    crop: tuple[int, int, int, int] | None = None
    more: tuple[str, ...] = ()


FILMS = {
    "tolias": Film("2p-tolias-crop/movie_300x112x112_i16.tif", "2p", 3, more=("camera.rate=15",)),
    "minian": Film("test-only/1p-minian-panel/minian.mp4", "1p", 7, (0, 0, 376, 240)),
}


def main(folder: Path) -> None:
    """Record every film, draw what was found, and print one table."""
    folder.mkdir(parents=True, exist_ok=True)
    print("| film | accepted | clear | rejected | clear | picture |\n|---|---:|---:|---:|---:|---|")
    for name, film in FILMS.items():
        path = SHARED / "data" / film.path
        with tempfile.TemporaryDirectory() as room:
            out = Path(room) / "out.h5"
            record(path, film, out)
            picture = folder / f"{name}.png"
            with Recording(out) as recording:
                counts = draw(recording, ground_of(film, recording), film, picture)
        print(f"| {name} | {' | '.join(map(str, counts))} | {picture} |", flush=True)


def record(path: Path, film: Film, out: Path) -> None:
    """Run the program as a user would."""
    crop = (f"prepare.crop={','.join(map(str, film.crop))}",) if film.crop else ()
    kind = f"cnmf.preset={film.preset}", f"cnmf.cell_radius={film.radius:g}"
    given = (
        "cnmf.enabled=true",
        "motion.enabled=true",
        "recorder.movie=true",
        "recorder.disk_reserve=1",
        *kind,
        *crop,
        *film.more,
    )
    words = ["run", "--source", str(path), "--out", str(out)]
    program(*words, *(word for setting in given for word in ("--set", setting)))


def ground_of(film: Film, recording: Recording) -> Picture:
    """Return the picture in which an eye looks for cells, of the part that was analysed."""
    x, y, width, height = film.crop or (0, 0, recording.shape[1], recording.shape[0])
    part = np.s_[y : y + height, x : x + width]
    if film.preset == "2p":
        seen = recording.maps["correlation"][part]
        return np.nan_to_num(seen, nan=float(np.nanmedian(seen)))
    frames = [frame[part].astype(np.float32) for frame in Movie(recording, Settings()).frames()]
    flat = np.stack([blurred(f, film.radius / 4) - blurred(f, 1.5 * film.radius) for f in frames])
    return np.asarray(flat.max(0) - np.median(flat, 0), np.float32)


def draw(recording: Recording, ground: Picture, film: Film, path: Path) -> list[int]:
    """Write the ground alone and with outlines beside it; count the outlines, and those that stand out."""
    scale = max(1, SIZE // max(ground.shape))
    low, high = np.percentile(ground, [1, 99.5])
    plain = _wide(np.uint8((ground - low).clip(0, high - low) / (high - low) * 255), scale)
    plain = cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR)
    drawn, counts = plain.copy(), []
    cells = recording.cells
    assert cells is not None
    x, y, (height, width) = *(film.crop or (0, 0))[:2], ground.shape
    for status, colour in COLOURS.items():
        shapes = cells.footprints[:, cells.status == status].T.toarray().reshape(-1, *recording.shape)
        bodies = [f > BODY * f.max() for f in shapes[:, y : y + height, x : x + width] if f.max() > 0]
        for body in bodies:
            outline, _ = cv2.findContours(
                _wide(np.uint8(body), scale), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            cv2.drawContours(drawn, outline, -1, colour, 1)
        counts += [len(bodies), sum(_clear(ground, body, film.radius) for body in bodies)]
    cv2.imwrite(str(path), np.hstack([plain, drawn]))
    return counts


def _clear(ground: Picture, body: NDArray[np.bool_], radius: float) -> bool:
    """Return whether the pixels of a body are brighter than those within a radius around."""
    near, far = (cv2.dilate(np.uint8(body), np.ones((side, side))) > 0 for side in (3, 3 + 2 * round(radius)))
    spread = DEVIATION * np.median(abs(ground - np.median(ground)))
    return bool(ground[body].mean() - np.median(ground[far & ~near]) > CLEAR * spread)


def _wide(picture: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    return picture.repeat(scale, 0).repeat(scale, 1)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("artifacts/real"))
