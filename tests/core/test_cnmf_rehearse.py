"""The rehearsal goes everywhere: no kernel is compiled when the first cells come."""

import subprocess
import sys

CHECK = """
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
    activity = finder.step(row, settings)
assert len(activity.ids) > 3, activity.ids
new = {name: count for name, count in compiled().items() if count != before.get(name)}
assert not new, new
"""


def test_nothing_is_compiled_after_the_rehearsal():
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
