"""Damaged files of every kind: each is read or refused in a sentence, and no process dies or stays.

A few hundred here; `python -m benchmarks.fuzz 100000` feeds as many as one likes.
"""

import logging
import os
import threading

import pytest

from roi_core.errors import RoiFileError
from tests import fuzzing

INPUTS = 120


@pytest.fixture(scope="module")
def seeds(tmp_path_factory, shared):
    folder = tmp_path_factory.mktemp("seeds")
    fuzzing.make_seeds(folder, shared)
    return folder


@pytest.mark.parametrize("name", fuzzing.READERS)
def test_damaged_files_are_read_or_refused(seeds, tmp_path, name):
    count = INPUTS // 10 if name in fuzzing.SLOW else INPUTS
    outcome = fuzzing.fuzz(name, count, tmp_path)
    assert not outcome.faults, outcome.faults[0]
    assert outcome.hangs == []
    assert outcome.crashes == []
    assert outcome.read + outcome.refused + outcome.starved == count


def _in_a_thread(_path):
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()


def _logged(_path):
    try:
        1 // 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("roi_core.some").exception("left out")


def _hungry(path):
    raise RoiFileError(path, None, "is damaged") from MemoryError()


@pytest.mark.parametrize("bad", [_in_a_thread, _logged])
def test_what_a_reader_hides_is_a_fault(tmp_path, monkeypatch, bad):
    outcome = _fed(tmp_path, monkeypatch, bad)
    assert [fault.splitlines()[-1] for fault in outcome.faults] == [
        "ZeroDivisionError: integer division or modulo by zero"
    ] * 3


def test_an_end_before_the_last_input_is_a_crash_and_no_memory_is_no_refusal(tmp_path, monkeypatch):
    assert _fed(tmp_path, monkeypatch, lambda _: os._exit(0)).crashes == [0, 1, 2]
    hungry = _fed(tmp_path, monkeypatch, _hungry)
    assert (hungry.starved, hungry.refused, hungry.faults) == (3, 0, [])


def _fed(folder, monkeypatch, use):
    """Return what becomes of three inputs of a reader."""
    (folder / "sound").write_bytes(b"sound")
    monkeypatch.setattr(fuzzing, "SEEDS", folder)
    monkeypatch.setitem(fuzzing.READERS, "any", ("sound", use))
    return fuzzing.fuzz("any", 3, folder)
