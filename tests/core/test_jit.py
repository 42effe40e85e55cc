"""Lean kernels count no references: that is right only while they make no array and return none."""

import numpy as np
import pytest
from numba.core import types
from numba.core.errors import NumbaError

from roi_core import jit, rehearsal
from roi_core.cnmf.online import OnlineCNMF


@jit.kernel
def _made(values):
    return np.zeros(values.size).size


@jit.lean
def _calling(values):
    return _made(values)


@jit.lean
def _making(values):
    return np.zeros(values.size).size


def _parts(kind):
    return [part for inner in kind for part in _parts(inner)] if isinstance(kind, types.BaseTuple) else [kind]


def test_what_is_called_may_make_arrays():
    assert _calling(np.ones(3)) == 3


def test_making_one_is_refused():
    with pytest.raises(NumbaError):
        _making(np.ones(3))


def test_none_of_ours_returns_a_view():
    OnlineCNMF.warm_up()
    rehearsal.motion()
    lean = [kernel for kernel in jit.KERNELS if not kernel.targetoptions.get("_nrt", True)]
    kinds = {k.__name__: _parts(s.return_type) for k in lean for s in k.nopython_signatures}
    assert {"centre", "moved", "step", "tour"} <= set(kinds)
    assert not [name for name, parts in kinds.items() if any(isinstance(p, types.Array) for p in parts)]
