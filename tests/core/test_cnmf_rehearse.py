"""The rehearsal goes everywhere: no kernel is compiled when the first cells come."""

import subprocess
import sys

import pytest

CELLS = """
import gc
from numba.core.dispatcher import Dispatcher
from roi_core.cnmf.online import OnlineCNMF
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

def compiled():
    found = [d for d in gc.get_objects() if isinstance(d, Dispatcher) and "cnmf" in d.__module__]
    return {(d.__module__, d.__name__): len(d.signatures) for d in found}

OnlineCNMF.warm_up()
before = compiled()
settings = Settings().with_texts("camera.format=96x96@30", "cnmf.cell_radius=6")
finder = OnlineCNMF((96, 96), 30.0, settings)
camera = Simulated("dense", LiveSettings(settings), seed=0, length=400, paced=False)
for row, frame in enumerate(camera.frames()):
    finder.input[:] = frame.image
    activity = finder.step(row, settings if row < 300 else settings.with_value("cnmf.cell_radius", 8.0))
assert len(activity.ids) > 3, activity.ids
assert finder.field.radius == 8
new = {name: count for name, count in compiled().items() if count != before.get(name)}
assert not new, new
"""


STAGES = """
from roi_core import jit, rehearsal
from roi_core.analysis import Analysis
from roi_core.rois import RoiSet
from roi_core.settings import LiveSettings, Settings
from roi_core.sources.simulated import Simulated

def compiled():
    return {(k.__module__, k.__name__): len(k.signatures) for k in jit.KERNELS}

def film(*texts):
    settings = Settings().with_texts("camera.format=96x96@30", "motion.enabled=true", *texts)
    camera = Simulated("dense", LiveSettings(settings), seed=0, length=90, paced=False)
    analysis = Analysis(camera.shape, camera.rate)
    for row, frame in enumerate(camera.frames()):
        analysis.step(row, row / 30, frame.image, settings, RoiSet())
    assert analysis.states()["motion"] == "ready" and analysis.maps()
    analysis.close()

settings = LiveSettings(Settings().with_value("camera.format", "96x96@30"))
list(Simulated("dense", settings, seed=0, length=2, paced=False).frames())
rehearsal.prepare(), rehearsal.motion(), rehearsal.maps()
before = compiled()
film()
film("motion.patch=32", "prepare.dead_pixels=true", "prepare.line_noise=true", "prepare.flatten=on")
film("motion.patch=16", "prepare.bin=2", "prepare.crop=3,3,80,70", "cnmf.preset=1p", "cnmf.cell_radius=9")
film("motion.patch=200", "prepare.bin=3", "prepare.dead_pixels=true")
new = {name: count for name, count in compiled().items() if count != before.get(name)}
assert not new, new
"""


@pytest.mark.parametrize("check", [CELLS, STAGES], ids=["cells", "stages"])
def test_nothing_is_compiled_after_the_rehearsal(check):
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
