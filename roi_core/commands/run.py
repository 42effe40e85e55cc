"""``roi_stream run``: measure on a camera or a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from roi_core.commands.base import add_settings, assignments, become_window, count, positive, settings_of
from roi_core.errors import SettingsError
from roi_core.terminal import complain

if TYPE_CHECKING:
    from roi_core.card import Card
    from roi_core.console import Signals
    from roi_core.rois import RoiSet
    from roi_core.session import Session
    from roi_core.settings import Channels
    from roi_core.sources import Source

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it understands."""
    parser.add_argument(
        "--source",
        required=True,
        metavar="S",
        help="camera index, URL, simulated[:preset], pylon:[SERIAL], genicam:PRODUCER.cti[#SERIAL], "
        "micromanager:CONFIG.cfg, or a path: avi mp4 mkv tif npy .h5[:dataset] or a Miniscope session folder",
    )
    parser.add_argument(
        "--rois", metavar="F", help="ROI file .csv .json .roi .zip, or a result: see roi_stream import"
    )
    add_settings(parser)
    parser.add_argument("--card", metavar="C", help="YAML session card, kept in the recording")
    parser.add_argument("--out", metavar="O", help="recording to write (.h5); an existing name gets a suffix")
    parser.add_argument("--format", metavar="WxH@FPS", help="size and rate asked of the camera")
    parser.add_argument("--max-frames", type=count, metavar="N", help="stop after N frames")
    parser.add_argument("--realtime", action="store_true", help="pace a file like a live camera")
    parser.add_argument("--frames-per-chunk", type=count, metavar="N", help="rows in one HDF5 chunk (240)")
    parser.add_argument("--trace-buffer-sec", type=positive, metavar="S", help="traces kept in memory (600)")
    parser.add_argument(
        "--print-fps-period", type=positive, default=1.0, metavar="S", help="seconds between lines (1.0)"
    )
    parser.add_argument("--gui", action="store_true", help="show it in the window")
    parser.add_argument("--overwrite", action="store_true", help="replace a recording and its parts")


def run(arguments: argparse.Namespace) -> int:
    """Measure until the source ends or a signal comes."""
    if arguments.gui:
        return become_window(_window_words(arguments))
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

    live, card = LiveSettings(settings_of(arguments)), Card.load(arguments.card) if arguments.card else Card()
    source = open_source(arguments.source, live, realtime=arguments.realtime)
    try:
        rois = _load_rois(arguments.rois, source.shape, live.current.channels)
        if signals.asked:
            return
        signals.recording = True
        session = Session(
            source, live, rois, max_frames=arguments.max_frames, card=LiveCard(_filled(card, source))
        )
        if arguments.out:
            session.record(Path(arguments.out), overwrite=arguments.overwrite, essential=True)
        else:
            complain("nothing is recorded; give --out FILE.h5 to record")
        lengths = [arguments.max_frames, getattr(source, "length", None)]
        length = min((frames for frames in lengths if frames is not None), default=None)
        try:
            run_session(session, arguments.print_fps_period, length, signals)
        finally:
            _remember(session)
    finally:
        source.close()


def _filled(card: Card, source: Source) -> Card:
    """Return a card with what it leaves empty taken from that of the source, if it has one."""
    other: Card | None = getattr(source, "card", None)
    return card if other is None else card.filled(other)


def _remember(session: Session) -> None:
    """Put what was recorded into the catalogue, if the user has one."""
    from roi_core.catalogue import place, remember

    snapshot = session.snapshot()
    if snapshot.recording is not None:
        remember(place(snapshot.settings.recorder.folder), snapshot.recording.path)


def _load_rois(path: str | None, shape: tuple[int, int], light: Channels) -> RoiSet:
    from roi_core.imports import load_rois
    from roi_core.rois import RoiSet
    from roi_core.rois.twins import twins

    if path is None:
        return RoiSet()
    loaded = load_rois(path, (shape[1], shape[0]))
    for note in loaded.notes:
        complain(note)
    rois = loaded.rois
    missing = twins(rois, light.shift(shape), light.halves, shape) if light.halves else []
    for twin in missing:
        rois = rois.add(twin)
    if missing:
        complain(f"{len(missing)} twins were added in the other half: {missing[0].name} ...")
    return rois


def _window_words(arguments: argparse.Namespace) -> list[str]:
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
    return [*words, *(word for text in assignments(arguments) for word in ("--set", text))]
