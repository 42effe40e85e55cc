"""The command line: ``roi_stream run | devices | info | export | refine | compare | card | ...``.

Exit 0: done, also after Ctrl+C or SIGTERM. Exit 1: one sentence on stderr. Exit 2: wrong usage. What a
command does not need is not imported: ``--help`` loads neither OpenCV nor numba nor HDF5.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, NoReturn

from roi_core import __version__
from roi_core.errors import RoiError, RoiFileError, SettingsError
from roi_core.terminal import Quiet, complain, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_core.console import Signals
    from roi_core.rois import RoiSet
    from roi_core.settings import Settings

__all__ = ["main"]

DEMO_SECONDS = 10.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show must not end anything
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    if not words:
        parser.print_help()
        return 2
    if words[0].startswith("-") and words[0] not in ("-h", "--help", "--version"):
        words.insert(0, "run")
    arguments = parser.parse_args(words)
    _warn_on_stderr()
    try:
        command: Callable[[argparse.Namespace], int] = arguments.command
        return command(arguments)
    except RoiError as error:
        complain(f"roi_stream: {error}")
        return 2 if isinstance(error, SettingsError) else 1
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        return 1
    finally:
        _flush_or_forget()


# -- commands ---------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    if arguments.gui:
        return _window(_gui_words(arguments))
    from roi_core.console import Signals

    with Signals() as signals:
        _measure(arguments, signals)
    return 0


def _measure(arguments: argparse.Namespace, signals: Signals) -> None:
    from roi_core.card import Card, LiveCard
    from roi_core.console import run_session
    from roi_core.session import Session
    from roi_core.settings import LiveSettings
    from roi_core.sources import open_source

    live, card = LiveSettings(_settings(arguments)), Card.load(arguments.card) if arguments.card else Card()
    source = open_source(arguments.source, live, realtime=arguments.realtime)
    try:
        rois = _load_rois(arguments.rois, source.shape)
        if signals.asked:
            return
        signals.recording = True
        session = Session(source, live, rois, max_frames=arguments.max_frames, card=LiveCard(card))
        if arguments.out:
            session.record(Path(arguments.out), overwrite=arguments.overwrite, essential=True)
        else:
            complain("nothing is recorded; give --out FILE.h5 to record")
        lengths = [arguments.max_frames, getattr(source, "length", None)]
        length = min((frames for frames in lengths if frames is not None), default=None)
        run_session(session, arguments.print_fps_period, length, signals)
    finally:
        source.close()


def _devices(_arguments: argparse.Namespace) -> int:
    from roi_core.sources.devices import list_devices

    devices = list_devices()
    if not devices:
        print("no camera found; 'simulated' is always there: roi_stream run --source simulated")
    for device in devices:
        sizes = " ".join(f"{width}x{height}" for width, height in device.sizes) or "sizes unknown"
        rates = " ".join(f"{rate:g}" for rate in device.rates) or "unknown"
        print(f"{device.index}  {device.name}  [{device.backend}]  {sizes}  rates (Hz): {rates}")
    return 0


def _random_rois(arguments: argparse.Namespace) -> int:
    from roi_core.rois import RoiSet

    width, height = _size(arguments.resolution)
    rois = RoiSet.random(arguments.count, (width, height), arguments.radius, arguments.seed)
    path = Path(arguments.out)
    if path.exists() and not arguments.overwrite:
        raise RoiFileError(path, None, "it exists; use --overwrite or another name")
    rois.save(path, (width, height))
    print(f"{len(rois)} circles for {width}x{height} in {path}")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from roi_core.console import describe_recording
    from roi_core.recording import Recording

    with Recording(arguments.file) as recording:
        facts = describe_recording(recording)
    if arguments.json:
        print(json.dumps(facts, indent=2))
        return 0
    for name, value in facts.items():
        print(f"{name:16} {'unknown' if value is None else value}")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from roi_core.export import export

    print(export(arguments.file, arguments.to, arguments.out, overwrite=arguments.overwrite))
    return 0


def _refine(arguments: argparse.Namespace) -> int:
    from roi_core.console import Signals
    from roi_core.offline.command import refine_file

    with Signals() as signals:
        signals.recording = True
        refine_file(
            Path(arguments.file), arguments.movie, tuple(arguments.set or ()), arguments.overwrite,
            lambda: bool(signals.asked),
        )  # fmt: skip
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from roi_core.offline.command import compare_files

    compare_files(arguments.a, arguments.b, arguments.iou, arguments.json)
    return 0


def _show_settings(arguments: argparse.Namespace) -> int:
    sys.stdout.write(_settings(arguments).to_yaml())
    return 0


def _show_card(arguments: argparse.Namespace) -> int:
    from roi_core.card import Card

    card = Card.load(arguments.card) if arguments.card else Card()
    sys.stdout.write(card.with_texts(*(arguments.set or ())).to_yaml())
    return 0


def _warm_up(arguments: argparse.Namespace) -> int:
    from roi_core.compiler import PARTS, compile_here

    if arguments.aside:
        from roi_core.terminal import live_under

        live_under(sys.stdin)
    for part in arguments.parts or PARTS:
        begun = perf_counter()
        compile_here(part)
        say(f"{part} is compiled ({perf_counter() - begun:.1f} s)")
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    display = not sys.platform.startswith("linux") or os.environ.get("DISPLAY")
    if display and importlib.util.find_spec("dearpygui"):
        return _window(["simulated:2p"])
    from roi_core.console import run_demo

    run_demo(Path(arguments.out), arguments.seconds)
    return 0


# -- what commands share ----------------------------------------------------------------------------------


def _flush_or_forget() -> None:
    """Let the interpreter end without a word about a pipe that was closed."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _warn_on_stderr() -> None:
    """Print our own warnings; other libraries' are not for users."""
    handler = logging.StreamHandler(Quiet(sys.stderr))
    handler.setFormatter(logging.Formatter("warning: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.getLogger("roi_core").addHandler(handler)
    logging.getLogger().addHandler(logging.NullHandler())


def _settings(arguments: argparse.Namespace) -> Settings:
    from roi_core.settings import Settings

    settings = Settings.load(arguments.settings) if arguments.settings else Settings()
    return settings.with_texts(*_assignments(arguments))


def _assignments(arguments: argparse.Namespace) -> list[str]:
    """Return what --set and the options of their own say, as path=value."""
    flags = {
        "camera.format": "format",
        "recorder.rows_per_chunk": "frames_per_chunk",
        "display.trace_buffer": "trace_buffer_sec",
    }
    given = {path: getattr(arguments, flag, None) for path, flag in flags.items()}
    own = [f"{path}={value}" for path, value in given.items() if value is not None]
    return [*(arguments.set or ()), *own]


def _load_rois(path: str | None, shape: tuple[int, int]) -> RoiSet:
    from roi_core.rois import RoiSet

    if path is None:
        return RoiSet()
    loaded = RoiSet.load(Path(path), (shape[1], shape[0]))
    for note in loaded.notes:
        complain(note)
    return loaded.rois


def _window(words: list[str]) -> int:
    """Become the window's program, so that signals reach it; the core never imports it."""
    command = [sys.executable, "-m", "roi_stream_gui", *words]
    if os.name == "posix":
        os.execv(sys.executable, command)
    return subprocess.call(command)


def _gui_words(arguments: argparse.Namespace) -> list[str]:
    given = [name for name in ("max_frames", "realtime", "overwrite") if getattr(arguments, name)]
    if given:
        flag = given[0].replace("_", "-")
        raise SettingsError(
            f"--{flag}", getattr(arguments, given[0]), "the window has no such option; leave it out"
        )
    words = [arguments.source, "--as-set"]
    words += ["--rois", arguments.rois] if arguments.rois else []
    words += ["--settings", arguments.settings] if arguments.settings else []
    words += ["--record", arguments.out] if arguments.out else []
    words += ["--card", arguments.card] if arguments.card else []
    return [*words, *(word for text in _assignments(arguments) for word in ("--set", text))]


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not all(number.isdecimal() and 0 < int(number) < 100_000 for number in (width, height)):
        raise SettingsError("--resolution", text, "write it as WxH, such as 1280x720")
    return int(width), int(height)


# -- the words it understands -----------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """An argument parser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="roi_stream", description="See neurons while you record them.")
    parser.add_argument("--version", action="version", version=f"roi_stream {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands.add_parser("run", help="measure ROIs on a camera or a file (the default command)"))
    _add(commands, "devices", _devices, "list the cameras of this machine")
    _add_random_rois(_add(commands, "random-rois", _random_rois, "write a file of random circles"))
    info = _add(commands, "info", _info, "tell what is in a recording, also an unfinished one")
    info.add_argument("file")
    info.add_argument("--json", action="store_true", help="print JSON")
    _add_export(_add(commands, "export", _export, "write a recording in another format"))
    _add_refine(_add(commands, "refine", _refine, "find every cell's trace anew, over the whole recording"))
    _add_compare(_add(commands, "compare", _compare, "tell which cells two recordings share"))
    settings = _add(commands, "settings", _show_settings, "print every setting with its meaning, as YAML")
    _add_settings(settings)
    card = _add(commands, "card", _show_card, "print a session card to fill in, as YAML")
    card.add_argument("--card", metavar="C", help="YAML session card to begin with")
    card.add_argument("--set", action="append", metavar="path=value", help="fill in one field; repeatable")
    _add_warm_up(_add(commands, "warm-up", _warm_up, "compile everything once, such as after installing"))
    demo = _add(commands, "demo", _demo, "see it work on a simulated camera")
    demo.add_argument("--out", default="demo.h5", help="where the headless demo records (default demo.h5)")
    demo.add_argument("--seconds", type=_positive, default=DEMO_SECONDS, help="length of the headless demo")
    return parser


def _add(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    command: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(command=command)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", metavar="Y", help="YAML settings file")
    parser.add_argument("--set", action="append", metavar="path=value", help="change one setting; repeatable")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(command=_run)
    parser.description = "Measure ROIs on a camera or a file."
    parser.add_argument(
        "--source",
        required=True,
        metavar="S",
        help="camera index, URL, simulated[:preset], or a path: avi mp4 mkv tif npy .h5[:dataset] "
        "or a Miniscope session folder",
    )
    parser.add_argument("--rois", metavar="F", help="ROI file: .csv .json .roi .zip")
    _add_settings(parser)
    parser.add_argument("--card", metavar="C", help="YAML session card, kept in the recording")
    parser.add_argument("--out", metavar="O", help="recording to write (.h5); an existing name gets a suffix")
    parser.add_argument("--format", metavar="WxH@FPS", help="size and rate asked of the camera")
    parser.add_argument("--max-frames", type=_count, metavar="N", help="stop after N frames")
    parser.add_argument("--realtime", action="store_true", help="pace a file like a live camera")
    parser.add_argument("--frames-per-chunk", type=_count, metavar="N", help="rows in one HDF5 chunk (240)")
    parser.add_argument("--trace-buffer-sec", type=_positive, metavar="S", help="traces kept in memory (600)")
    parser.add_argument(
        "--print-fps-period", type=_positive, default=1.0, metavar="S", help="seconds between lines (1.0)"
    )
    parser.add_argument("--gui", action="store_true", help="show it in the window")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing recording")


def _add_random_rois(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--count", "-n", type=_count, default=10, help="how many (10)")
    parser.add_argument(
        "--resolution", "--size", default="1280x720", metavar="WxH", help="frame size (1280x720)"
    )
    parser.add_argument("--radius", type=_positive, default=20.0, metavar="PX", help="radius (20)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same circles (0)")
    parser.add_argument("--out", default="rois.csv", metavar="F", help="file to write (rois.csv)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def _add_warm_up(parser: argparse.ArgumentParser) -> None:
    """Give it the words with which the program starts itself, see `roi_core.compiler`."""
    parser.add_argument("parts", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--aside", action="store_true", help=argparse.SUPPRESS)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file")
    parser.add_argument("--to", required=True, choices=("csv", "matlab"), help="format")
    parser.add_argument("--out", metavar="F", help="file to write (beside the recording)")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def _add_refine(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "A second pass over a recording with its cells as a start: better footprints, missed cells, and "
        "traces and spikes of every cell over all frames, written to /cnmf/refined. Stop it with Ctrl+C or "
        "kill it; the same command goes on where it was."
    )
    parser.add_argument("file")
    parser.add_argument("--movie", metavar="PATH", help="the movie, when the recording does not hold it")
    parser.add_argument("--set", action="append", metavar="path=value", help="change one setting; repeatable")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier refinement")


def _add_compare(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Tell which accepted cells of two results are the same, and how alike their traces are. Cells are "
        "matched one to one so that the sum of their overlaps (IoU) is largest."
    )
    for name in ("a", "b"):
        parser.add_argument(name, help="recording FILE.h5, or FILE.h5:refined for its second pass")
    parser.add_argument("--iou", type=_share, default=0.5, metavar="X", help="least overlap of a pair (0.5)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _share(text: str) -> float:
    value = _positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and up to 1")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 15 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
