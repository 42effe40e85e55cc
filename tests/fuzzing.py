"""Every reader fed with files that were damaged on purpose, each batch in a process that may die.

A reader must return, or refuse with one of our errors (a sentence). Anything else it raises is a fault of
ours, also in a thread of its own or caught and logged; so is a death of the process, an end of it before the
last input, or an input it does not come back from. A refusal because memory ran out is counted apart: the
limit is ours, a user's machine would have swapped. libhdf5 and libtiff run in that process too, which is why
there is one.
"""

import csv
import itertools
import json
import logging
import mmap
import os
import random
import resource
import shutil
import signal
import struct
import threading
import time
import traceback
from argparse import Namespace
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import tifffile

from roi_core import imports
from roi_core.card import Card, LiveCard
from roi_core.catalogue import Catalogue
from roi_core.commands import info
from roi_core.errors import RoiError
from roi_core.offline.outside import Wishes, add
from roi_core.offline.recover import recover
from roi_core.recording import Recording
from roi_core.rois import Circle, Polygon, RoiSet
from roi_core.session import Session
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source
from roi_core.sources.simulated import Simulated

HANGS_AFTER = 20.0
"""Seconds without a word from a process after which its input counts as one it does not come back from."""
MEMORY = 3 * 2**30
"""Bytes of addresses that a process may take beyond those it begins with."""
FRAMES = 3
"""Frames that are taken of a source."""


@dataclass
class Outcome:
    """What became of the inputs of one reader."""

    read: int = 0
    refused: int = 0
    starved: int = 0
    faults: list[str] = field(default_factory=list)
    crashes: list[int] = field(default_factory=list)
    hangs: list[int] = field(default_factory=list)


# -- what is read -----------------------------------------------------------------------------------------


def use_recording(path):
    """Read everything that a recording offers."""
    with Recording(path) as recording:
        for name, value in vars(Recording).items():
            if isinstance(value, property):
                found = getattr(recording, name)
                for part, lazy in vars(type(found)).items() if name in ("cells", "refined") and found else ():
                    if isinstance(lazy, property | cached_property):
                        getattr(found, part)
        if recording.movie is not None and len(recording.movie):
            with suppress(OSError, RuntimeError):  # a dataset of h5py, whose errors are its own
                recording.movie[0]


def use_source(path):
    """Take some frames."""
    with closing(open_source(str(path), LiveSettings())) as source:
        for _ in itertools.islice(source.frames(), FRAMES):
            pass


def use_rois(path):
    RoiSet.load(path, (64, 48))


def use_info(path):
    """Tell what is in a recording, for people and for programs."""
    for as_json in (False, True):
        info.run(Namespace(file=path, json=as_json))


def use_catalogue(path):
    """Look for recordings in a damaged catalogue; one that was set aside before is not kept."""
    for old in path.parent.glob(f"{path.name}.old*"):
        old.unlink()
    with Catalogue(path) as catalogue:
        catalogue.find()
        catalogue.refresh()


def use_entry(path):
    """Take a damaged recording into a catalogue."""
    with Catalogue(path.parent / "of.sqlite") as catalogue:
        catalogue.add([path])
        catalogue.find()


def use_result(path):
    imports.read(path).rois(rejected=True)


def use_folder(name, use):
    """Return what reads the folder in which `name` was damaged."""

    def read(path):
        folder = path.parent / "folder"
        if not folder.exists():
            shutil.copytree(SEEDS / name[0], folder)
        target = folder / name[1]
        target.chmod(0o600)
        shutil.copyfile(path, target)
        use(folder)

    return read


def use_events(path):
    recording = path.parent / "recording.h5"
    if not recording.exists():
        shutil.copyfile(SEEDS / "plain.h5", recording)
    add(recording, path, Wishes(), only_look=True)


def use_journal(path):
    recording = path.parent / "cut.h5"
    shutil.copyfile(SEEDS / "cut.h5", recording)
    shutil.copyfile(path, path.parent / "cut.jsonl")
    recover(recording)


SEEDS = Path()
"""The folder of sound files, filled by `make_seeds`."""
READERS = {
    "settings": ("settings.yaml", Settings.load),
    "session card": ("card.yaml", Card.load),
    "regions csv": ("rois.csv", use_rois),
    "regions json": ("rois.json", use_rois),
    "regions roi": ("rois.roi", use_rois),
    "regions zip": ("rois.zip", use_rois),
    "recording": ("plain.h5", use_recording),
    "recording cells": ("cells.h5", use_recording),
    "info": ("plain.h5", use_info),
    "catalogue": ("catalogue.sqlite", use_catalogue),
    "catalogue entry": ("plain.h5", use_entry),
    "recovery": ("cut.h5", recover),
    "journal": ("cut.jsonl", use_journal),
    "movie hdf5": ("plain.h5", use_source),
    "movie tiff": ("movie.tif", use_source),
    "movie npy": ("movie.npy", use_source),
    "miniscope json": ("miniscope/metaData.json", use_folder(("miniscope", "metaData.json"), use_source)),
    "miniscope csv": ("miniscope/timeStamps.csv", use_folder(("miniscope", "timeStamps.csv"), use_source)),
    "events csv": ("ttl.csv", use_events),
    "suite2p stat": ("suite2p/stat.npy", use_folder(("suite2p", "stat.npy"), use_result)),
    "suite2p ops": ("suite2p/ops.npy", use_folder(("suite2p", "ops.npy"), use_result)),
    "suite2p iscell": ("suite2p/iscell.npy", use_folder(("suite2p", "iscell.npy"), use_result)),
    "minian array": ("minian/A.zarr/A/.zarray", use_folder(("minian", "A.zarr/A/.zarray"), use_result)),
    "minian chunk": ("minian/A.zarr/A/0.0.0", use_folder(("minian", "A.zarr/A/0.0.0"), use_result)),
    "caiman": ("caiman.hdf5", use_result),
    "extract": ("extract.mat", use_result),
    "nwb": ("result.nwb", use_result),
}
"""What is read: the sound file that is damaged, and the reader."""
SLOW = ("recovery", "journal", "recording cells", "extract", "minian array", "minian chunk")
"""Readers whose inputs cost so much that they get a tenth of them."""


# -- sound files ------------------------------------------------------------------------------------------


def make_seeds(folder, shared):
    """Write a sound file for each reader; a reader whose file is not to be had is left out."""
    global SEEDS
    SEEDS = folder
    (folder / "settings.yaml").write_text(Settings().to_yaml())
    (folder / "card.yaml").write_text(Card().with_texts("subject.subject_id=m017").to_yaml())
    rois = RoiSet([Circle(20, 20, 5), Polygon([(1, 1), (9, 1), (5, 9)], name="tri"), Circle(40, 20, 3)])
    for name, some in (("rois.json", rois), ("rois.zip", rois), ("rois.csv", RoiSet(list(rois)[::2]))):
        some.save(folder / name, (64, 48))
    RoiSet([rois[2]]).save(folder / "rois.roi", (64, 48))
    tifffile.imwrite(
        folder / "movie.tif",
        np.arange(5 * 24 * 32, dtype=np.uint16).reshape(5, 24, 32),
        photometric="minisblack",
    )
    np.save(folder / "movie.npy", np.arange(4 * 24 * 32, dtype=np.uint16).reshape(4, 24, 32))
    with (folder / "ttl.csv").open("w") as file:
        csv.writer(file).writerows([("time_s", "state"), *((k / 10, k % 2) for k in range(20))])
    _record(folder / "plain.h5", 40, "recorder.movie=true")
    _record(folder / "cells.h5", 450, "cnmf.enabled=true", "cnmf.cell_radius=4", "cnmf.buffer=5")
    _cut(folder)
    with Catalogue(folder / "catalogue.sqlite") as catalogue:
        catalogue.add([folder / "plain.h5", folder / "cells.h5"])
    _from_shared(folder, shared)


def _record(path, frames, *texts):
    live = LiveSettings(Settings().with_texts("recorder.disk_reserve=1", *texts))
    source = Simulated("tiny", live, paced=False, seed=3, length=frames)
    rois = RoiSet().add(Circle(20, 15, 4, name="soma"))
    session = Session(source, live, rois, card=LiveCard(Card().with_texts("subject.subject_id=m017")))
    session.record(path, essential=True)
    session.note("a note")
    session.start()
    session.wait()


def _cut(folder):
    """Make a recording look as if its program had been killed."""
    import h5py

    shutil.copyfile(folder / "plain.h5", folder / "cut.h5")
    shutil.copyfile(folder / "plain.jsonl", folder / "cut.jsonl")
    with h5py.File(folder / "cut.h5", "r+") as file:
        file.attrs.modify("complete", np.uint8(0))


def _from_shared(folder, shared):
    results = shared / "data" / "results-import"
    plane = folder / "suite2p"
    plane.mkdir()
    for name in ("stat.npy", "ops.npy", "iscell.npy"):
        shutil.copyfile(results / "suite2p" / "plane0" / name, plane / name)
    small = {"caiman.hdf5": "caiman/caiman_analysis.hdf5", "result.nwb": "nwb/nwb_test.nwb"}
    for name, place in small.items():
        shutil.copyfile(results / place, folder / name)
    shutil.copyfile(next((results / "extract").glob("*.mat")), folder / "extract.mat")
    shutil.copytree(results / "minian", folder / "minian", copy_function=shutil.copyfile)
    session = next((shared / "data" / "miniscope-v3-session").rglob("timeStamps.csv")).parent
    shutil.copytree(session, folder / "miniscope", copy_function=shutil.copyfile)


# -- damage -----------------------------------------------------------------------------------------------

EXTREMES = [
    b"", b"0", b"-1", b"1e999", b"nan", b"-inf", b"99999999999999999999", b"\x00", b"\xff\xfe", b"'", b'"',
    b"[" * 50, b"{" * 50, b": ", b"\n", b"!!python/object/apply:os.system", b"&a *a", b"null", b"true",
    "é".encode(), b"%s%n", b"../../../etc/passwd", b"1" * 400,
]  # fmt: skip
NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1]


def damaged(sound, rng):
    """Return a file that differs from a sound one in a few places, in its length, or in what it repeats."""
    data = bytearray(sound)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        rng.choice((_flip, _flip, _number, _cut_out, _shorten, _repeat, _insert, _zero))(data, rng)
    return bytes(data)


def _somewhere(data, rng):
    """Return a place, more often near the beginning, where formats keep what they are about."""
    return int(len(data) * rng.random() ** rng.choice((1, 1, 4))) if data else 0


def _flip(data, rng):
    if data:
        data[_somewhere(data, rng)] ^= 1 << rng.randrange(8)


def _number(data, rng):
    size = rng.choice((1, 2, 4, 8))
    place = _somewhere(data, rng)
    code = rng.choice("<>") + "BHIQ"[(1, 2, 4, 8).index(size)]
    data[place : place + size] = struct.pack(code, rng.choice(NUMBERS) & (2 ** (8 * size) - 1))


def _cut_out(data, rng):
    place = _somewhere(data, rng)
    del data[place : place + rng.choice((1, 2, 16, 512))]


def _shorten(data, rng):
    del data[_somewhere(data, rng) :]


def _repeat(data, rng):
    place, length = _somewhere(data, rng), rng.choice((1, 8, 64, 1024))
    data[place:place] = data[place : place + length] * rng.choice((1, 2, 5))


def _insert(data, rng):
    place = _somewhere(data, rng)
    data[place:place] = rng.choice(EXTREMES)


def _zero(data, rng):
    place, length = _somewhere(data, rng), rng.choice((1, 8, 64, 1024))
    data[place : place + length] = bytes(len(data[place : place + length]))


# -- the run ----------------------------------------------------------------------------------------------


def fuzz(name, count, folder, seed=0):
    """Feed a reader `count` inputs; return what became of them. Input k is the same in every run."""
    place, use = READERS[name]
    sound = (SEEDS / place).read_bytes()
    shown = mmap.mmap(-1, 32)  # how far the process is: the input it has in hand, read, refused, starved
    outcome, first = Outcome(), 0
    while first < count:
        shown[:] = struct.pack("QQQQ", first, 0, 0, 0)
        faults = folder / "faults.jsonl"
        faults.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            _in_child(name, use, sound, range(first, count), folder, shown, faults, seed)
        status = _watched(child, shown)
        at, read, refused, starved = struct.unpack("QQQQ", shown[:])
        outcome.read += read
        outcome.refused += refused
        outcome.starved += starved
        if faults.exists():
            outcome.faults += [json.loads(line) for line in faults.read_text().splitlines()]
        if status == "done" and at == count:
            break
        (outcome.hangs if status == "hangs" else outcome.crashes).append(at)
        first = at + 1
    return outcome


def sample(name, number, seed=0):
    """Return input `number` of a reader, for looking at what it does."""
    place, _ = READERS[name]
    return damaged((SEEDS / place).read_bytes(), random.Random(f"{seed} {name} {number}"))


def _watched(child, shown):
    """Wait for a process; kill one that stays with one input."""
    seen, since = None, time.monotonic()
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "done" if status == 0 else "died"
        now = shown[:8]
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > HANGS_AFTER:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hangs"
        time.sleep(0.005)


def _in_child(name, use, sound, numbers, folder, shown, faults, seed):
    """Read one input after the other; never returns."""
    try:
        _be_small()
        _listen(lambda text: _note(faults, struct.unpack("Q", shown[:8])[0], text))
        place = folder / f"input{Path(READERS[name][0]).suffix}"
        read = refused = starved = 0
        for number in numbers:
            shown[:] = struct.pack("QQQQ", number, read, refused, starved)
            data = damaged(sound, random.Random(f"{seed} {name} {number}"))
            place.unlink(missing_ok=True)
            place.write_bytes(data)
            try:
                use(place)
                read += 1
            except RoiError as error:
                if out_of_memory(error):
                    starved += 1
                else:
                    refused += 1
                if wrong := no_sentence(str(error)):
                    _note(faults, number, wrong)
            except BaseException:
                _note(faults, number, traceback.format_exc())
        shown[:] = struct.pack("QQQQ", numbers[-1] + 1, read, refused, starved)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(3)


def _note(faults, number, text):
    with faults.open("a") as file:
        file.write(json.dumps(f"{number}: {text}") + "\n")


def no_sentence(text):
    """Return what is wrong with a refusal, '' for nothing."""
    if not text or "\n" in text or len(text) > 1500:
        return f"no sentence: {text[:300]!r}"
    return ""


def out_of_memory(error):
    """Return whether a refusal comes of a request for more memory than there is."""
    while error is not None:
        if isinstance(error, MemoryError):
            return True
        error = error.__cause__ or error.__context__
    return False


class Logged(logging.Handler):
    """Takes the errors that a reader of ours caught and only wrote into the log."""

    def __init__(self, take):
        super().__init__(logging.WARNING)
        self.take = take

    def emit(self, record):
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, RoiError):
            self.take("logged: " + "".join(traceback.format_exception(error)))


def _listen(take):
    """Hand on what goes wrong in other threads, and what is only logged."""
    threading.excepthook = lambda args: take("".join(traceback.format_exception(args.exc_value)))
    logging.disable(logging.NOTSET)
    logging.getLogger().handlers = []
    ours = logging.getLogger("roi_core")
    ours.handlers, ours.propagate = [Logged(take)], False


def _be_small():
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def summary(outcome):
    """Return the kinds of faults and how often each was met."""
    return Counter(fault.strip().splitlines()[-1][:100] for fault in outcome.faults)
