"""Every word of the window in one place: labels, tooltips, and how numbers are said."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from roi_core.session import Snapshot
    from roi_core.settings import Display

TITLE = "ROI Stream"
FIRST_SOURCE = "simulated"
SIMULATED = (
    ("simulated: two-photon", "simulated:2p"),
    ("simulated: one-photon", "simulated:1p"),
    ("simulated: miniscope", "simulated:miniscope"),
    ("simulated: photometry", "simulated:photometry"),
)

NO_DISPLAY = "roi_stream_gui: there is no display (DISPLAY is not set); use roi_stream run"
DEAD_DISPLAY = "roi_stream_gui: no X server answers at DISPLAY={}; start one, or use roi_stream run"
WINDOW_CLOSED = "window closed"
DISPLAY_GONE = "the display is gone"
DISPLAY_LOST = "roi_stream_gui: the display is gone; the recording is being finished"
CONNECT_FIRST = "connect a camera or open a file first, then record"
STOP_FIRST = "stop the recording first (hold Stop)"
STILL_OPENING = "a source is being opened; record when its picture is there"
TOO_LARGE = (
    "{wanted:.0%} is too large for this window: drawn smaller so that every button has its place; "
    "a larger window takes more"
)
RESIZED = "the picture was {} x {} and is {} x {}: regions stay on their pixels, {} of {} lie outside it now"
CARRIED = (
    "the picture was {} x {} and is {} x {}, another part of the sensor: regions stay on the same cells, "
    "{} of {} lie outside it now"
)
CONNECT_TO_SAVE = "connect a camera or open a file first: regions are saved with the size of its frames"
BESIDE = "{}: wholly beside the picture now, so nothing of it is measured; Ctrl+Z brings it back"
NOT_SPLIT = "the picture is not split: set channels.split to left-right or top-bottom first"
ALL_PAIRED = "every region has its twin in the other half, or there is no room for one"
NO_MOVIE = (
    "{} holds no movie and the file it was made from is not beside it: its regions, cells, traces and "
    "pictures are shown, but it cannot be replayed (recorder.movie keeps the frames)"
)
NO_ROWS = (
    "{} ended before its first frame: its regions and notes are shown, but there is nothing to replay; to "
    "measure what it was made from, open that"
)
ORIGINAL = "{} holds no movie; its frames are those of the file it was made from: {}"
NO_RESULTS = "of {} only the movie can be shown: {}"
OTHER_FRAMES = "{} counts its frames otherwise than the recording does; Replay plays it"
OPENED = {"": "connected to %s", "results": "results of %s", "replay": "replay of %s"}
"""What is told of a source that is shown, by the side of a recording that it is."""
TURN = {"": "", "results": "Replay the recording", "replay": "Back to its results"}
"""What the menu calls the other side of a recording."""
SIDES = {"results": "RESULTS", "replay": "REPLAY"}
"""What stands before the buttons of a recording, by the side of it that is shown."""
AS_RECORDED = "as it was recorded; drag for frames"
RESULTS_CHIP = "results"
RESULTS_SHOWN = (
    "What was found when this was recorded: regions, cells, traces, notes and edits, read from the file. "
    "Nothing is analysed now. Replay, below the picture, analyses its frames anew if they are at hand."
)
PUT_ASIDE = "{} of yours put aside while a recording is shown; back with the next source"
GIVE_WAY = "other regions"
GIVEN_WAY = "{} as you left them on the recording gave way to other ones; Ctrl+Z brings them back"
NO_RESULT = "{} holds no cells, so there is nothing to compare (cnmf.enabled)"
CHOOSE_TWO = "choose two results to compare: A and B"
NOTHING_COMPARED = "Choose two results: a recording, its refinement, this run, or the run before it."
COMPARED = "F1 {f1}   same: {same} of {a} in A, {b} in B   median IoU {overlap}, r {r}"
EXPORTING = "exporting {} to {} ..."
EXPORT_WAITS = "exporting {} to {}: waits for the export before it"
EXPORT_PART = "exporting {} to {}: {} % (File/Stop the export)"
EXPORT_STOPPED = "the export of {} to {} was stopped; nothing of it was kept"
EXPORTED = "exported to {}"
EXPORT_WHAT = "there is no recording yet to export: record, open one, or use File/Export a file"
EXPORT_MENU = "File/Export"
EXPORT_TITLE = "Export with options"
EXPORT_NO_FILE = "the path of a recording (.h5)"
REPLAYED = "replay of {}, analysed from its frame {} on"
WHERE = "frame {row} / {last}   {seconds:.2f} s"
ANALYSED = "  (analysis: {})"
HELD = "The file is held still; Play, or Ctrl+Space, lets it run on."
NOT_SHOWN = "frame {} cannot be shown: {}"
NOTE_LOST = "nothing is being recorded, so the note was not kept"
MARK_LOST = "nothing is being recorded, so there is nothing to mark"
NO_NAME = '%r is no name for a file: leave out / \\ : * ? " < > | and a dot in front'
LONG_NAME = "a name has at most %d letters; this one, %s, has %d"
NO_LENGTH = "%r is no length: write 30:00, 90 s, 45 min or 2 h, or nothing for no end"
TOO_SHORT = "the recording is %s long already; give a longer time, or hold Stop"
NO_PRESET = '%r is no name for a preset: leave out / \\ : * ? " < > |'
DFF_FLAT = "no dF/F of cells: prepare.flatten took their rest away"
DFF_WAITS = "no dF/F of cells yet: there is no mean picture"
DFF_ON = "dF/F is now computed (roi.dff); recordings hold it too"
HOLD_LONGER = "hold Stop for one second to end the recording"
PANEL_OFF = "The panel {title!r} stopped: {error}"

FIXED = "left as they are, for they cannot change while running: {}; disconnect, then choose this set again"
UNDONE = "undone: {}"
REDONE = "done again: {}"
CALLED_OFF = "called off: {}"
APPLIED_STEP = "Apply"
APPLY_BACK = "as before Apply, and pending: {}; Apply (Ctrl+Enter) puts it into force"
APPLY_UNDONE = "undone: Apply; as before {}"
APPLYING = "applied from the next frame on"
APPLIED_IDLE = "applied; nothing runs"
APPLIED = "in force from frame {} on: {}"
IN_FORCE = "in force since frame {}"
UNFORESEEN = "nobody can foresee what {} will do: it acts on frames to come"
NO_PREVIEW = "no preview: {}"
NO_PREVIEW_SHORT = "no preview; see below"
CONNECT_TO_PREVIEW = "connect a source to preview"
NO_EDITS = "no pending edits"
PENDING = "{} pending"
PENDING_RECORDED = "recorded without the pending edits of {}; Apply (Ctrl+Enter) puts them into force"
FORESEEING = "asking the cells ..."
NO_TEXT = "%s is left out: its name is not valid Unicode; rename it"
PRESET_BROKEN = "preset {!r} cannot be used: {}"
PRESET_NAME = "a preset cannot be called {!r}: use letters, digits, spaces, - and _"
PRESET_BUILT_IN = "preset {!r} is built in and stays as it is; choose another name"
LATER = "{}, not now"
MADE_THEN = "Changed then: {}"
PRESET_SAME = "All of this is in force already."
PRESET_CHOOSE = "Choose one to see what it would change."

STALLED = (
    "No frame comes. Is the cable in, the light on, another program using the camera? It is tried again."
)
KEPT = "The last {seconds:.1f} s wait in {memory} of memory: Record begins with them (recorder.pretrigger)."
CATCHING_UP = (
    "{frames} frames from before Record, or before the file was open, are being written; none is lost."
)
QUEUE = (
    "{queued} of {queue} frames wait for the disk. At 100 % the camera has to wait, and may lose frames: "
    "record to a faster disk, or without the movie (recorder.movie)."
)
COST = (
    "A frame takes {median:.1f} ms, the slowest in a hundred {p99:.1f} ms, of the {room:.0f} ms there are. "
    "If it is too much: a smaller picture, a larger prepare.bin, or fewer stages."
)
COST_OF = {
    "gray": "gray picture", "prepare": "crop, bin, flatten", "motion": "motion correction",
    "maps": "summary maps", "cnmf": "cells: demixing, spikes", "regions": "regions and dF/F",
    "write": "writing (on its own thread)",
}  # fmt: skip
"""What each stage that is timed does."""
LAG = (
    "The search for new cells has {frames} frames ({seconds:.1f} s) to look at yet. It runs beside the "
    "camera; when it is too far behind it leaves frames out. Frames, regions and the traces of known cells "
    "are never skipped. If it stays red: a larger cnmf.detect_period or prepare.bin."
)
FOLDER_BAD = "nothing can be recorded in {} ({}): choose another recorder.folder"
DISK_FULL = "There is no room to record. Free some, or choose another recorder.folder."
LONG = 100 * 3600.0
"""Seconds that are as good as no end."""
LASTS = "There is room for {}."
GROWTH = "A minute of recording takes {minute}{movie}."
MOVIE = {True: ", with the movie", False: ", without the movie"}
MOVIE_CHIP = {True: "movie", False: "movie off"}
MOVIE_KEPT = {
    True: "Record keeps the pictures too (recorder.movie).",
    False: "Record keeps traces, cells, edits and events, but not the pictures: switch recorder.movie on, "
    "under Parameters, to keep them too.",
}
"""What a recording holds, by whether the movie is recorded."""
ONLY_TIMES = (
    "only times are recorded: draw a region, switch cells on (cnmf.enabled), or record again with the movie "
    "(recorder.movie)"
)
ONLY_TIMES_YET = (
    "A recording would hold only times now: draw a region, switch cells on (cnmf.enabled) or the movie "
    "(recorder.movie)."
)
NEXT_TAKE = "The next recording is {path}"
RECOVERED = "The last session ended unexpectedly: {rows} rows are safe in {path}"
RECOVERED_NOT = "A recording that was not finished cannot be opened now: {why}"
FINISHED = "finished: %s rows are in %s"
FINISHING = "another recording is being finished; wait until it is"
FINISHED_NOT = "the recording could not be finished: %s"
KINDS = {10: "{0}", 20: "all {0}", 30: "warnings {0}", 40: "errors {0}"}
"""What is written on the buttons that choose messages, by logging level."""
CARD_BAD = "the session card of last time cannot be read ({}); it begins empty, and the old one is in {}"
WINDOW_BAD = (
    "what the window remembered of last time cannot be read ({}); it looks as on a first start, and the old "
    "file is {}"
)
RECENT_BAD = "the list of recent sources cannot be read ({}); it begins empty, and the old one is in {}"
OTHER_KIND = "something else is in it"
CARD_FIELD = "left out of the session card of last time: {}"
CARD_LENT = (
    "the session card is that of the file that is shown, and what is filled in there goes into its export; "
    "yours comes back with the next camera"
)
CARD_BLOCKS = {"subject": "Subject", "imaging": "Imaging", "session": "Session"}
CARD_NAMES = {
    "subject_id": "id", "excitation_nm": "excitation", "emission_nm": "emission", "um_per_px": "pixel",
}  # fmt: skip
"""How fields of the card are called on the form, where not by their own names."""
NWB_FILL = "Fill them in under Session and export again"
NWB_OPEN = "Open the recording, fill them in under Session and export again"
NWB_READY = "complete for NWB"
NWB_MISSES = "{count} fields that NWB needs are empty"
NWB_TIP = "An NWB file, and archives that take it, also need: {names}. Recording works without."
NWB_ALL = "Everything that an NWB file and archives that take it need is there."
NO_PICTURE = "no picture yet"
VIEWS = {
    "raw": "Raw", "dff": "dF/F", "mean": "Mean", "max": "Maximum", "std": "Std dev",
    "correlation": "Correlation", "residual": "Residual", "template": "Template",
}  # fmt: skip
"""What can be looked at, in the order of the keys 1 to 8."""
VIEW_STAGE = {"template": "motion", "residual": "cnmf"}
"""Which stage makes a view; the others the window makes itself when no stage does."""
STAGES = {"motion": "motion correction", "cnmf": "cell finding"}
VIEW_SOON = "The first picture is being made."
VIEW_WAITS = {
    "off": "{view}: there is none, because {stage} is off.\nSwitch on {setting}.enabled under Parameters.",
    "making": "{view}: {stage} is being made ready ...",
    "ready": "{view}: {stage} gathers its first frames ...",
    "given up": "{view}: {stage} failed and is off for this session;\nthe messages tell why.",
}
"""Why there is no picture of a view, by the state of its stage."""
CROP_DRAW = "drag a rectangle: only that part is analysed; the movie and your regions keep the whole picture"
CROP_SMALL = "that rectangle is smaller than {} x {} px of the picture; nothing was changed"
CROP_SET = "analysis looks at {} x {} px from x {}, y {} on"
CROP_GONE = "analysis looks at the whole picture"
CROP_WAITS = "from the next connection on (Ctrl+R connects again): "
CROP_LABELS = {
    True: ("analysed from the next connection on", "from Ctrl+R on", "waits"),
    False: ("analysed",),
}
"""What stands in the frame of a crop, by whether it waits; the first that has room in it."""
CAMERA_CROP_DRAW = "drag a rectangle: the camera sends only that part; smaller is often faster"
CAMERA_CROP_NOT = (
    "this source always sends its whole picture; cameras behind a maker's driver (pylon, genicam, "
    "micromanager) and the simulated one can send a part of it. To analyse only a part, use Crop (H)"
)
CAMERA_CROP_SET = "the camera sends {} x {} px from x {}, y {} of its sensor on"
CAMERA_CROP_DROPPED = (
    "the part of the sensor drawn for {} was not asked for, as another source is open now: draw it again "
    "when that camera is back"
)
CAMERA_CROP_GONE = "the camera sends its whole sensor"
CAMERA_CROP_LABELS = {
    True: ("sent by the camera from the next connection on", "sent from Ctrl+R on", "waits"),
    False: ("sent",),
}
"""What stands in the frame of the camera's crop, as above."""
NO_SNAPSHOT = "there is no picture to keep yet"
SNAPSHOT_KEPT = "picture kept: {} (also as _regions.png and .tif)"
SELECT_FIRST = "select a region first: the limits are taken from the pixels in it"
FIRST_START = "one to several minutes, once"
"""How long the first start compiles; README and `roi_stream demo` tell it in these words, too."""
OPENING = f"opening ... (the first start compiles: {FIRST_START})"
COMPILING = (
    f"compiling motion correction and cell finding, as the first start does: {FIRST_START}; "
    "the picture, your regions and the recording go on meanwhile"
)
COMPILING_CHIP = "compiling {}/{}"
STAGES_COMPILING = f"Now at {{}} of {{}}, {COMPILING}."
STAGES_MAKING = (
    "Motion correction and cell finding are being made ready; traces of drawn regions flow already."
)
COMPILED = "motion correction and cell finding are ready"
DOUBTS = {
    "jump": "the picture jumped by more than motion.max_shift; cells learn nothing from such frames. "
    "Is the preparation still, or the limit too small?",
    "unsure": "motion correction is not sure of the last frames; they teach it nothing. "
    "Has the focus or the light changed?",
}
"""What a flag of motion correction means."""
NO_ALERTS = "no alerts: every figure is within its limits"
RULES_HINT = "rules: roi:cell 3 sigma 6; ..."
STRANGERS = "no region is called {names}: its rule waits for one"
CELLS_OFF = "Cells are not looked for. Set cnmf.enabled and cnmf.cell_radius under Parameters, then Apply."
CELLS_NOT_KEPT = (
    "There are no cells in this recording. Replay, below the picture, looks for them in its frames, if they "
    "are at hand: set cnmf.enabled and cnmf.cell_radius under Parameters first."
)
CELLS_STARTING = "Cell finding gathers its first frames; traces of drawn regions flow already."
CELLS_NONE = (
    "No frames come any more, and no cells were found. Is cnmf.cell_radius that of your cells, and does the "
    "file last some seconds? Play it again, or connect again (Ctrl+R)."
)
CELLS_GONE = "No cell is left: all that were found were deleted or demoted."
CELLS_GONE_BACK = f"{CELLS_GONE} Ctrl+Z brings back those of them that went since the end, the last first."
CELLS_FAILED = (
    "Cell finding failed and is off for this session; the messages tell why. Connect again to retry."
)
MOTION_OFF = "Frames are not moved to fit each other. Set motion.enabled under Parameters, then Apply."
MOTION_FAILED = "Motion correction failed and is off for this session; the messages tell why."
CELL = (
    "cell {id}, {status}{reason}\n"
    "SNR {snr:.1f}   correlation {r:.2f}   size {size:.0f} px   overlap {overlap:.2f}\n"
    "found {age:.0f} s ago"
)
NO_CELLS = "draw a region to see its trace"
NO_FIBRES = "no fibres of that radius were found; try another radius, or more light"
HIDDEN = "the outline is hidden and the region is measured all the same; its tick under Regions shows it"
CELLS_TRACED = "the {shown} best of {all} cells"
CELLS_CHOSEN = "{shown} chosen of {all} cells"

CHOOSE_CELL = "choose a cell first: click one on the picture or in the list of cells"
CHOOSE_CELLS = "choose two cells or more first: Ctrl-click adds one"
SELECT_REGION = "select a region first, then promote it: it becomes a cell"
PAIRS = "Agreement with drawn regions"
PAIRS_ALONE = "Agreement (close it to list the cells)"
AGREEMENT = "{found} found, {missed} missed, {extra} extra"
NOTHING_DRAWN = "draw regions to compare"
NO_CELL_FINDING = "cells are not looked for at the moment; set cnmf.enabled under Parameters"
CELLS_ENDED = (
    "No frames come any more: cells can be accepted, rejected, deleted, named and demoted; all else "
    "takes frames. Replay the recording (F2), play the file again, or connect again (Ctrl+R)."
)
CELLS_CLOSING = "No frames come any more; cells can be judged as soon as the recording is finished."
JUDGED_INTO = "no frames come any more: verdicts on cells and their names are written into {}"
JUDGED_NOWHERE = (
    "no frames come any more and nothing was recorded: verdicts on cells last until another source is opened"
)
OWN = "own scale"
RASTER = "{regions} regions, {cells} cells; each by its own range"
RASTER_JOINED = "; a row shows the brightest of several"
LOOK = "{}   drag or click to look back; End: live"
WHOLE = "{what}, {long}"

QUIT_TITLE = "A recording is running"
QUIT_TEXT = "Closing the window once more ends the recording. The file will be complete."
QUIT_STOP = "Stop recording and quit"
QUIT_KEEP = "Keep recording"

FILES = {
    "open": ("Open a file, a Miniscope folder or a URL", "Open", ""),
    "compare": ("Compare the cells of a recording (.h5)", "Add", ""),
    "export": ("Export a recording (.h5)", "Export", ""),
    "save_rois": ("Save the regions (.json .csv .zip)", "Save", "regions.json"),
    "load_rois": (
        "Load regions (.json .csv .roi .zip, or a result of Suite2p, CaImAn, NWB ...)",
        "Load",
        "regions.json",
    ),
    "save_imagej": ("Save the regions for ImageJ (.zip)", "Save", "regions.zip"),
    "load_imagej": ("Load regions of ImageJ (.roi .zip)", "Load", "regions.zip"),
    "save_settings": ("Save all parameters", "Save", "settings.yaml"),
}
"""What a file is asked for: the title, the verb on the button, the name proposed."""
REPLACES = "{} is there already: replace it, or give another name"
REPLACE = "Replace"

ABOUT = (
    "See neurons while you record them: live picture, traces of drawn regions and of cells found on the way, "
    "and one safe HDF5 file."
)
TOUR = (
    (
        "source",
        "Choose what to look at: a camera, a file or a simulated microscope. What is chosen from the list is "
        "shown at once, what is typed with Enter.",
    ),
    ("tool.circle", "Take a tool and draw round a cell: its trace begins below in the same second."),
    (
        "record",
        "Record (R) writes every trace, cell and edit into one file; switch recorder.movie on, under "
        "Parameters, to keep the pictures too. Hold it for a second to stop.",
    ),
)
"""The first-run tour: which widget, and the sentence about it."""

TOOLS = {
    "select": ("Select", "V", "Click a region to select it, drag to move, drag a handle to reshape. "
               "Shift-click adds one, Shift-drag scales. Drag beside them for a box, with Ctrl for a lasso. "
               "Double-click the line of a polygon or freehand region (or Alt-click) for a new corner; "
               "double right-click a corner (or Alt-click) to delete it."),
    "circle": ("Circle", "C", "Drag from the centre outwards, or click to put one of the last size."),
    "ellipse": ("Ellipse", "E", "Drag from corner to corner; turn it by its handle afterwards."),
    "rectangle": ("Rectangle", "Q", "Drag from corner to corner."),
    "polygon": ("Polygon", "P", "Click the corners; double-click or Enter ends, Esc cancels."),
    "freehand": ("Freehand", "F", "Draw round the cell with the button held. Its line is mended like "
                 "that of a polygon: zoom in until each of its corners has a handle."),
    "wand": ("Wand", "W", "Click a cell: its outline is found. Hold and turn the wheel, or drag outwards, "
             "for more. It looks at the correlation map when cells are looked for, else at the mean."),
}  # fmt: skip

LIBRARY_HINT = "subject, region, indicator, a word of the notes ..."
LIBRARY_CHOOSE = "choose a recording of the list first"
LIBRARY_WHOLE = "%s needs no finishing: it is %s"
LIBRARY_MISSING = "%s is not there now; is its drive connected?"
LIBRARY_SCANNED = "{} in {}"
LIBRARY_BUSY = "looking ..."
LIBRARY_FOUND = "{}, newest first"
LIBRARY_ALERTS = "{} alerts"

ACCOUNT_OF = {"session": "Of this session", "recording": "Of the recording {name}"}
"""Above what became of the frames."""

TIPS = {
    "library.text": "Each word is looked for: in path, subject, indicator, region, experimenter, notes ...",
    "library.open": "Open the chosen recording here: its traces and cells, and its movie, if it has one",
    "library.finish": "Finish this recording, which a crash cut short, as a clean stop at its last safe row "
    "would have",
    "library.scan": "Read every recording in the folder of recordings anew",
    "source": "What to show: a camera number, a file, a Miniscope folder, a URL or simulated[:preset]. "
    "Enter connects.",
    "choices": "Cameras that were found, simulated cameras, and files",
    "connect": "Start or stop showing the source",
    "record": "Start a recording (R); beside the name stands whether it keeps the pictures",
    "stop": "Hold for one second to stop the recording (Shift+R held). A short click does nothing.",
    "note": "A note is written into the recording with its frame number. N jumps here, Enter keeps it.",
    "fps": "Frames per second that arrive, of those the camera was asked for",
    "lost": "Frames the camera took that never reached us; counted from its own numbers or gaps in time",
    "cost": "Median time to measure one frame, and its 99th percentile",
    "queue": "How much of the ring of frames waits for the disk while recording",
    "lag": "How far the search for new cells is behind the camera; there is none while cells are off. "
    "Frames, regions and the traces of known cells are never late or skipped for it.",
    "messages": "Warnings and errors since the start. Click to see only the worst kind, again for all.",
    "messages.info": "Show everything that was said",
    "messages.warning": "Show warnings and errors only",
    "messages.error": "Show errors only",
    "disk": "Free space where recordings go, how long it lasts with the present settings, and whether the "
    "pictures are kept",
    "length": "A recording ends by itself after this time: 30:00, 90 s, 45 min or 2 h; empty means no end. "
    "It does so also while the window is minimised, and may be changed while recording.",
    "take": "Name of the next recording; empty takes date and time. A name that is taken gets _2, _3 ...; "
    "nothing is ever overwritten.",
    "mark": "Put a numbered marker into the recording at this frame (M)",
    "recovery.open": "Show the recording: its traces, cells and regions; Replay plays its movie, if any",
    "recovery.finish": "Complete the file as a clean stop would have; with a movie that may take minutes",
    "recovery.dismiss": "Say no more about it; the file stays where it is",
    "card.presets": "Fill in what a preset holds; what it leaves empty stays as it is",
    "card.name": "Name under which Save keeps what is filled in",
    "card.save": "Keep what is filled in as a preset; the same name again replaces it",
    "card.clear": "Empty the card",
    "saturated": "Pixels at the camera's limit: they hold no more information. Lower exposure or gain.",
    "cells": "Components accepted as cells, and those not (yet) taken for one. Red outlines on the picture "
    "tell why not when the mouse rests on them; the limits are under Parameters, cnmf.",
    "motion": "How far the last frame was moved to fit the template. Outlines follow it on the picture.",
    "window": "How often the window draws. Never changes what is measured or recorded.",
    "auto": "Follow the picture's own range (A). Display only.",
    "limits": "Value shown black or white. Drag, or double-click to type. Display only: data never change.",
    "red": "Mark pixels at the camera's limit red (S). Display only.",
    "dark": "Mark pixels at zero blue: there the offset of the camera is too low. Display only.",
    "gamma": "Brightness = ((value - black) / (white - black)) ^ gamma; below 1 lifts what is dark. "
    "Double-click to type. Display only.",
    "display only": "Nothing here changes what is measured or recorded.\n\nThe histogram tells how many "
    "pixels of the frame have which value (logarithmic). Drag its two lines, or what lies between them; "
    "double-click it for automatic limits.",
    "channel": "Which of the interleaved channels the picture and the traces show from now on. All are "
    "measured and recorded.",
    "view": "What is shown (1 to 8). dF/F: the last 0.2 s over a slow low baseline of each pixel. Mean, "
    "maximum, std dev, correlation: of the session so far. Residual: what the cells do not explain. "
    "Template: what frames are moved to fit. Display only.",
    "colours": "Colours of the picture. Display only.",
    "crop": "Draw the part of the picture that motion correction and cell finding look at (H). "
    "View, Remove crop takes it away. What the camera itself sends is cropped with Shift+H.",
    "snapshot": "Keep this picture (Space): as shown, with its outlines, and its numbers as TIFF for ImageJ, "
    "in the folder of recordings",
    "fit": "Show the whole picture (0, or double-click with the select tool)",
    "outlines": "Which cells are outlined: green accepted, blue new, red rejected (K and J). Hover one to "
    "see why; click it to see its trace. Display only.",
    "trace.mode": "Traces below each other, over each other, or all regions and cells as a raster: a "
    "row each, as bright as it is high within its own range (Shift+T)",
    "trace.kind": "Regions: raw mean of the pixels, or its relative change dF/F (T)",
    "trace.cell_kind": "Cells: calcium (denoised), raw (what the model gives the cell, above its baseline), "
    "dF/F (raw over what its footprint holds of the mean picture) or spikes. Only dF/F has a unit.",
    "trace.order": "Rows of the raster by id, the best SNR on top, or by when each is highest",
    "seconds": "Seconds of trace on screen  ( , and . )",
    "page": "Other regions and cells, when there are more than fit (Shift+PgDn, Shift+PgUp); so do the wheel "
    "and the bar beside them",
    "which": "Click a cell on the picture to see its trace, Ctrl-click adds one, a click beside them shows "
    "the best",
    "marks": "What is marked beside the traces: notes, edits, losses, regions, cells",
    "scale": "Fit each trace to its own height; otherwise all share one scale ( [ and ] )",
    "pending": "Edits of what is measured wait here until Apply. An edit ends with Enter or when its field "
    "is left; those of camera, recorder and display act at once.",
    "preview": "Outline, dashed (Ctrl+P), what the pending edits would do to the cells of this moment: "
    "green stay, red are lost, blue are new. Nothing is changed.",
    "apply": "Put all pending edits into force at one frame (Ctrl+Enter). Frame number, old and new values "
    "go into the recording.",
    "discard": "Forget all pending edits",
    "presets": "Sets of parameters under a name: compare, load, save, delete",
    "earlier": "Every set of parameters of this sitting: compare, and bring one back",
    "save_settings": "Write all parameters into a YAML file, for roi_stream --settings",
    "changed": "Show only what is not at its default, or pending",
    "preset.load": "Its values become pending; Apply puts them into force",
    "preset.delete": "Delete the file of this preset; click twice",
    "preset.save": "Write the parameters, the pending ones too, under this name",
    "restore": "The set becomes pending; Apply puts it into force",
    "pause": "Hold the traces still to look back, or go on live (X, End); measuring and recording never stop",
    "play": "Play the file on, or hold it (Ctrl+Space). No frame is left out at any speed.",
    "review.fold": "What is compared: there is no room for it beside the traces unless it is wanted",
    "side": "A result: a recording, its refinement, what runs now, or the run that was replaced last",
    "review.open": "Offer the cells of another recording",
    "compare": "Match the cells of A and B one to one, and compare their traces",
    "least": "Least overlap (intersection over union of the footprints) of two cells that are the same",
    "review.show": "Draw the cells of A and B on the picture. Display only.",
    "again": "Analyse the file from its beginning with the present parameters (F2 in the results). "
    "The same file and parameters give the same result.",
    "strip.side": "RESULTS: what was found while this was recorded, read from the file. REPLAY: its frames, "
    "analysed anew with the present parameters; the file stays as it is.",
    "results": "Show again what is in the recording: its own cells, traces, notes and edits (F2)",
    "step.back": "Look at the frame before (Left, when nothing is selected)",
    "step.on": "Analyse one frame more, or look at the next (Right, when nothing is selected)",
    "speed": "Seconds of the file per second; Max is as fast as the frames can be analysed",
    "position": "Drag to look at any frame of the file. The analysis is held where it stands, for it has to "
    "see the frames in their order. In results the traces go along; the line is the moment of the frame.",
    "from_here": "Begin the analysis anew with the frame on screen",
    "back": "Show again the frame that was analysed last, or the picture of the results",
    "filter": "Show only the settings whose name or text holds all these words",
    "quality.span": "How far back the charts look",
    "quality.seen": "Acknowledge the alerts: they stay listed, amber while they last, and the tab is calm",
    "quality.learn": "Take light, focus and regions as they are now for the good ones, after refocusing, say",
    "quality.group": "Which figures are charted; alerts are about all of them",
    "quality.rules": "Rules of your own, with ; between them: what, kind, limits, and hold, cooldown in s.\n"
    "  roi:cell 3 sigma 6 cooldown 30\n  roi absolute <60000\n  brightness relative 20\n  disk absolute >10\n"
    "What: a figure (the mouse on a chart's title explains it), roi for each region, roi:NAME for one.\n"
    "absolute: in its own unit; relative: % of what it was at the start; rate: change per minute; "
    "sigma: deviations about its slow mean.\n"
    "Limits are what must hold: >A (at least A), <B (at most B), A..B, or a number for plus and minus.",
    "quality.sound": "Beep when an alert begins. Limits are under Parameters, quality.",
    "about.copy": "Copy all of this, for a report or a methods section",
    "undo": "Ctrl+Z",
    "duplicate": "Put a copy of the selected regions beside them (Ctrl+D)",
    "delete": "Delete the selected regions (Del)",
    "redo": "Ctrl+Shift+Z or Ctrl+Y",
    "cell.list": "All living components. Click a line to choose a cell here, on the picture and in the "
    "traces; Ctrl adds one, Shift all between. Click a heading to sort. r: correlation of the shape with "
    "the image of the transients; /s: events a second in the last minute; born: session clock; *: by hand.",
    "pairs.list": "Each drawn region and the component that overlaps it most: pixels of both over pixels of "
    "either, correlation of the raw traces of the last two minutes, distance of the middles. Missed: a "
    "region that no component overlaps by 20 %. Extra: a cell that overlaps no region. A click shows both.",
    "pairs.seed": "Promote every region that was missed to a cell; its shape follows the data from there",
    "cell.filter": "Show only cells whose id, name, status or reason holds this",
    "cell.shown": "Which cells are listed. The picture has its own choice above it (K and J).",
    "cell.name": "Name of the chosen cell; Enter keeps it, empty takes it away. Written into the recording.",
    "cell.accept": "Take the chosen components for cells, whatever the limits say (G)",
    "cell.reject": "Take the chosen components for no cells; they stay listed and may be accepted later (B)",
    "cell.automatic": "Leave the judgement to the limits again (Shift+G)",
    "cell.merge": "Merge the chosen cells into one, under the id of the oldest (U)",
    "cell.split": "Split the chosen cell in two along its length (D)",
    "cell.remove": "Delete the chosen components; nothing is found at their places later, unless Ctrl+Z puts "
    "them back (Del)",
    "cell.hold": "Freeze the shape of the chosen cells; Thaw lets it follow the data again (Shift+F)",
    "cell.demote": "Demote the chosen cell to a drawn region that nothing changes; it is a cell no more (O)",
    "cell.promote": "Promote the selected regions to cells: each is the first shape of one, which "
    "then follows the data (I)",
    "lock": "A locked region cannot be moved, reshaped or deleted (L)",
    "fibres": "Propose the bright discs of a fibre bundle, in the order of reading",
    "fibre radius": "Smallest and largest radius of a fibre, px of the camera",
    "fibres look": "Look again, with these radii, in the mean of the frames so far",
    "fibres accept": "Make them regions: fiber1, fiber2 ... row by row, from left to right",
    "fibres cancel": "Forget the proposal (Esc)",
    "regions filter": "Show only the regions whose name or kind holds these words. Click a heading of the "
    "table to sort; C, E, R, P, F tell the kind; a tick draws the outline; (L) is a locked one.",
    "save_rois": "Save all regions: .json keeps everything, .csv holds circles (Ctrl+S)",
    "load_rois": "Load regions in place of the present ones; can be undone",
    "save_imagej": "Save all regions as a .zip that ImageJ's ROI manager opens",
    "load_imagej": "Load a .roi or .zip of ImageJ in place of the present regions; can be undone",
    "rename": "Name of the selected region; Enter keeps it",
    "colour": "Colour of the selected region",
}


def short(text: str, letters: int) -> str:
    """Return a text cut to so many letters."""
    return text if len(text) <= letters else f"{text[: letters - 3]}..."


def figure(name: str, unit: str, number: float, low: float, high: float) -> tuple[str, ...]:
    """Return a figure with its unit and limits, NaN where there is none; then the same in fewer letters."""
    value, bounds = amount(number), limits(low, high)
    plain = f"{name}  {value} {unit}"
    return (f"{plain} ({bounds})", f"{name} {value} ({bounds})", plain) if bounds else (plain,)


def amount(number: float) -> str:
    """Return a number in few digits; '-' where it is not known."""
    if number != number:
        return "-"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{round(number, 2) + 0.0:.3g}"


def limits(low: float, high: float) -> str:
    """Return the range of what is well, as rules write it; nothing where no end of it is known."""
    below, above = isfinite(low), isfinite(high)
    if below and above:
        return f"{amount(low)}..{amount(high)}"
    return f"≥ {amount(low)}" if below else f"≤ {amount(high)}" if above else ""


def clock(seconds: float) -> str:
    """Return a duration as h:mm:ss."""
    whole = int(max(seconds, 0))
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def value(number: float, is_cell: bool, shown: Display) -> str:
    """Return a value of a trace with its unit."""
    kind = shown.cell_kind if is_cell else shown.trace_kind
    unit = "dF/F" if kind == "dff" else "a.u." if is_cell else "counts"
    return f"{number:.0f} {unit}" if abs(number) >= 1000 else f"{number:.3g} {unit}"


def moment(seconds: float, step: float = 1.0) -> str:
    """Return a moment of the session as m:ss or h:mm:ss, with tenths when steps are that small."""
    tenths = round(max(seconds, 0.0) * 10)
    whole, rest = divmod(tenths, 10) if step < 1 else (round(max(seconds, 0.0)), 0)
    hours, minutes, left = whole // 3600, whole // 60 % 60, whole % 60
    text = f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
    return f"{text}.{rest}" if step < 1 else text


def size(count: float) -> str:
    """Return a number of bytes with its unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def lasting(seconds: float) -> str:
    """Return how long something lasts, roughly."""
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    if seconds < 10 * 3600:
        return f"{seconds // 3600:.0f} h {seconds // 60 % 60:02.0f}"
    return f"{seconds / 3600:.0f} h" if seconds < LONG else "> 4 days"


def length(seconds: float | None) -> str:
    """Return how long a recording is to be, as it can be typed; '' for no end."""
    if seconds is None:
        return ""
    if seconds % 1 or seconds < 60:
        return f"{seconds:g} s"
    whole = int(seconds)
    return clock(seconds) if whole >= 3600 else f"{whole // 60}:{whole % 60:02}"


def number(count: int) -> str:
    """Return a count with its thousands set apart."""
    return f"{count:,}".replace(",", " ")


def counted(count: int, what: str) -> str:
    """Return a count and what it counts, in the plural if it must be."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def source(snapshot: Snapshot) -> str:
    """Return name, size and rate of a source."""
    height, width = snapshot.shape
    return f"{snapshot.source}, {width} x {height} at {snapshot.rate:g} Hz"
