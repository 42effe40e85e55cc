"""Parameters are tried before they count: an edit is pending, is previewed, and is applied with the others.

While frames flow, an edit of what is measured waits until Apply, which puts all pending ones into force at
one frame; anything else, and everything while no session runs, acts at once. Nothing here knows the toolkit.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from roi_core.errors import RoiError
from roi_core.settings import describe
from roi_stream_gui import words
from roi_stream_gui.changes import Changes, differences, text_of
from roi_stream_gui.forecast import Forecast, blind, forecast
from roi_stream_gui.undo import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from roi_core.session import Session
    from roi_core.settings import LiveSettings, Settings
    from roi_core.snapshot import Snapshot
    from roi_core.status import TakeStatus
    from roi_stream_gui.changes import Change

__all__ = ["WAITING", "Trial"]

log = logging.getLogger(__name__)

WAITING: Final = ("prepare", "motion", "roi", "cnmf")
"""Blocks whose edits are pending first."""
PERIOD: Final = 1.0
"""Seconds after which a preview is asked for again: the cells change."""


class Trial:
    """The pending edits, what they would lead to, and all that were applied.

    ``pending`` is replaced whole. The preview is made on a thread of its own, and `tick` collects it.
    """

    def __init__(self, live: LiveSettings, journal: Journal | None = None) -> None:
        self.pending: Mapping[str, Any] = {}
        self.changes = Changes(live.current)
        self.forecast: Forecast | None = None
        self.previewing = False
        self.applied = ""
        """What Apply did last, in a sentence."""
        self._live, self._journal = live, journal or Journal()
        self._session: Session | None = None
        self._live_paths = {s.path for s in describe(live.current) if s.live}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="foresight")
        self._asked: tuple[Future[Forecast], Mapping[str, Any]] | None = None
        self._due = 0.0
        self._path: Path | None = None
        self._told: set[str] = set()

    # -- editing ------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> Settings:
        """The settings there would be after Apply."""
        return self._live.current.with_values(self.pending) if self.pending else self._live.current

    def value(self, path: str) -> Any:
        """Return the pending value of a setting, else the one in force."""
        return self.pending[path] if path in self.pending else self._live.current.get(path)

    def waits(self, path: str) -> bool:
        """Tell whether an edit of this setting would be pending first."""
        return self._live.running and path.partition(".")[0] in WAITING and self.possible(path)

    def possible(self, path: str) -> bool:
        """Tell whether a setting can change now."""
        return not self._live.running or path in self._live_paths

    def edit(self, path: str, value: Any) -> bool:
        """Change a setting, now or at Apply; a refusal is told and changes nothing."""
        return self.edit_many({path: value})

    def edit_many(self, values: Mapping[str, Any]) -> bool:
        """Change several settings, now or at Apply; what cannot change while frames flow is told."""
        later = {path: value for path, value in values.items() if self.waits(path)}
        now = {path: value for path, value in values.items() if path not in later}
        fixed = {p: v for p, v in now.items() if not self.possible(p)}
        if fixed and len(values) > 1:  # a single one is refused by the settings themselves
            names = ", ".join(f"{p} = {v!r}" for p, v in fixed.items() if v != self._live.current.get(p))
            if names:
                log.warning("%s", words.FIXED.format(names))
            now = {path: value for path, value in now.items() if path not in fixed}
        try:
            checked = self._live.current.with_values({**self.pending, **later})
            if now:
                self._live.edit_many(now)
        except RoiError as error:
            log.warning("%s", error)
            return False
        kept = {path: checked.get(path) for path in {**self.pending, **later} if path not in now}
        self._hold(kept)
        return True

    def discard(self, path: str = "") -> None:
        """Forget one pending edit, or all."""
        self._hold({p: value for p, value in self.pending.items() if path and p != path})

    def apply(self) -> bool:
        """Put all pending edits into force at the next frame; an undo right after brings back what was."""
        if not self.pending:
            return False
        before = {path: self._live.current.get(path) for path in self.pending}
        try:
            self._live.edit_many(self.pending)
        except RoiError as error:
            log.warning("%s", error)
            return False
        self.applied = words.APPLYING if self._live.running else words.APPLIED_IDLE
        self._hold({})
        self._journal.aside(words.APPLIED_STEP, lambda: self._bring_back(before))
        return True

    def _bring_back(self, before: Mapping[str, Any]) -> None:
        """Ask for values again that were in force; what was edited since stays as it was edited."""
        wanted = {path: value for path, value in before.items() if path not in self.pending}
        if wanted and self.edit_many(wanted):
            text = ", ".join(f"{path} = {text_of(value)}" for path, value in wanted.items())
            log.info("%s", (words.APPLY_BACK if self._live.running else words.APPLY_UNDONE).format(text))

    def restore(self, change: Change) -> None:
        """Ask for an earlier set again."""
        self.discard()
        edits = differences(self._live.current, change.settings)
        self.edit_many({edit.path: edit.new for edit in edits})

    def _hold(self, pending: Mapping[str, Any]) -> None:
        """Keep what differs from what is in force."""
        now = self._live.current
        pending = {path: value for path, value in pending.items() if value != now.get(path)}
        if pending != self.pending:
            self.pending, self._due = pending, 0.0
        if not pending:
            self.previewing, self.forecast = False, None

    # -- previewing ---------------------------------------------------------------------------------------

    def preview(self) -> None:
        """Show what the pending edits would lead to, until asked again or until they count."""
        self.previewing = bool(self.pending) and not self.previewing
        self.forecast, self._due = None, 0.0
        self._told.clear()

    def tick(self, session: Session | None, snapshot: Snapshot | None = None) -> None:
        """Follow what is in force; collect a preview, ask for the next."""
        self._session = session
        before = self.changes.made[-1]
        self._warn(snapshot.recording if snapshot is not None else None)
        for change in self.changes.follow(self._live.current, snapshot.diary if snapshot else None):
            log.info("%s", words.APPLIED.format(change.frame, change.text))
            self.applied = words.IN_FORCE.format(change.frame)
        if self.changes.made[-1] is not before and self.pending:
            self._hold(self.pending)
        self._collect()
        if self.previewing and self._asked is None and time.monotonic() >= self._due:
            self._due = time.monotonic() + PERIOD
            unseen = blind(self.pending)
            self._tell(words.UNFORESEEN.format(", ".join(unseen)) if unseen else "")
            self._asked = self._pool.submit(_foresee, session, self.wanted), self.pending

    def _warn(self, take: TakeStatus | None) -> None:
        """Say, when a recording begins, that there are edits that are not in force."""
        path = None if take is None else take.path
        if path != self._path and path is not None and self.pending:
            log.warning("%s", words.PENDING_RECORDED.format(", ".join(self.pending)))
        self._path = path

    def close(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _collect(self) -> None:
        if self._asked is None or not self._asked[0].done():
            return
        (future, pending), self._asked = self._asked, None
        if not self.previewing or pending is not self.pending:
            return
        error = future.exception()
        self.forecast = future.result() if error is None else Forecast(silent=str(error))
        if self.forecast.silent:
            self._tell(words.NO_PREVIEW.format(self.forecast.silent))

    def _tell(self, text: str) -> None:
        """Say something of a preview once, however often it is made."""
        if text and text not in self._told:
            self._told.add(text)
            log.info("%s", text)


def _foresee(session: Session | None, settings: Settings) -> Forecast:
    """Ask what would become of the cells; on the helper thread."""
    if session is None:
        return Forecast(silent=words.CONNECT_TO_PREVIEW)
    foresight = session.cells.what_if(settings)
    activity = session.snapshot().activity
    return forecast(foresight, None if activity is None else activity.components)
