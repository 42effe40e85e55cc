"""``roi_stream_gui [FILE or SOURCE]``: start the window, or say in one sentence why it cannot be."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core import __version__
from roi_core.errors import MissingExtra, RoiError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the window and return the exit code: 0 done, 1 one sentence on stderr, 2 wrong usage."""
    typed = sys.argv[1:] if argv is None else list(argv)
    if getattr(sys, "frozen", False) and typed[:1] in (["warm-up"], ["devices"], ["search"]):
        # frozen into one folder, it starts itself to compile, ask drivers and look for cells: roi_core.itself
        from roi_core import cli

        return cli.main(typed)
    arguments = _parser().parse_args(typed)
    try:
        if arguments.install_desktop:
            from roi_stream_gui.desktop import install_desktop

            print("\n".join(f"installed {path}" for path in install_desktop()))
            return 0
        return _show(arguments)
    except (RoiError, OSError) as error:
        print(f"roi_stream_gui: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1


def _show(arguments: argparse.Namespace) -> int:
    from roi_stream_gui import words

    # A second thread of the linear algebra, begun with numpy, would not step back: it held a core of two for
    # 26 ms at a time, and both threads of the rasteriser waited on the other one.
    if "OMP_NUM_THREADS" not in os.environ:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    display = os.environ.get("DISPLAY", "")
    if _on_linux() and not display:
        print(words.NO_DISPLAY, file=sys.stderr)
        return 1
    if importlib.util.find_spec("dearpygui") is None:
        raise MissingExtra("the window", "dearpygui", "gui")
    from roi_core.card import Card
    from roi_core.settings import Settings
    from roi_stream_gui.memory import Memory
    from roi_stream_gui.monitor import Monitor

    settings = Settings.load(arguments.settings) if arguments.settings else Settings()
    settings = Memory.kept().applied(settings).with_texts(*_shown_off(arguments), *(arguments.set or ()))
    if _on_linux() and Monitor.of(display) is None:
        print(words.DEAD_DISPLAY.format(display), file=sys.stderr)
        return 1
    from roi_stream_gui.app import App
    from roi_stream_gui.controller import Controller

    controller = Controller(settings)
    if arguments.card:
        controller.card.begin(Card.load(arguments.card))
    controller.source = arguments.source
    controller.rois_wanted = Path(arguments.rois) if arguments.rois else None
    controller.record_wanted = Path(arguments.record) if arguments.record else None
    return App(controller).run()


def _shown_off(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return what a simulated camera asked for by its preset is to show: motion correction and cells."""
    if ":" not in arguments.source or arguments.settings or arguments.as_set:
        return ()
    from roi_core.console import demo_words

    return demo_words(arguments.source)


def _on_linux() -> bool:
    return sys.platform.startswith("linux")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="roi_stream_gui", description="The window of ROI Stream.")
    parser.add_argument(
        "source",
        nargs="?",
        default="simulated",
        help="camera number, file, Miniscope folder, URL, simulated[:preset], pylon:, genicam: or "
        "micromanager: (default: simulated)",
    )
    parser.add_argument("--settings", metavar="Y", help="YAML settings file")
    parser.add_argument("--set", action="append", metavar="path=value", help="change one setting; repeatable")
    parser.add_argument(
        "--as-set",
        action="store_true",
        help="change nothing by itself; else simulated:PRESET switches motion correction and cells on",
    )
    parser.add_argument("--rois", metavar="F", help="ROI file: .csv .json .roi .zip")
    parser.add_argument("--record", metavar="O", help="record to this file (.h5) from the first frame on")
    parser.add_argument("--card", metavar="C", help="YAML session card, kept in recordings")
    parser.add_argument("--install-desktop", action="store_true", help="put icon and launcher in place")
    parser.add_argument("--version", action="version", version=f"roi_stream_gui {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
