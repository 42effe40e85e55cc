"""``roi_stream info`` of a recording whose attributes somebody changed."""

from argparse import Namespace

import h5py
import numpy as np
import pytest

from roi_core.commands import info
from tests.core.test_catalogue import record


@pytest.mark.parametrize("value", [np.arange(3), "abc", np.array([b"a", b"b"]), h5py.Empty("f8"), 2.5])
@pytest.mark.parametrize("json", [False, True])
def test_whatever_an_attribute_says_is_told_or_refused(tmp_path, capsys, value, json):
    path = record(tmp_path / "a.h5")
    for name in ("part", "first_part", "resolution", "source", "frames_dropped", "finish_reason", "complete"):
        with h5py.File(path, "r+") as file:
            before = file.attrs.get(name)
            file.attrs[name] = value
        assert info.run(Namespace(file=path, json=json)) == 0
        assert "rows" in capsys.readouterr().out
        with h5py.File(path, "r+") as file:
            del file.attrs[name]
            if before is not None:
                file.attrs[name] = before
