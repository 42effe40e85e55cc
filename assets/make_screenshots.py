"""The pictures of the README, made anew from the simulated camera: ``python assets/make_screenshots.py``.

Needs what the window's tests need (Xvfb, openbox, xdotool, ImageMagick) and takes about two minutes. Names of
pictures may follow, to make only those.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.gui.driver import Screen, State, Window  # noqa: E402

OUT = ROOT / "assets" / "screenshots"
SIZE = (1440, 900)
COLOURS = 200
"""Of a picture: the noise of the camera makes anything better larger than 300 kB."""
CELLS, REGIONS = 40, 4
"""How many cells are waited for, and regions drawn."""
SETTLED = 12
"""s of trace after the last region, so that there is something to see."""


def dark(window: Window) -> None:
    """Show the window as it is first seen: live cells, drawn regions, recording."""
    window.click("tab.regions")


def light(window: Window) -> None:
    """Show the same in the light theme."""
    window.click("tab.regions")
    window.menu("View/Theme/Light")


def preview(window: Window) -> None:
    """Show what an edit of the parameters would do to the cells, before it is applied."""
    window.click("tab.parameters")
    window.fill("find", "min_snr")
    window.fill("set.cnmf.min_snr", "12")
    window.key("ctrl+p")


def raster(window: Window) -> None:
    """Show hundreds of cells at once."""
    window.key("shift+t", "shift+t")
    window.until(lambda s: s.settings["display"]["trace_mode"] == "raster", "a raster")


def keys(window: Window) -> None:
    """Show the sheet of keys."""
    window.key("F1")


PICTURES: dict[str, Callable[[Window], None]] = {
    "dark": dark, "light": light, "raster": raster, "keys": keys, "preview": preview,
}  # fmt: skip


def main(names: list[str]) -> int:
    """Make the pictures of these names, or all."""
    OUT.mkdir(exist_ok=True)
    screen = Screen("1660x1060")
    with tempfile.TemporaryDirectory() as home:
        window = Window(screen, Path(home), "simulated:2p", "--set", f"recorder.folder={home}/data")
        try:
            begin(window)
            for name in names or PICTURES:
                PICTURES[name](window)
                print(f"{take(window, OUT / f'{name}.png'):4d} kB  {name}")
                end(window)
            window.terminate()
        finally:
            window.kill()
            screen.close()
    return 0


def begin(window: Window) -> None:
    """Have cells found, regions drawn and a recording running."""
    window.resize(*SIZE)
    window.running()
    ready = window.until(lambda s: s.cells and len(s.cells["accepted"]) >= CELLS, "cells are found", 900)
    window.key("r")
    window.click("tool.circle")
    for y, x in spread(ready)[:REGIONS]:
        window.drag((x, y), (x + 7, y))
    drawn = window.key("v", "Escape")
    window.until(lambda s: s.frames > drawn.frames + SETTLED * 30, "traces have a past", 120)


def spread(state: State) -> list[tuple[float, float]]:
    """Return places (y, x) of accepted cells, far from each other first, none at the rim of the picture."""
    height, width = state.shape
    known = [state.cells["places"][str(cell)] for cell in state.cells["accepted"]]
    inside = [(y, x) for y, x in known if 40 < y < height - 40 and 40 < x < width - 40]
    chosen = inside[:1]
    while len(chosen) < min(REGIONS, len(inside)):
        chosen.append(max(inside, key=lambda a: min((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 for b in chosen)))
    return chosen


def take(window: Window, path: Path) -> int:
    """Write what is inside the window's frame; return its size in kB."""
    window.aside()
    window.settle(6)
    window.locate()
    words = ["import", "-window", window.xid, "-dither", "None", "-colors", str(COLOURS), f"png8:{path}"]
    subprocess.run(words, env=window.env, check=True)
    return path.stat().st_size // 1000


def end(window: Window) -> None:
    """Go back to what the next picture begins with."""
    shown = window.key("Escape").settings["display"]
    if shown["theme"] == "light":
        window.menu("View/Theme/Dark")
    if shown["trace_mode"] == "raster":
        window.key("shift+t")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
