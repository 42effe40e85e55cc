"""One stretch of looking: a source, the pipeline, the rings and, when asked, a recorder.

::

    IDLE --start()--> RUNNING --stop() | source ends | failure--> STOPPING --all closed--> FINISHED

One worker thread captures, measures and publishes to the rings; it waits for nobody but the camera and the
recorder's bounded queue. Everything another thread may know is in `Session.snapshot`.
"""

from __future__ import annotations

import logging
import math
import threading
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any

from roi_core.afterwards import Afterwards
from roi_core.around import around
from roi_core.arrivals import Arrivals
from roi_core.board import SPARE_SLOTS, Board, queue_length
from roi_core.calm import calm, start
from roi_core.card import LiveCard
from roi_core.channels import Channels
from roi_core.errors import RecorderError, sentence
from roi_core.flaws import sound
from roi_core.frame import FinishReason, Header, Summary
from roi_core.hand import Hand
from roi_core.lasting import Lasting
from roi_core.ledger import Cause
from roi_core.news import News
from roi_core.pipeline import Pipeline, edit_event, warm_up
from roi_core.publisher import Publisher
from roi_core.quality.alarms import Alarms
from roi_core.rest import flattened
from roi_core.rois import RoiSet
from roi_core.snapshot import Snapshot, State
from roi_core.takes import Takes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from roi_core.frame import Event, Frame, Settled
    from roi_core.ring import FrameRing
    from roi_core.rois import Roi
    from roi_core.settings import LiveSettings
    from roi_core.sinks.base import Sink
    from roi_core.sources.base import Source
    from roi_core.sources.knobs import Readout

__all__ = ["Session", "Snapshot", "State"]

log = logging.getLogger(__name__)


class Session:
    """Runs a source through the pipeline on a worker thread until it ends, is stopped or fails.

    ``sinks`` get every sample too, each on a lane of its own that drops and counts when it is late. Without a
    ``card`` there is that of the source, if it has one.
    """

    def __init__(
        self,
        source: Source,
        settings: LiveSettings,
        rois: RoiSet | None = None,
        *,
        sinks: Sequence[Sink] = (),
        max_frames: int | None = None,
        card: LiveCard | None = None,
    ) -> None:
        self.settings = settings
        self.card = card or LiveCard(getattr(source, "card", None))
        self.state = State.IDLE
        self._source = source
        self._rois = rois if rois is not None else RoiSet()
        self._max_frames = max_frames
        queue = queue_length(settings.current.recorder.queue, source.shape)
        rows = round(settings.current.display.trace_buffer * source.rate)
        self._board = Board(queue + SPARE_SLOTS, source.shape, max(rows, 2), self._rois.ids)
        channels = Channels(settings.current.channels)
        self._pipeline = Pipeline(self._board.frames, source.rate, not source.live, channels)
        self.cells = Hand(self._pipeline.analysis.errands, self._board, self._draw)
        """What may be done to the components, from any thread."""
        self.alarms = Alarms(getattr(source, "full", 0))
        """The quality of the picture and its alerts; read from any thread."""
        self._arrivals = Arrivals(source)
        self._lasting = Lasting()
        self._news = News(getattr(source, "notes", ()))
        self._lanes = [Publisher(sink, queue) for sink in sinks]
        self._takes = Takes(
            queue, last_words=self._last_words, pictures=self._pipeline.analysis.pictures, maps=self._maps
        )
        self._summary: Summary | None = None
        self._error: BaseException | None = None
        self._lock = threading.RLock()
        self._pen = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    # -- the verbs, from any thread -----------------------------------------------------------------------

    def start(self) -> None:
        """Begin taking frames; once in the life of a session."""
        with self._lock:
            if self.state is not State.IDLE:
                raise RuntimeError(f"this session is {self.state}; make a new one to start again")
            for lane in self._lanes:
                lane.open(self._header())
            self.settings.running = True
            self._pipeline.analysis.errands.open()
            self.state = State.RUNNING
            self._arrivals.hear()
            start(self._thread)

    def stop(self, reason: FinishReason = FinishReason.STOPPED, detail: str = "") -> None:
        """Ask the worker to end after the frame in hand; does not wait."""
        with self._lock:
            if self._summary is None:
                self._summary = Summary(reason, detail)
            if self.state is State.RUNNING:
                self.state = State.STOPPING
            elif self.state is State.IDLE:
                self._close(self._summary)
        self._source.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; return whether it came. What ended the worker badly is raised here."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        if self._thread.is_alive():
            return False
        if self._error is not None:
            raise self._error
        return True

    @property
    def readout(self) -> Readout | None:
        """Part of the sensor that the frames show; None of a source that does not tell."""
        told: Readout | None = getattr(self._source, "readout", None)
        return told

    @property
    def closing(self) -> bool:
        """True while a recording that has ended is still being written."""
        return self._takes.closing

    @property
    def frames(self) -> FrameRing:
        """The last pictures."""
        return self._board.frames

    @property
    def rois(self) -> RoiSet:
        """The regions measured; set them from any thread, they count from the next frame on."""
        return self._rois

    @rois.setter
    def rois(self, rois: RoiSet) -> None:
        with self._pen:
            self._rois = rois

    def _draw(self, roi: Roi) -> None:
        """Add a region to those measured; on the worker, too, which must not wait for a file to open."""
        with self._pen:
            self._rois = self._rois.add(roi)

    def note(self, text: str) -> None:
        """Write a note into the recording at the next frame."""
        self._news.note(text)

    def acknowledge(self) -> None:
        """Take the alerts so far for seen, and say so in the recording."""
        seen = [alert.metric for alert in self.alarms.loud]
        self.alarms.acknowledge()
        if seen:
            self._news.say("quality_seen", {"metrics": seen})

    def relearn(self) -> None:
        """Take what comes now for the reference of every figure, and say so."""
        self.alarms.relearn()
        self._news.say("relearned", {})

    def tell(self, kind: str, data: dict[str, Any]) -> Future[None] | None:
        """Have something told as an event of the next frame, such as what the window knows of a cell.

        When there is none, because the session has ended, what is told of a component (its ``id``) goes to
        the end of the recording; the answer is there when it is, or says why it is not. All else is not told.
        """
        if self.cells.afterwards is None:
            self._news.say(kind, data)
        elif "id" in data:
            return self.cells.afterwards.tell(kind, data)
        return None

    def mark(self) -> int:
        """Put a marker at the next frame; return its number, which begins at 1 in each recording."""
        number = self._takes.mark()
        self._news.say("marker", {"number": number})
        return number

    def record(
        self,
        path: Path,
        *,
        overwrite: bool = False,
        essential: bool = False,
        length: float | None = None,
        wait: bool = True,
    ) -> Path:
        """Start recording with the next frame and return the file's name, suffixed if it was taken.

        What was kept before (``recorder.pretrigger``) comes first. It ends by itself after `length` s of data
        from now. A recorder that fails ends its recording; an `essential` one ends the session. Without
        `wait` this returns before the file is there, with the name asked for: `Snapshot.recording` has the
        real one, or says why it was refused.
        """
        with self._lock:
            if self.state in (State.STOPPING, State.FINISHED):
                raise RecorderError(f"this session is {self.state}; connect again to record")
            before = self._takes.now
            take = self._takes.begin(
                path, self._header(), overwrite=overwrite, essential=essential, length=length
            )
        return self._takes.open(take, before, wait or essential)

    def stop_recording(self, wait: bool = True, detail: str = "") -> None:
        """End the recording with the last row; with `wait`, return when the file is finished.

        That is when the frames of the next ``cnmf.lag`` seconds have settled the last rows of its cells.
        ``detail`` tells in the file why.
        """
        self._takes.stop(wait, detail)

    def stop_after(self, length: float | None) -> None:
        """End the present recording after so many seconds of data from Record on; None: only by hand."""
        self._takes.stop_after(length)

    def snapshot(self) -> Snapshot:
        """Return the present state, whole."""
        source, summary, running = self._source, self._summary, self.state is State.RUNNING
        board, take, arrivals = self._board, self._takes.now, self._arrivals
        writing = {"write": take.meter} if take is not None else {}
        return Snapshot(
            state=self.state,
            reason=summary.reason if summary else None,
            detail=summary.detail if summary else "",
            source=source.name,
            shape=source.shape,
            rate=source.rate,
            live=source.live,
            frames=board.frames,
            traces=board.traces,
            rois=self._rois,
            settings=self.settings.current,
            frames_seen=arrivals.meter.count,
            account=replace(arrivals.account, lanes={lane.sink.name: lane.carried for lane in self._lanes}),
            fps=arrivals.meter.rate(perf_counter()),
            step_ms=arrivals.meter.cost(50) * 1e3,
            step_ms_p99=arrivals.meter.cost(99) * 1e3,
            silence=arrivals.silence if running and source.live else 0.0,
            elapsed=arrivals.elapsed,
            recording=take.status() if take else None,
            earlier=self._takes.earlier,
            kept=self._takes.kept,
            diary=board.diary,
            alarms=self.alarms,
            shift=board.shift,
            confidence=board.confidence,
            flag=board.flag,
            cells=board.cells,
            activity=board.activity,
            stages=self._pipeline.analysis.states(),
            meters=self._pipeline.meters() | writing,
            behind=self._pipeline.analysis.behind(),
        )

    def pictures(self) -> dict[str, NDArray[np.float32]]:
        """Return what the stages look at, (H, W) float32 each, NaN where nothing was analysed.

        ``mean max std correlation activity`` of all frames so far, ``template`` and ``residual``; only those
        there are yet. From any thread; takes some ms, so ask a few times a second at most.
        """
        return self._pipeline.analysis.pictures()

    def flattened(self) -> bool:
        """Tell whether the glow of the pictures was ever taken away, and with it the rest of cells."""
        now, (_, events) = self.settings.current, self._board.diary.since(0)
        return flattened(now.prepare.flatten, now.cnmf.preset, events)

    # -- the worker ---------------------------------------------------------------------------------------

    def _run(self) -> None:
        summary, most = Summary(FinishReason.COMPLETED), self._max_frames or math.inf
        try:
            warm_up()
            self._pipeline.analysis.begin(self.settings.current)
            with calm() if self._source.live else nullcontext():
                for frame in sound(self._source, self._news.say, self._arrivals.lose):
                    self._take_in(frame)
                    if self._summary is not None or self._arrivals.meter.count >= most:
                        break
        except Exception as error:
            self._error = error
            summary = Summary(FinishReason.FAILED, sentence(error))
        finally:
            self._close(summary)

    def _take_in(self, frame: Frame) -> None:
        arrival, wall = self._arrivals.hear(), frame.wall or datetime.now().astimezone()
        settings, edits = self.settings.at_frame()
        time, (lost, cause) = self._arrivals.time_of(frame), self._arrivals.missing(frame)
        news = [*self._arrivals.gap(frame, settings.camera.timeout)]
        news += [edit_event(edit, frame.index, time) for edit in edits]
        news += self._said(time, frame.index)
        try:
            sample = self._pipeline.step(frame, time, settings, self._rois, self._arrivals.late(frame))
        except Exception:
            self._arrivals.fail(frame)
            raise
        sample = replace(sample, events=(*news, *sample.events), lost=lost, cause=cause, wall=wall)
        sample = self.alarms.follow(sample, settings.quality, self._around)
        sample = self._lasting.follow(sample)
        self._arrivals.take(sample)
        self._board.publish(sample)
        for lane in self._lanes:
            lane.offer(sample)
        self._takes.offer(sample)
        self._arrivals.done(arrival)

    def _around(self) -> dict[str, float]:
        """Return the figures of quality that no sample holds."""
        take, source = self._takes.now, self._source
        status, settings = take.status() if take is not None else None, self.settings.current
        behind = self._pipeline.analysis.behind()
        return around(status, behind, source, settings, len(self._rois))

    # -- the end ------------------------------------------------------------------------------------------

    def _close(self, summary: Summary) -> None:
        """Close everything, whatever happens on the way; the file gets the reason and the last words."""
        self._pipeline.analysis.errands.close()
        with self._lock:
            self.state = State.STOPPING
            if self._summary is None or summary.reason is FinishReason.FAILED:
                self._summary = summary
        try:
            self._source.close()
        finally:
            last = replace(self._summary, settled=self._settled(), maps=self._maps()())
            last = replace(last, lost=self._arrivals.account.after, cause=Cause.CORRUPT)
            self._news.deafen()
            last = replace(last, events=tuple(self._last_words()))
            open_: list[Publisher | Takes] = [*self._lanes, self._takes]
            for each in open_:
                each.finish(last)
            for each in open_:
                each.join()
            self._pipeline.analysis.close()
            self._blame()
            with self._lock:
                self.settings.running = False
                if self._board.activity is not None:
                    now = self._arrivals
                    self.cells.afterwards = Afterwards(self._board, self._takes.files, now.elapsed, now.index)
                self.state = State.FINISHED

    def _settled(self) -> tuple[Settled, ...]:
        """Return the refined values of the last rows, when no further frame comes."""
        settled = self._pipeline.analysis.finish()
        return () if settled is None else (settled,)

    def _maps(self) -> Callable[[], dict[str, NDArray[np.float32]]]:
        """Return what makes the summary maps of this moment; no recording fails for want of them."""
        frozen = self._pipeline.analysis.frozen_maps()

        def made() -> dict[str, NDArray[np.float32]]:
            try:
                return frozen()
            except Exception as error:
                log.warning("there are no summary maps: %s", sentence(error))
                return {}

        return made

    def _last_words(self) -> Iterator[Event]:
        """Tell what came after the last frame: a silence that no frame ended, notes, warnings."""
        yield from self._arrivals.last_gap(self.settings.current.camera.timeout)
        yield from self._said(self._arrivals.elapsed, self._arrivals.index)

    def _said(self, time: float, frame: int) -> list[Event]:
        """Return what was changed on the session card, and what was said, since this was last asked."""
        _, edits = self.card.at_frame()
        return [*(edit_event(edit, frame, time, "card") for edit in edits), *self._news.events(time, frame)]

    def _blame(self) -> None:
        """Make the failure of an essential recorder the failure of the session."""
        if self._takes.failure is not None and self._error is None:
            self._error = self._takes.failure
            self._summary = Summary(FinishReason.FAILED, sentence(self._error))

    def _header(self) -> Header:
        source, settings = self._source, self.settings.current
        return Header(
            source.name, source.shape, source.rate, source.counter, settings, self._rois,
            self.card.current, self._arrivals.start_is,
        )  # fmt: skip
