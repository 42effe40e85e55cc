"""Read a recording back: ours from Python, whole or cut short by a crash."""

from roi_core.recording.alerts import alerts_of
from roi_core.recording.audit import audit
from roi_core.recording.cells import RecordedCells
from roi_core.recording.reader import Recording

__all__ = ["RecordedCells", "Recording", "alerts_of", "audit"]
