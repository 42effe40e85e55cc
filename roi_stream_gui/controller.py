"""The verbs of the user: connect, record, edit a setting, save regions ... Knows no toolkit.

Every verb returns at once and never raises for what a user can cause: a refusal is a sentence in the message
list. What may take long (opening a camera, looking for cameras, waiting for a session to end) runs on one
helper thread, and `tick`, called once per drawn frame, collects what it brought.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roi_core.errors import RoiError
from roi_core.frame import FinishReason
from roi_core.session import Session, State
from roi_core.settings import LiveSettings, Settings
from roi_core.sources import open_source
from roi_stream_gui import filing, words
from roi_stream_gui.agreement import Agreement
from roi_stream_gui.bundle import Bundle
from roi_stream_gui.card import CardDesk
from roi_stream_gui.cells import Choice
from roi_stream_gui.disk import Disk
from roi_stream_gui.editing import Editor
from roi_stream_gui.exporting import Exporting
from roi_stream_gui.filing import said
from roi_stream_gui.geometry import outside
from roi_stream_gui.ground import Ground
from roi_stream_gui.home import config_folder, tell_damaged
from roi_stream_gui.keeper import Keeper
from roi_stream_gui.library import Library
from roi_stream_gui.messages import MessageLog
from roi_stream_gui.picture import Picture
from roi_stream_gui.presets import Presets
from roi_stream_gui.recents import Choices, Recents
from roi_stream_gui.recovery import Recovery
from roi_stream_gui.replay import Replay
from roi_stream_gui.resting import Resting
from roi_stream_gui.review import Review
from roi_stream_gui.sensor import STAY, Move
from roi_stream_gui.taking import Taking
from roi_stream_gui.timeline import Timeline
from roi_stream_gui.tools import Hand, Tool
from roi_stream_gui.trial import Trial
from roi_stream_gui.undo import Journal
from roi_stream_gui.view import Phase, View
from roi_stream_gui.warm import warm_up
from roi_stream_gui.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_core.rois import RoiSet
    from roi_core.session import Snapshot
    from roi_core.sources import Source
    from roi_core.sources.devices import Device
    from roi_core.sources.knobs import Readout

__all__ = ["Controller"]

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that closing waits for a camera that does not answer; a recording it waits for to its end."""


class Controller:
    """Joins the session, the regions and the settings to what the user asks."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        opener: Callable[..., Source] = open_source,
        lister: Callable[[], Sequence[Device]] | None = None,
    ) -> None:
        self.settings = LiveSettings(settings)
        self.journal = Journal()
        self.editor = Editor(journal=self.journal)
        self.hand = Hand(self.editor)
        self.ground = Ground()
        self.resting = Resting(self.ground.submit)
        self.bundle = Bundle(self.editor, self.ground)
        self.cells = Choice()
        self.keeper = Keeper(self)
        self.picture = Picture(self.settings)
        folder = config_folder()
        self.card = CardDesk(folder)
        self.recovery = Recovery(folder)
        self.recents = Recents(folder)
        self.choices = Choices(self.recents, lister)
        self.library = Library(lambda: self.taking.folder, self.connect, self.recovery.finish)
        self.taking = Taking(self.settings, lambda: self.session, self.recovery, self.library.remember)
        self.disk = Disk()
        self.agreement = Agreement()
        self.watch = Watch()
        self.trial = Trial(self.settings, self.journal)
        self.presets = Presets()
        self.timeline = Timeline()
        self.log = MessageLog()
        self.session: Session | None = None
        self.now: Snapshot | None = None
        """What the session was at the last `tick` or `view`, so that a drawn frame looks twice only."""
        self.source = words.FIRST_SOURCE
        self.rois_wanted: Path | None = None
        self.record_wanted: Path | None = None
        self.window_rate = 0.0
        self._opener = opener
        self.replay = Replay(self)
        self.review = Review(self)
        self.exporting = Exporting(self)
        self.loading = filing.Loading(self.editor.load)
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="helper")
        self._opening: Future[Session] | None = None
        self._told: Session | None = None
        self._loaded: RoiSet | None = None
        self._marked: tuple[str, Readout] | None = None
        """The camera, and the part of its sensor, on whose picture the user's own regions lie."""
        self._connected = ""

    # -- the source ---------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Compile every kernel on the helper thread; a source is opened after that, so no frame waits."""
        self.card.tell()
        tell_damaged(config_folder())
        self.recovery.search(self._helper.submit)
        self._helper.submit(warm_up)

    def connect(self, text: str, first: int = 0, *, play: bool = False) -> None:
        """Open a source, a file from row `first` on, and show it; what runs is ended when it is there.

        Of a recording the results are shown, unless its frames are to `play`: when the command line asks to
        record or measure them, too.
        """
        if self._opening is None and not self._held():
            self.source = text.strip()
            play = play or bool(self.record_wanted or self.rois_wanted)
            self._opening = self._helper.submit(self._open, self.source, self.session, first, play)

    def disconnect(self) -> None:
        """End the session, unless it records; the last picture and traces stay on screen."""
        if not self._held():
            self._end()

    def _held(self) -> bool:
        """Refuse, in a sentence, what would end a recording by the way."""
        recording = self.recording()
        if recording:
            log.warning(words.STOP_FIRST)
        return recording

    def _end(self, why: str = "") -> None:
        self.taking.stop(why)
        if self.session is not None:
            self.session.stop(detail=why)

    def find_cameras(self) -> None:
        """Look for cameras in the background; they appear among the choices."""
        self.choices.look(self._helper.submit)

    def _open(self, text: str, previous: Session | None, first: int, play: bool) -> Session:
        same = text == self._connected
        if same:  # the same camera cannot be opened twice
            _ended(previous)
            self.picture.sensor.settle()
        source = self.replay.open(self._opener, text, first, play=play)
        if isinstance(source, Session):  # the results of a recording
            _ended(previous)
            self.card.lend(self.replay.card, text)
            return source
        try:
            _ended(previous)
            rois = self._first_rois((source.shape[1], source.shape[0]))
            self.picture.crop.settle()
            move = self._move(text, getattr(source, "readout", None))
            if self._loaded is None:
                rois = move.regions(rois)
            self.card.lend(self.replay.card, text)
            with self.picture.crop.follow(move.rectangle):
                session = Session(source, self.settings, rois, card=self.card.live)
                session.start()
        except BaseException:
            source.close()
            raise
        return session

    def _first_rois(self, size: tuple[int, int]) -> RoiSet:
        """Return the regions to begin with: once those of the file asked for, else the present ones.

        Where there are none yet, those of the recording that is replayed.
        """
        own = self.replay.own
        if self.rois_wanted is None:
            if not len(own) and len(self.replay.rois):
                self._loaded = self.replay.rois
            return self._loaded or own
        path, self.rois_wanted = self.rois_wanted, None
        loaded = filing.read_rois(path, size)
        if loaded is None:
            return own
        self._loaded = loaded
        return loaded

    def _move(self, text: str, now: Readout | None) -> Move:
        """Return how the picture of a camera moved since regions were marked on it."""
        of, before = self._marked or ("", None)
        return Move(before, now) if before and now and of == text else STAY

    # -- recording; more of it is in `taking` --------------------------------------------------------------

    def record(self, path: Path | None = None) -> None:
        """Start a recording, unless a source is being opened."""
        if self._opening is not None:
            log.warning(words.STILL_OPENING)
        else:
            self.taking.start(path)

    def stop_recording(self) -> None:
        """End the recording; the file is finished in the background."""
        self.taking.stop()

    def recording(self) -> bool:
        """Tell whether rows are being added to a file."""
        return self.taking.on

    # -- settings and regions -----------------------------------------------------------------------------

    def edit(self, path: str, value: Any) -> bool:
        """Change one setting; a refusal is told and changes nothing."""
        try:
            self.settings.edit(path, value)
        except RoiError as error:
            log.warning("%s", error)
            return False
        return True

    def toggle(self, path: str) -> None:
        """Switch a setting that is on or off."""
        self.edit(path, not self.settings.current.get(path))

    def show_traces(self, kind: str) -> None:
        """Show raw means or dF/F; dF/F is switched on when it was off."""
        if kind == "dff" and not self.settings.current.roi.dff and self.edit("roi.dff", True):
            log.info(words.DFF_ON)
        self.edit("display.trace_kind", kind)

    def save_settings(self, path: str | Path) -> None:
        """Write all settings as YAML."""
        filing.save_settings(self.settings.current, path)

    def save_rois(self, path: str | Path) -> None:
        """Write the regions to a file; its ending chooses the format."""
        size = self._resolution()
        if size is None:
            log.warning(words.CONNECT_TO_SAVE)
        else:
            filing.save_rois(self.editor.rois, path, size)

    def load_rois(self, path: str | Path) -> None:
        """Replace the regions by those of a file, or of another program's result; can be undone."""
        self.loading.start(path, self._resolution(), self._helper.submit)

    def tell(self, text: str) -> None:
        """Put a sentence into the message list."""
        log.info("%s", text)

    def warn(self, text: str) -> None:
        """Put a warning into the message list."""
        log.warning("%s", text)

    def take(self, tool: Tool) -> None:
        """Take up a tool."""
        self.picture.pen.cancel()
        self.hand.take(tool)

    def pause(self) -> None:
        """Hold the traces still, or let them run again; nothing but the display stops."""
        self.timeline.toggle()

    def _resolution(self) -> tuple[int, int] | None:
        if self.session is None:
            return None
        height, width = self.session.frames.shape
        return width, height

    # -- once per drawn frame -----------------------------------------------------------------------------

    def tick(self) -> None:
        """Collect what the helper brought, hand the regions on, tell how a session ended."""
        self._collect_session()
        self._collect_cameras()
        now = self._look()
        self.keeper.tick()
        self.recovery.collect()
        self.replay.tick()
        self.review.tick()
        self.exporting.tick()
        self.loading.tick()
        self.library.tick()
        self.disk.tick()
        session = self.session
        self.picture.tick(session)
        self.ground.follow(session, self.hand.tool is Tool.WAND or self.bundle.open)
        self.resting.follow(session, self.settings.current.display.cell_kind == "dff")
        self.bundle.tick()
        self.hand.wand.look_at(*self.ground.best(), self.settings.current.cnmf.cell_radius)
        self.trial.tick(session, now)
        if session is None or now is None:
            return
        self.timeline.tick(now)
        if session.state is State.RUNNING:
            self.watch.follow(now, self.settings.current)
        self.taking.follow(now)
        if session.rois is not self.editor.rois:
            session.rois = self.editor.rois
        if self.record_wanted is not None and session.frames.head > 0 and self._opening is None:
            path, self.record_wanted = self.record_wanted, None
            self.record(path)
        if session.state is State.FINISHED and self._told is not session:
            self._told = session
            self._tell_end(session.snapshot())

    def view(self) -> View:
        """Return everything there is to show."""
        snapshot = self._look()
        room = self.disk.room(self.taking.target())
        return View(
            phase=self._phase(snapshot),
            snapshot=snapshot,
            settings=self.settings.current,
            rois=self.editor.rois,
            selection=self.editor.selection,
            hand=self.hand,
            undo=self.journal.undo_name,
            redo=self.journal.redo_name,
            messages=self.log.messages(),
            news=self.log.total,
            said=self.log.counts(),
            source=self.source,
            choices=self.choices.all(),
            paused=self.timeline.held,
            folder=self.taking.folder,
            disk_free=room.free,
            next_take=room.path,
            recording=snapshot is not None and self.taking.is_on(snapshot),
            recorded=self.taking.seconds,
            length=self.taking.length,
            window_rate=self.window_rate,
            compiling=self.watch.compiling,
            looked=self.replay.frames,
            held=self.replay.held,
            side=self.replay.side,
            playable=self.replay.playable,
            exportable=self.exporting.recording is not None,
            exporting=self.exporting.busy,
        )

    def _look(self) -> Snapshot | None:
        self.now = self.session.snapshot() if self.session is not None else None
        return self.now

    def close(self, why: str = "") -> None:
        """End everything and return when the recording is finished, however slow its disk; it tells `why`."""
        try:
            self._end(why)
            self._finish()
        finally:
            self._let_go()

    def _finish(self) -> None:
        if self.session is not None:
            _ended(self.session)
            self.taking.follow(self.session.snapshot())

    def _let_go(self) -> None:
        """Close what is beside the session, and a session that was about to open."""
        self.ground.close()
        self.picture.close()
        self.agreement.close()
        if self._opening is not None:
            self._opening.cancel()
        self._helper.shutdown(wait=True)
        self.trial.close()
        self.replay.close()
        self.review.close()
        self.exporting.close()
        self._collect_session()
        self._finish()
        self.library.close()
        self.disk.close()

    def _phase(self, snapshot: Snapshot | None) -> Phase:
        if self._opening is not None:
            return Phase.CONNECTING
        if snapshot is None:
            return Phase.IDLE
        if snapshot.state is State.FINISHED and snapshot.reason is FinishReason.FAILED:
            return Phase.FAILED
        return Phase(snapshot.state.value)

    def _collect_session(self) -> None:
        opening = self._opening
        if opening is None or not opening.done():
            return
        self._opening = None
        if opening.cancelled():
            return
        try:
            session = opening.result()
        except Exception as error:
            self._tell_failed("the source was not opened: ", error)
            if self.session is not None and self.session.state is State.RUNNING:
                self.source = self._connected
            return
        if self.session is not None:
            self.taking.follow(self.session.snapshot())
        self._take_over(session)

    def _take_over(self, session: Session) -> None:
        """Show another session; its picture may have another size than the one before."""
        before = self._resolution()
        if self.source != self._connected:
            self.picture.sensor.drop(self._connected)
        self.session, self._connected = session, self.source
        self.editor.picture = now = self._resolution()
        self.recents.add(self.source)
        self.recovery.opened(self.source)
        self.replay.take_over()
        if self.replay.reviewing:
            self._told = session
        log.info(words.OPENED[self.replay.side], words.source(session.snapshot()))
        move = self._place_regions(session.readout)
        if move is not STAY:
            self._tell_resized(words.CARRIED, move.before[2:4], move.now[2:4])
        elif before is not None and now is not None and before != now:
            self._tell_resized(words.RESIZED, before, now)

    def _place_regions(self, now: Readout | None) -> Move:
        """Begin with the regions of a file that was asked for, or move the present ones; return how."""
        loaded, self._loaded = self._loaded, None
        if loaded is not None:  # they are for this very picture
            self.editor.begin(loaded)
            self._marked = None
        move = self._move(self.source, now)
        self._marked = (self.source, now) if now is not None else self._marked
        there = move.regions(self.editor.rois)
        if there is self.editor.rois:
            return STAY
        self.editor.carry(there)
        return move

    def _tell_resized(self, text: str, before: tuple[int, int], now: tuple[int, int]) -> None:
        """Tell where regions are on a picture of another size or place; no alert when all are on it."""
        rois = self.editor.rois
        beside = sum(outside(roi, now) for roi in rois)
        if len(rois):
            level = logging.INFO if text == words.CARRIED and not beside else logging.WARNING
            log.log(level, text.format(*before, *now, beside, len(rois)))

    def _tell_failed(self, what: str, error: Exception) -> None:
        """Tell why something did not work: our own errors in their words, a bug with its traceback."""
        if isinstance(error, (RoiError, OSError, ImportError)):
            log.error("%s", said(error))
        else:
            log.error("%s%s: %s", what, type(error).__name__, error, exc_info=error)

    def _collect_cameras(self) -> None:
        try:
            self.choices.collect()
        except Exception as error:
            self._tell_failed("cameras not listed: ", error)

    def _tell_end(self, snapshot: Snapshot) -> None:
        if snapshot.reason is FinishReason.FAILED:
            log.error("%s", snapshot.detail)
        elif snapshot.reason is FinishReason.COMPLETED:
            log.info("%s ended after %d frames", snapshot.source, snapshot.frames_seen)
        else:
            log.info("disconnected from %s", snapshot.source)


def _ended(session: Session | None) -> None:
    """End a session and wait for it; none, or one that has ended, is fine."""
    if session is not None and session.state is not State.IDLE:
        session.stop()
        _finished(session)


def _finished(session: Session) -> None:
    """Wait for the end; how it ended is in its snapshot and is told by `tick`.

    A camera that does not answer is given up, a recording never: the file does not need the camera.
    """
    try:
        while not session.wait(PATIENCE):
            session.stop_recording(wait=False)
            if not session.closing:
                return
    except Exception:
        log.debug("the session failed", exc_info=True)
