"""What every test stands on: no thread outlives a test, the same inputs every run, shared data by path."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import settings

import roi_core.sources.capture  # noqa: F401 - before any test imports OpenCV: it is told to be quiet once
from roi_core.compiler import Compiler

settings.register_profile("roi_stream", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("roi_stream")

REPO = Path(__file__).parents[1]
SHARED = Path(os.environ.get("ROI_STREAM_SHARED", REPO.parent / "shared"))
VIDEO = REPO / "matlab" / "test_circle_1280x720_60fps.mp4"


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = set(threading.enumerate())
    yield
    late = [thread for thread in threading.enumerate() if thread not in before]
    for thread in late:
        thread.join(timeout=5)
    left = [thread.name for thread in late if thread.is_alive()]
    assert not left, f"threads outlived the test: {left}"


@pytest.fixture(autouse=True)
def _compiled_here():
    """Kernels are compiled in the process of the tests; `core/test_compiler.py` looks at the other way."""
    # a patch of its own: the order in which other fixtures ask for theirs stays as it is
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Compiler, "fill", lambda compiler, part: None)
        yield


@pytest.fixture(autouse=True)
def _own_catalogue(tmp_path_factory):
    """No test, nor a program it starts, looks into the catalogue of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "ROI_STREAM_CATALOGUE", str(tmp_path_factory.getbasetemp() / "none" / "catalogue.sqlite")
        )
        yield


@pytest.fixture(scope="session")
def shared():
    """The folder of golden vectors and real recordings beside the project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not here")
    return SHARED


@pytest.fixture
def video():
    """15 s of a bouncing disc, 1280x720 at 60 fps."""
    return VIDEO
