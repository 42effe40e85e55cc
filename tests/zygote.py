"""Programs that are killed, a hundred of them: imports and kernels once, then a fork for each.

Started as ``python -m tests.zygote``. Each line of stdin is a JSON list of words for ``roi_stream``, and
where its output goes; it answers with the number of the process, and once more with how that ended.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path


class Zygote:
    """The test's end of it."""

    def __init__(self):
        command = [sys.executable, "-m", "tests.zygote"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )
        assert self._process.stdout.readline() == "ready\n"

    def start(self, words, log):
        """Start ``roi_stream`` with these words; return its number. The next starts when it has ended."""
        print(json.dumps([words, str(log)]), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def ended(self):
        """Wait for the end; return the signal, as a negative number, or the exit code."""
        return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def prepare():
    """Load and compile everything that a recording needs."""
    from roi_core import rehearsal
    from roi_core.compiler import Compiler
    from roi_core.console import Signals  # noqa: F401
    from roi_core.pipeline import warm_up
    from roi_core.sinks.hdf5 import Recorder

    Compiler.fill = lambda compiler, part: None
    warm_up()
    for part in (rehearsal.prepare, rehearsal.motion, rehearsal.maps, rehearsal.cells):
        part()
    finish = Recorder._finish

    def told(self, summary):
        print("closing", flush=True)
        finish(self, summary)

    Recorder._finish = told


def run(words, log):
    """Be the program."""
    from roi_core.cli import main

    number = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(number, 1)
    os.dup2(number, 2)
    sys.stdout.reconfigure(line_buffering=True)
    os._exit(play(*words[1:]) if words[0] == "play" else main(words))


def play(film, out, pressed, frames, *texts):
    """Play so many frames of a film, 0 for all; Record is pressed at one of them."""
    from roi_core.rois import Circle, RoiSet
    from roi_core.session import Session
    from roi_core.settings import LiveSettings, Settings
    from roi_core.sources import open_source

    live = LiveSettings(Settings().with_texts(*texts))
    source = open_source(film, live)
    session = Session(source, live, RoiSet().add(Circle(20, 20, 5)), max_frames=int(frames) or None)
    played = source.frames

    def frames_of():
        for frame in played():
            if frame.index == int(pressed):
                session.record(Path(out))
            print(f"[ 0.0s] FPS: 0 frames={max(frame.index - int(pressed), 0)}")
            yield frame

    source.frames = frames_of
    session.start()
    session.wait()
    return 0


def serve():
    prepare()
    assert threading.active_count() == 1, threading.enumerate()
    print("ready", flush=True)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdin.close()
            run(*json.loads(line))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve()
