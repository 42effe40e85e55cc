"""Which channel each row of a recording shows, after all that was noticed later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roi_core import layout
from roi_core.errors import RecordingError, SettingsError
from roi_core.settings import Channels, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    import h5py
    from numpy.typing import NDArray

    from roi_core.frame import Event
    from roi_core.recording.reader import Recording

__all__ = ["ahead", "main_rows", "names", "numbers", "rows_of", "rules_of", "seen", "shown"]


def names(file: h5py.File) -> tuple[str, ...]:
    """Return the interleaved channels by number; none when there is one only."""
    if layout.CHANNEL not in file:
        return ()
    return tuple(bytes(name).decode() for name in file[layout.CHANNEL].attrs["names"])


def numbers(file: h5py.File, rows: int) -> NDArray[np.uint8] | None:
    """Return (rows,) the number of the channel as it was recorded, or None when there is one only."""
    if layout.CHANNEL not in file:
        return None
    found: NDArray[np.uint8] = np.asarray(file[layout.CHANNEL][:rows])
    if len(found) and found.max() >= len(names(file)):
        raise ValueError(f"a row shows channel {found.max()}, which has no name")
    return found


def ahead(file: h5py.File) -> int:
    """Return by how many channels the light was further than recorded at the first row."""
    return int(file[layout.CHANNEL].attrs.get("ahead", 0)) if layout.CHANNEL in file else 0


def rows_of(recording: Recording, channel: int | str) -> NDArray[np.intp]:
    """Return the rows that show a channel, by its number or name.

    Rows in which the light had slipped unnoticed are left out; where that was told only, they are put
    right. See the events of kind ``channels``.

    Raises
    ------
    RecordingError
        When there is no such channel.
    """
    known = recording.channel_names
    number = known.index(channel) if isinstance(channel, str) and channel in known else channel
    if not (isinstance(number, int) and 0 <= number < len(known)):
        there = ", ".join(known) or "one only, without a name"
        raise RecordingError(f"{recording.path} has no channel {channel!r}; its channels are {there}")
    return np.flatnonzero(seen(recording) == number)


def seen(recording: Recording) -> NDArray[np.int64]:
    """Return (rows,) the number of the channel that each row shows, -1 where that is in doubt; see `shown`.

    Where there is one channel only it is 0.
    """
    recorded = recording.channel
    if recorded is None:
        return np.zeros(recording.rows, np.int64)
    try:
        index, count = recording.frame_index, len(recording.channel_names)
        return shown(recorded, index, recording.events, count, recording.channel_ahead)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise RecordingError(
            f"{recording.path} is damaged: /channel or an event of kind channels: {error}"
        ) from error


def rules_of(recording: Recording) -> Channels:
    """Return the settings of channels that a recording was made with; of another version, none."""
    try:
        return Settings.loads(recording.settings).channels
    except SettingsError:
        return Channels()


def main_rows(recording: Recording) -> NDArray[np.intp]:
    """Return the rows of the main channel; all when there is one channel only."""
    if not recording.channel_names:
        return np.arange(recording.rows)
    return rows_of(recording, rules_of(recording).main)


def shown(
    recorded: NDArray[np.uint8], index: NDArray[np.int64], events: Iterable[Event], count: int, first: int = 0
) -> NDArray[np.int64]:
    """Return (rows,) the channel of each row, -1 where it is in doubt.

    A slip of the light is noticed some frames late: from the frame since which it seems to last until then,
    nobody knows. After that the order was corrected, or it was told only: then the rows that follow are
    wrong by as much, until ``channels.follow`` is turned, and are put right here. `first` is how far the
    light was ahead at the first row.
    """
    ahead, doubt = np.full(len(recorded), first), np.zeros(len(recorded), bool)
    for event in events:
        if event.kind != "channels" or event.data.get("state") not in ("swapped", "turned"):
            continue
        later, data = index >= event.frame, event.data
        if "ahead" in data:
            ahead[later] = int(data["ahead"])
        elif not data.get("followed"):  # of a version that did not tell how far
            ahead[later] += int(data.get("by", 0))
        if data["state"] == "swapped":
            doubt |= (index >= int(data.get("since", event.frame))) & ~later
    return np.where(doubt, -1, (recorded + ahead) % count)
