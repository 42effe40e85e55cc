"""The command line with cells from `tests.fakes`, footprints written all the time: for tests that kill it."""

import sys

from roi_core.cli import main
from roi_core.compiler import Compiler
from roi_core.sinks import components
from roi_core.stages import STAGES

if __name__ == "__main__":
    STAGES.update(prepare="tests.fakes:FakePrepare", motion="tests.fakes:FakeMotion")
    STAGES["cnmf"] = "tests.fakes:ManyCells"
    Compiler.fill = lambda compiler, part: None
    components.PERIOD = 0.0
    sys.exit(main())
