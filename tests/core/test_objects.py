"""Suite2p's pickles are read as data: nothing in them runs, whatever they ask for."""

import ast
import builtins
import datetime
import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from roi_core import form
from roi_core.errors import RoiFileError
from roi_core.imports.objects import KNOWN, SAFE, array_of, read_objects

ROOT = Path(__file__).parents[2]
HEAD = "{'descr': '|O', 'fortran_order': False, 'shape': (), }"


def written(path, payload, head=HEAD):
    """Write a .npy file of objects whose pickle is `payload`."""
    text = head.encode().ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + payload)
    return path


def plain(value):
    """Return what was read with its stand-ins made real."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(plain, value))
    return array_of(value) if type(value).__name__ == "Array" else value


def same(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or a != a)


numbers = arrays(
    scalar_dtypes().filter(lambda kind: kind.kind in "biufc"), array_shapes(max_dims=3, max_side=4)
)
data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(value=st.dictionaries(st.text(max_size=8), data, max_size=5), protocol=st.sampled_from([2, 3, 4]))
def test_data_comes_back_as_it_was(tmp_path_factory, value, protocol):
    boxed = np.empty((), object)
    boxed[()] = value
    path = written(tmp_path_factory.mktemp("any") / "a.npy", pickle.dumps(boxed, protocol=protocol))
    assert same(plain(read_objects(path)), value)


def test_a_list_of_cells_as_suite2p_writes_it(tmp_path):
    cell = {"ypix": np.arange(3, dtype=np.int32), "lam": np.ones(3, np.float32), "overlap": np.zeros(3, bool)}
    cell |= {"med": [np.float64(1.5), 2], "npix": np.int64(3), "path": Path("a/b")}
    np.save(tmp_path / "stat.npy", np.array([cell, cell], object))
    one, _ = read_objects(tmp_path / "stat.npy")
    assert (one["med"], one["npix"], str(one["path"])) == ([1.5, 2], 3, "a/b")
    np.testing.assert_array_equal(array_of(one["ypix"]), [0, 1, 2])
    assert array_of(one["overlap"]).dtype == bool


class Calls:
    """What pickles as a call."""

    def __init__(self, function, *arguments, state=None):
        self.said = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.said


def ran(tmp_path, *, by=None):
    """Return payloads, each of which would leave a file `ran` behind, or change this process."""
    mark = tmp_path / "ran"
    order = f"open({str(mark)!r}, 'w').close()"

    return {
        "system": Calls(os.system, f"touch {mark}"),
        "eval": Calls(eval, order),
        "exec": Calls(exec, order),
        "getattr": Calls(getattr, Calls(__import__, "os"), "system"),
        "open": Calls(open, str(mark), "w"),
        "load": Calls(np.load, str(mark)),
        "memmap": Calls(np.memmap, str(mark), "u1", "w+", 0, (10,)),
        "import": Calls(__import__, "antigravity"),
        "in a dict": {"ypix": [Calls(os.system, f"touch {mark}")]},
        "hidden": Calls(map, eval, [order]),
    }


@pytest.mark.parametrize("kind", ["system", "eval", "exec", "getattr", "open", "load", "memmap", "import",
                                  "in a dict", "hidden"])  # fmt: skip
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_nothing_runs(tmp_path, kind, protocol):
    path = written(tmp_path / "stat.npy", pickle.dumps(ran(tmp_path)[kind], protocol=protocol))
    with pytest.raises(RoiFileError, match=r"which is not data|is not read"):
        read_objects(path)
    assert list(tmp_path.iterdir()) == [path]


def test_the_refusal_names_what_was_wanted(tmp_path):
    path = written(tmp_path / "stat.npy", pickle.dumps(Calls(builtins.eval, "1")))
    with pytest.raises(
        RoiFileError, match=r"stat\.npy: is not read: it names builtins\.eval, which is not data"
    ):
        read_objects(path)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"cnumpy\ndtype\n(dU\x04real}\x86b.", "fills what is not data"),
        (b"cnumpy.core.multiarray\nscalar\n(NU\x0c__defaults__)s\x86b.", "is not read"),
        (b"(lU\x01aR.", "calls what is not data"),
        (b"c__main__\nx\n.", "names __main__.x"),
        (b"cnumpy\nndarray.tofile\n.", "names numpy.ndarray.tofile"),
        (b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f.", "is not read"),  # BYTEARRAY8 of 2^63 bytes
        (b"\x80\x04r\xff\xff\xff\x7f.", "is not read"),  # a place in a memo of 2^31
        (b"Pid\n.", "is not read"),  # a persistent id
        (b"(icollections\nOrderedDict\n.", "is not read"),  # INST
        (b"]" * 100_000 + b"a" * 99_999 + b".", "is not read"),  # a list as deep as a well
        (b"I" + b"9" * 100_000 + b"\n.", "is not read"),
        (b"", "is not read"),
    ],
)
def test_what_builds_no_data_is_refused(tmp_path, payload, why):
    before = {name: dict(vars(thing)) for name, thing in _stand_ins().items()}
    path = written(tmp_path / "a.npy", payload)
    with pytest.raises(RoiFileError, match=why):
        read_objects(path)
    assert {name: dict(vars(thing)) for name, thing in _stand_ins().items()} == before


def _stand_ins():
    return {f"{module}.{name}": thing for (module, name), thing in KNOWN.items()}


def test_instructions_that_find_or_make_things_are_not_there():
    known = {code.name for code in pickletools.opcodes}
    assert set(SAFE.split()) <= known
    assert not set(SAFE.split()) & {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID",
                                    "BINPERSID", "BYTEARRAY8", "NEXT_BUFFER"}  # fmt: skip


def test_nobody_else_reads_pickles_or_runs_text():
    """No reading of pickles, `eval`, `exec` or unsafe YAML in the program, but for a pickled estimator."""
    allowed = {("estimator.py", "pickle.loads"), ("form.py", "yaml.load")}
    found = []
    for path in [*(ROOT / "roi_core").rglob("*.py"), *(ROOT / "roi_stream_gui").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or (path.name, ast.unparse(node.func)) in allowed:
                continue
            name = ast.unparse(node.func)
            trusting = [word for word in node.keywords if word.arg == "allow_pickle"]
            safe = all(ast.unparse(word.value) == "False" for word in trusting) or name == "np.save"
            if not safe or name in (
                "eval",
                "exec",
                "pickle.load",
                "pickle.loads",
                "yaml.load",
                "yaml.unsafe_load",
            ):
                found.append(f"{path.name}:{node.lineno} {name}")
    assert found == []
    assert issubclass(form._Loader, yaml.SafeLoader)


def test_options_as_suite2p_saves_them_are_read(tmp_path):
    """Suite2p's ops keep the date of processing; Python 3.13 names its paths otherwise."""
    day = datetime.datetime(2024, 5, 1, 12, 30, tzinfo=datetime.UTC)
    ops = {"Ly": 48, "Lx": 64, "date_proc": day, "day": day.date(), "took": datetime.timedelta(1)}
    ops |= {"planes": {1, 2}, "kept": frozenset(["a"]), "ordered": OrderedDict(a=1)}
    np.save(tmp_path / "ops.npy", ops)
    found = read_objects(tmp_path / "ops.npy")
    assert (found["Ly"], found["Lx"], found["planes"], found["kept"]) == (48, 64, [1, 2], ["a"])
    assert found["ordered"] == {"a": 1}
    path = written(tmp_path / "b.npy", boxed(b"cpathlib._local\nPosixPath\n(\x8c\x01/\x8c\x01atR"))
    assert str(read_objects(path)) == "//a"


def boxed(payload):
    """Return the pickle of a 0-D array of the one object that `payload` leaves on the stack."""
    dtype = b"cnumpy\ndtype\n(\x8c\x01OtR"
    return b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01)" + dtype + b"\x89]" + payload + b"atb."


NESTED = b"K\x01" + b"2\x86" * 45
"""A tuple of 2^45 numbers in 92 bytes."""


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"}" + NESTED + b"K\x01s", id="key"),
        pytest.param(b"}(" + NESTED + b"K\x01u", id="keys"),
        pytest.param(b"(" + NESTED + b"K\x01d", id="dict"),
        pytest.param(b"ccollections\nOrderedDict\n](" + NESTED + b"K\x01\x86e\x85R", id="pairs"),
        pytest.param(b"c_codecs\nencode\n" + NESTED + b"\x85R", id="encode"),
        pytest.param(b"cnumpy\ndtype\n" + NESTED + b"\x85R", id="dtype"),
        pytest.param(b"cpathlib\nPath\n" + NESTED + b"\x85R", id="path"),
        pytest.param(
            b"\x8c\x01aq\x00" + b"cpathlib\nPath\nq\x010" + b"h\x01h\x00h\x00\x86Rq\x00" * 45, id="paths"
        ),
    ],
)
def test_a_few_bytes_that_stand_for_more_than_any_memory_are_refused(tmp_path, payload):
    with pytest.raises(RoiFileError, match="is not read"):
        read_objects(written(tmp_path / "a.npy", boxed(payload)))


def test_an_array_of_an_endless_shape_or_a_nested_list_is_refused(tmp_path):
    huge = b"\x8b" + (100_000).to_bytes(4, "little") + b"\x7f" * 100_000 + b"q\x00"
    shape = b"(" + huge + b"h\x00" * 100_000 + b"t"
    dtype = b"cnumpy\ndtype\n(\x8c\x02u1tR"
    array = b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01" + shape + dtype + b"\x89C\x00tb"
    for payload in (array, NESTED):
        with pytest.raises(ValueError, match=r"has to be|none has"):
            array_of(read_objects(written(tmp_path / "a.npy", boxed(payload))))


def test_a_pipe_in_place_of_the_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "ops.npy")
    with pytest.raises(RoiFileError, match="is no file"):
        read_objects(tmp_path / "ops.npy")
