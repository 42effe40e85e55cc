"""Names and dtypes inside a recording. The writer, the reader and ``matlab/`` agree here and nowhere else.

All strings among the root attributes are of fixed length, and every attribute name is a valid MATLAB
identifier. MATLAB sees the arrays transposed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

FORMAT: Final = "roi_stream"
FORMAT_VERSION: Final = 1

TIME: Final = "/time"
"""(rows, 1) f8: s since the first frame of the recording, strictly increasing."""
FRAME_INDEX: Final = "/frame_index"
"""(rows,) i8: the camera's own count; a gap is a loss."""
CHANNEL: Final = "/channel"
"""(rows,) u1: which interleaved channel a row shows, numbered from 0 in the order of attribute ``names``
(texts); not there when there is one channel only. As recorded: the light was attribute ``ahead`` (u1; absent
is 0) channels further from the first row on, until an event of kind ``channels`` told another ``ahead``, and
rows from its ``since`` to it are in doubt."""
MEANS: Final = "/roi/means"
"""(rows, K) f4: NaN before a ROI was drawn and after it was deleted."""
DFF: Final = "/roi/dff"
"""(rows, K) f4: dF/F, when enabled; attribute ``baseline`` states the rule."""
CIRCLES: Final = "/roi/circles"
"""(K, 3) f8: xc, yc, r in px, 0-based; for another shape the circle of equal area at its centroid."""
SHAPES: Final = "/roi/shapes"
"""(K,) JSON: kind, name, colour, geometry and the versions with the frame from which each holds."""
EVENTS: Final = "/events"
"""Table of time (s), frame (the camera's count, -1 before the first), kind, data (JSON). What was said
of cells when the recording was finished stands at its last row, with the time of day as ``after_end``."""
OUR_EVENTS: Final = frozenset(
    "start stop trigger gap corrupt clock channels setting card imported alert quality quality_seen "
    "relearned warning error critical snapshot roi_added roi_changed roi_removed motion_jump motion_unsure "
    "cells_late birth merge split removed restored accepted rejected automatic frozen thawed "
    "cell_named".split()
)
"""Kinds of events that the program tells, beside what a person says (``note``, ``marker``): readers take
facts from their data, so the events of others have other names."""
SETTINGS: Final = "/settings"
"""YAML text: the settings at the start; later edits are events."""
SESSION: Final = "/session"
"""Group with one attribute per field of the session card, by the field's own name (see `roi_core.card`):
text, '' when not given, or f8, NaN when not given. Written at the start; an edit is an event and changes
it."""
ACCOUNTING: Final = "/accounting"
"""Group with one uint64 attribute per count of frames, of this recording, by the names and with the sums of
`roi_core.ledger.Account`; `UNKNOWN` where nobody can know. Up to date as of the last rows, also after a
kill. Earlier files have ``not_analysed_other_light``, too, always 0: with interleaved light cells are
refused."""
COUNTS: Final = {"captured": "frames_seen", "lost": "frames_dropped", "written": "rows"}
"""Counts of the accounting that are root attributes, too."""
MOVIE: Final = "/movie"
"""(rows, H, W) u2, one frame a chunk, when asked; attribute ``compression`` says what a reader needs."""

MOTION: Final = "/motion"
SHIFTS: Final = "/motion/shifts"
"""(rows, 2) f4: dy, dx in px by which the frame was moved to fit the template; NaN when it was not."""

CNMF: Final = "/cnmf"
"""Cells found while recording; there only once finding was on. One column per component that ever lived."""
IDS: Final = "/cnmf/ids"
"""(N,) i8: never used twice."""
BORN: Final = "/cnmf/born"
"""(N,) i8: row of /time at which a component was found, 0 if before the recording; a back-filled trace
begins earlier."""
STATUS: Final = "/cnmf/status"
"""(N,) u1: 1 accepted, 2 rejected, 3 merged, 4 removed."""
SNR: Final = "/cnmf/snr"
"""(N,) f4: peak of the transients over the noise of the trace."""
CORRELATION: Final = "/cnmf/r"
"""(N,) f4: correlation of the footprint with the picture of its transients."""
SIZE: Final = "/cnmf/size"
"""(N,) f4: px of the camera."""
OVERLAP: Final = "/cnmf/overlap"
"""(N,) f4: cosine of the footprint and that of the neighbour it shares most with; 0 of none."""
REASON: Final = "/cnmf/reason"
"""(N,) JSON text: why a component is not accepted, or `by hand`."""
RAW: Final = "/cnmf/raw"
"""(rows, N) f4: demixed trace above its baseline; like all traces NaN before birth and after death."""
CALCIUM: Final = "/cnmf/calcium"
"""(rows, N) f4: denoised trace, refined for attribute ``lag`` rows; the last `lag` rows may be causal."""
SPIKES: Final = "/cnmf/spikes"
"""(rows, N) f4: spikes, refined like the calcium."""
SPIKES_CAUSAL: Final = "/cnmf/spikes_causal"
"""(rows, N) f4: spikes as they were known at their own frame, from birth on; large ones grow as a root."""
FOOTPRINTS: Final = "/cnmf/footprints"
"""Group of data (f4), indices (i4), indptr (i8): CSC of attribute ``shape`` = (H * W, N), C-order pixels."""
REFINED: Final = "/cnmf/refined"
"""Group with the names of ``/cnmf``, from a second pass over the whole recording; no causal spikes."""
MAPS: Final = "/maps"
"""Group of (H, W) f4 summary pictures, NaN outside the part that was analysed; written at the end."""

ALWAYS: Final = (TIME, FRAME_INDEX, MEANS, CIRCLES, SHAPES, EVENTS, SETTINGS)
"""What every recording of ours has, also an unfinished one."""

EVENT_DTYPE: Final = np.dtype(
    [("time", "f8"), ("frame", "i8"), ("kind", "S16"), ("data", np.dtype("O", metadata={"vlen": str}))]
)

TEXT_BYTES: Final = {
    "format": 16,
    "created_with": 64,
    "source": 256,
    "start_iso8601": 32,
    "end_iso8601": 32,
    "start_is": 16,
    "finish_reason": 256,
    "coord_origin": 64,
    "loss_basis": 16,
    "first_part": 256,
}
"""Length of each text attribute; longer text is cut. ``part`` (i4) counts the files of one recording
from 1, and ``first_part`` is the name of the first of them, '' in the first itself."""

LIVE, OF_SOURCE, OF_PROCESSING = "live", "of the source", "of processing"
"""What attribute ``start_is`` calls ``start_iso8601`` and ``end_iso8601``: when a camera gave the frames;
when they were taken, as the file says that they were read from; or, of a file without a date, only when that
was read. Earlier files do not tell."""

COORD_ORIGIN: Final = "0-based, pixel centre, top left"
UNKNOWN: Final = np.uint64(2**64 - 1)
"""Stored for a count, such as ``frames_dropped``, that cannot be known; never 0 for want of knowing."""
