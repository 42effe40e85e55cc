"""Damaged files of every kind: each is read or refused in a sentence, and no process dies or stays.

A few hundred here; `python -m benchmarks.fuzz 100000` feeds as many as one likes.
"""

import pytest

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
    assert outcome.read + outcome.refused == count
