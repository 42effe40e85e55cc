"""Memory that two processes see."""

import os

import numpy as np
import pytest

from roi_core.cnmf.shared import Shared

pytestmark = pytest.mark.skipif(not Shared.possible(), reason="this system has no files of memory")


def test_who_asks_for_the_same_arrays_in_the_same_order_sees_the_same():
    ours, kinds = Shared(), [((3, 5), np.float32), (7, np.int64), ((2, 3, 4000), np.float32)]
    theirs = Shared(os.dup(ours.file))
    written = [ours.zeros(*kind) for kind in kinds]
    for array, (shape, kind) in zip(written, kinds, strict=True):
        assert array.shape == np.zeros(shape).shape
        assert array.dtype == kind
        assert not array.any()
        array[...] = np.random.default_rng(0).integers(1, 99, array.shape)
    for array, kind in zip(written, kinds, strict=True):
        read = theirs.zeros(*kind)
        np.testing.assert_array_equal(read, array)
        array += 1
        np.testing.assert_array_equal(read, array)


def test_arrays_outlive_the_file_they_were_made_in():
    shared = Shared()
    array, file = shared.zeros(10, np.float32), shared.file
    del shared
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(file)
    array[:] = 5
    assert array.sum() == 50


def test_no_memory_is_an_oserror(monkeypatch):
    shared = Shared()

    def refuse(*_args):
        raise OSError("injected")

    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(OSError, match="injected"):
        shared.zeros(10, np.float32)
