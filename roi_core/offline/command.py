"""What ``roi_stream refine``, ``recover`` and ``compare`` say on a terminal."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from roi_core.frame import Status
from roi_core.offline.compare import Result, compare, recorded
from roi_core.offline.recover import recover
from roi_core.offline.refine import Stopped, refine
from roi_core.recording import Recording
from roi_core.terminal import Quiet, complain, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from roi_core.offline.compare import Comparison

__all__ = ["compare_files", "recover_file", "refine_file"]


def refine_file(
    path: Path, movie: str | None, changes: tuple[str, ...], overwrite: bool, asked: Callable[[], bool]
) -> None:
    """Refine a recording with a bar on stderr; say what was found, or what is kept if ``asked`` to stop."""
    with _bar() as (bar, progress):
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


def recover_file(path: Path, out: Path | None) -> None:
    """Finish a recording that was cut short, with a bar on stderr; say what it holds."""
    with _bar(0.5) as (_, progress):
        found = recover(path, out, progress)
    for note in found.notes:
        complain(f"{found.path}: {note}")
    events = "1 event" if found.replayed == 1 else f"{found.replayed} events"
    say(f"{found.rows} rows in {found.path}, {events} from its journal")


@contextmanager
def _bar(delay: float = 0.0) -> Iterator[tuple[tqdm[Any], Callable[[int, int], None]]]:
    """Show a bar after `delay` s, warnings above it; give it and how it is told rows done, of how many."""
    with (
        logging_redirect_tqdm([logging.getLogger("roi_core")]),
        tqdm(unit=" frames", file=Quiet(sys.stderr), dynamic_ncols=True, delay=delay) as bar,
    ):

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield bar, progress


def compare_files(a: str, b: str, least: float, as_json: bool) -> None:
    """Print which cells two recordings share, ``FILE.h5`` or ``FILE.h5:refined`` each."""
    with ExitStack() as files:

        def result(text: str) -> Result:
            path, refined = text.removesuffix(":refined"), text.endswith(":refined")
            return recorded(files.enter_context(Recording(path)), refined)

        found = compare(result(a), result(b), least)
    print(_json(found) if as_json else _table(found))


def _table(found: Comparison) -> str:
    lines = [f"A: {found.a}", f"B: {found.b}", found.summary()]
    if found.pairs:
        lines += ["", "     A      B    IoU      r"]
        lines += [f"{pair.a:6d} {pair.b:6d} {pair.overlap:6.2f} {pair.r:6.2f}" for pair in found.pairs]
    alone = (("A", found.only_a), ("B", found.only_b))
    lines += [f"only in {which}: {' '.join(map(str, ids)) or 'none'}" for which, ids in alone]
    return "\n".join(lines)


def _json(found: Comparison) -> str:
    def known(value: float) -> float | None:
        return None if value != value else round(value, 6)

    pairs = [{"a": p.a, "b": p.b, "iou": known(p.overlap), "r": known(p.r)} for p in found.pairs]
    facts = {
        "a": found.a, "b": found.b, "least_iou": found.least, "frames": found.frames,
        "f1": known(found.f1), "median_iou": known(found.median("overlap")),
        "median_r": known(found.median("r")),
        "offset": found.offset, "pairs": pairs, "only_a": found.only_a, "only_b": found.only_b,
    }  # fmt: skip
    return json.dumps(facts)
