"""The catalogue's file: one SQLite table, short transactions, made anew whenever it is not to be trusted."""

from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from roi_core.catalogue.entry import COLUMNS, Entry, State, read
from roi_core.catalogue.query import Query, conditions, fold
from roi_core.errors import CatalogueError, NotARecording
from roi_core.paths import expanded, is_file, is_gone, is_there, recordings, unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

__all__ = ["Catalogue", "place", "remember"]

log = logging.getLogger(__name__)

VERSION: Final = 1
"""Of the table; one of another version is set aside."""
NAME: Final = "catalogue.sqlite"
MARK: Final = 0x524F4943
"""SQLite's application_id of a catalogue: no other file is ever set aside."""
PATIENCE: Final = 5.0
"""Seconds to wait for another program that writes."""
ENDINGS: Final = (".h5", ".hdf5")


class Catalogue:
    """The index in the file `path`, which is made when it is not there.

    Safe for several programs at once; an object belongs to the thread that made it.

    Raises
    ------
    CatalogueError
        The file cannot be written, is of another kind, or another program holds it for some seconds.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._base.close()

    def add(self, paths: Iterable[Path]) -> list[Entry]:
        """Read recordings, or read them again; return their lines. What is none of ours is told and left."""
        found = [entry for path in paths if (entry := _read_or_tell(path)) is not None]
        self._put(found)
        return found

    def rebuild(
        self,
        folders: Iterable[Path],
        progress: Callable[[int], object] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> int:
        """Read every recording in and below `folders` anew; return how many there are.

        What was there and is gone is marked, not forgotten: its drive may only be away. `stop` is asked
        before each file; what was read until then is kept.
        """
        there = [Path(os.path.realpath(folder)) for folder in folders]
        for folder in there:
            _refuse_closed(folder)
        found: dict[str, Entry] = {}
        for path in _files(there):
            if stop():
                break
            entry = _read_or_tell(path, logging.DEBUG)
            if entry is not None:
                found[entry.path] = entry
                progress(len(found))
        self._put(found.values())
        self.refresh(stop)
        return len(found)

    def refresh(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Look at every file again and read those that changed; return how many lines are new.

        Opens what another program wrote meanwhile, marks what is gone, finds what came back. `stop` is asked
        before each file.
        """
        with self._told():
            known = self._base.execute("SELECT path, state, size, changed FROM recording").fetchall()
        stale = [
            Path(path)
            for path, state, *file in known
            if not stop() and _now(path) != ((state == State.MISSING), *file)
        ]
        gone = [path for path in stale if not is_there(path)]
        there = [path for path in stale if is_there(path)]
        with self._told(), self._base:
            # the rest of the line stays: it tells what is on the drive that is not here
            marked = [(State.MISSING, str(path)) for path in gone]
            change = "UPDATE recording SET state = ?, size = 0, changed = 0 WHERE path = ?"
            self._base.executemany(change, marked)
        for path in there:
            if stop():
                break
            if [entry.path for entry in self.add([path])] != [str(path)]:  # another file has replaced it
                with self._told(), self._base:
                    self._base.execute("DELETE FROM recording WHERE path = ?", (str(path),))
        return len(stale)

    def forget_missing(self) -> int:
        """Drop the lines of files that are gone; return how many. What may not be looked at is not gone."""
        with self._told(), self._base:
            missing = self._base.execute("SELECT path FROM recording WHERE state = ?", (State.MISSING,))
            gone = [(path,) for (path,) in missing if is_gone(Path(path))]
            self._base.executemany("DELETE FROM recording WHERE path = ?", gone)
        return len(gone)

    def find(self, query: Query | None = None) -> list[Entry]:
        """Return what fits, newest first; what has no date comes last."""
        query = query or Query()
        where, values = conditions(query)
        order = "ORDER BY start = '', start DESC, path LIMIT ?"
        with self._told():
            rows = self._base.execute(
                f"SELECT {', '.join(COLUMNS)} FROM recording {where} {order}", (*values, query.limit)
            ).fetchall()
            return [_entry(row) for row in rows]

    # -- the file -----------------------------------------------------------------------------------------

    def _open(self) -> sqlite3.Connection:
        """Open the file; a catalogue of another version or a damaged one is set aside and a new one begun."""
        base = sqlite3.connect(self.path, timeout=PATIENCE)
        try:
            tables = base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            version = base.execute("PRAGMA user_version").fetchone()[0]
            sound = base.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # sqlite3 quotes damaged bytes as text
            if isinstance(error, sqlite3.OperationalError):
                base.close()
                raise
            version, tables, sound = -1, 1, False
        if tables and self.path.name != NAME and not _marked(self.path):
            base.close()
            raise CatalogueError(f"{self.path} is no catalogue and stays as it is; give another file")
        if tables and (version != VERSION or not sound):
            base.close()
            self._set_aside("of another version" if sound else "damaged")
            base = sqlite3.connect(self.path, timeout=PATIENCE)
            tables = 0
        if not tables:
            with base:
                base.execute("BEGIN IMMEDIATE")  # all at once, for another program that opens it meanwhile
                base.execute(
                    f"CREATE TABLE IF NOT EXISTS recording ({', '.join(COLUMNS)}, PRIMARY KEY (path))"
                )
                base.execute(f"PRAGMA application_id = {MARK}")
                base.execute(f"PRAGMA user_version = {VERSION}")
        base.create_function("fold", 1, fold, deterministic=True)
        return base

    def _set_aside(self, why: str) -> None:
        aside, number = self.path.with_name(f"{self.path.name}.old"), 1
        while is_there(aside):
            number += 1
            aside = self.path.with_name(f"{self.path.name}.old{number}")
        self.path.replace(aside)
        log.warning(
            "the catalogue %s was %s and is now %s; fill the new one with: "
            "roi_stream catalogue --rebuild FOLDER", self.path, why, aside.name,
        )  # fmt: skip

    def _put(self, entries: Iterable[Entry]) -> None:
        marks = ", ".join("?" * len(COLUMNS))
        rows = [tuple(getattr(entry, name) for name in COLUMNS) for entry in entries]
        with self._told(), self._base:
            self._base.executemany(f"INSERT OR REPLACE INTO recording VALUES ({marks})", rows)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (CatalogueError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            busy = "locked" in str(error)
            why = "another program holds it; try again" if busy else str(error)
            raise CatalogueError(f"the catalogue {self.path} cannot be used: {why}") from error
        except UnicodeDecodeError as error:
            raise CatalogueError(f"the catalogue {self.path} is damaged: move it away") from error
        except OSError as error:
            why = error.strerror or str(error)
            raise CatalogueError(f"the catalogue {self.path} cannot be used: {why}") from error


def place(folder: str = "") -> Path:
    """Return where the catalogue is: ROI_STREAM_CATALOGUE, else in the folder of `recorder.folder`."""
    given = os.environ.get("ROI_STREAM_CATALOGUE")
    return expanded(given) if given else recordings(folder) / NAME


def remember(path: Path, *recordings: Path, make: bool = False) -> None:
    """Put recordings into the catalogue at `path`; trouble there is a line in the log and nothing more.

    Only with `make` is there one afterwards where there was none.
    """
    if not make and not is_there(path):
        return
    try:
        with closing(Catalogue(path)) as catalogue:
            catalogue.add(recordings)
    except CatalogueError as error:
        log.warning("%s", error)


def _marked(path: Path) -> bool:
    """Return whether a file says in its head that it is a catalogue, whatever became of the rest."""
    with path.open("rb") as file:
        return file.read(72)[68:] == MARK.to_bytes(4, "big")


def _entry(row: tuple[Any, ...]) -> Entry:
    known = dict(zip(COLUMNS, row, strict=True))
    if known["state"] not in list(State):
        raise sqlite3.DataError(f"a line is damaged; make it anew with --rebuild: {known['path']!r}")
    return Entry(**{**known, "state": State(known["state"]), "movie": bool(known["movie"])})


def _now(path: str) -> tuple[bool, int, int]:
    """Return what `refresh` compares: whether a file is gone, its size and when it changed."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # a path with a zero byte, of a damaged catalogue
        return True, 0, 0
    return False, found.st_size, found.st_mtime_ns


def _refuse_closed(folder: Path) -> None:
    """Refuse what is no folder, or none that may be looked into."""
    if is_gone(folder) or is_file(folder):
        raise CatalogueError(f"there is no folder {folder}; give one that holds recordings")
    if why := unseen(folder):
        raise CatalogueError(f"{folder} cannot be looked into: {why}")


def _tell_closed(error: OSError) -> None:
    log.warning("left out: %s cannot be looked into: %s", error.filename, (error.strerror or "").lower())


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield what may be a recording, in and below folders; links to folders are not followed.

    What may not be looked into is told and left.
    """
    for folder in folders:
        for place, _, names in os.walk(folder, onerror=_tell_closed):
            yield from (Path(place) / name for name in sorted(names) if name.lower().endswith(ENDINGS))


def _read_or_tell(path: Path, level: int = logging.WARNING) -> Entry | None:
    try:
        return read(path)
    except UnicodeEncodeError:
        log.warning("left out: the name of %a is no text; rename it", str(path))
        return None
    except NotARecording as error:
        log.log(level, "left out: %s", error)
        return None
