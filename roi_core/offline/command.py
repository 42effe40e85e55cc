"""What ``roi_stream refine`` says on a terminal."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from roi_core.frame import Status
from roi_core.offline.refine import Stopped, refine
from roi_core.terminal import Quiet, complain, say

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["refine_file"]


def refine_file(
    path: Path, movie: str | None, changes: tuple[str, ...], overwrite: bool, asked: Callable[[], bool]
) -> None:
    """Refine a recording with a bar on stderr; say what was found, or what is kept if ``asked`` to stop."""
    logger = logging.getLogger("roi_core")
    with (
        logging_redirect_tqdm([logger]),
        tqdm(unit=" frames", file=Quiet(sys.stderr), dynamic_ncols=True) as bar,
    ):

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            outcome = refine(
                path,
                movie=movie,
                changes=changes,
                overwrite=overwrite,
                asked_to_stop=asked,
                progress=progress,
            )
        except Stopped as stopped:
            bar.close()
            complain(str(stopped))
            return
    status = outcome.components.status
    counts = ", ".join(f"{int((status == kind).sum())} {kind.name.lower()}" for kind in Status)
    say(f"{counts} over {len(outcome.raw)} rows in /cnmf/refined of {path}")
