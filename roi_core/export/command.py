"""What ``roi_stream export`` says on a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tqdm import tqdm

from roi_core.export import export
from roi_core.export.task import Cancelled, Wishes
from roi_core.terminal import Quiet, complain, say

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["export_file"]


def export_file(
    path: str, to: str, out: str | None, overwrite: bool, wishes: Wishes, asked: Callable[[], bool]
) -> bool:
    """Export a recording with a bar on stderr; say what was written, or that ``asked`` stopped it: False."""
    with tqdm(unit=" rows", file=Quiet(sys.stderr), dynamic_ncols=True, delay=0.5) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            written = export(
                path, to, out, overwrite=overwrite, wishes=wishes, progress=progress, asked_to_stop=asked
            )
        except Cancelled as cancelled:
            bar.close()
            complain(str(cancelled))
            return False
    say(str(written))
    return True
