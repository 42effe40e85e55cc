"""When a file's first frame was taken, by the clock on the wall, and whom it shows, where the file tells.

A date without a zone is taken to be in the zone of this computer. Dates of the file system are no dates of
frames: copying changes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from roi_core import layout
from roi_core.card import Card

__all__ = ["of_miniscope", "of_recording", "of_tiff", "shown_by_miniscope"]

QUARTER: Final = 15
"""Minutes; zones differ by whole ones of these."""
SCANIMAGE: Final = re.compile(r"^epoch\s*=\s*\[([^\]]*)\]", re.MULTILINE)
SINCE: Final = re.compile(r"^frameTimestamps_sec\s*=\s*(\d+\.?\d*)", re.MULTILINE)
"""Seconds from there to the first page: not 0 in the later files of an acquisition."""
OME: Final = re.compile(r"<(?:\w+:)?AcquisitionDate>\s*([^<]*?)\s*</")


def of_recording(attributes: Mapping[str, Any]) -> datetime | None:
    """Return the start that the root attributes of a recording of ours tell, None if nobody knew it."""
    if _text(attributes.get("start_is", "")) == layout.OF_PROCESSING:
        return None
    return _dated(_text(attributes.get("start_iso8601", "")))


def of_miniscope(session: Mapping[str, Any]) -> datetime | None:
    """Return the ``recordingStartTime`` of a ``metaData.json``: a moment, and the lab's own clock."""
    told = session.get("recordingStartTime")
    if not isinstance(told, dict):
        return None
    there = _moment(told)
    try:
        moment = datetime.fromtimestamp(int(told["msecSinceEpoch"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None if there is None else _zoned(there)
    if there is None:
        return moment.astimezone()
    ahead = round((there - moment.replace(tzinfo=None)) / timedelta(minutes=QUARTER)) * QUARTER
    return moment.astimezone(timezone(timedelta(minutes=ahead)) if abs(ahead) < 24 * 60 else None)


def shown_by_miniscope(session: Mapping[str, Any], device: Mapping[str, Any]) -> Card | None:
    """Return what the two files ``metaData.json`` tell of animal, people and instrument; None if nothing."""
    kind = str(device.get("deviceType", ""))
    known = {
        "subject_id": session.get("animalName"),
        "experimenter": session.get("researcherName"),
        "description": session.get("experimentName"),
        "microscope": kind.replace("_", " ") if kind.lower().startswith("miniscope") else "",
    }
    given = {name: value for name, value in known.items() if isinstance(value, str) and value}
    return Card.of(given) if given else None


def of_tiff(file: Any) -> datetime | None:
    """Return what ScanImage wrote beside the first page of an open TIFF, or what OME-XML says."""
    said = str(file.pages[0].description)
    found = SCANIMAGE.search(said)
    if found is None:
        ome = OME.search(said)
        return None if ome is None else _dated(ome[1])
    numbers = found[1].replace(",", " ").split()
    names = ("year", "month", "day", "hour", "minute")
    since, day = SINCE.search(said), _moment(dict(zip(names, numbers, strict=False)))
    try:
        seconds = float(numbers[5]) + (float(since[1]) if since else 0.0)
        return None if day is None else _zoned(day + timedelta(seconds=seconds))
    except (IndexError, ValueError, OverflowError):
        return None


def _moment(told: Mapping[str, Any]) -> datetime | None:
    """Return a date and time by parts; None where parts are missing or are none."""
    try:
        year, month, day, hour, minute = (
            int(told[name]) for name in ("year", "month", "day", "hour", "minute")
        )
        second, milli = int(told.get("second", 0)), int(told.get("msec", 0))
        return datetime(year, month, day, hour, minute, second, 1000 * milli)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _dated(text: str) -> datetime | None:
    try:
        return _zoned(datetime.fromisoformat(text))
    except ValueError:
        return None


def _zoned(moment: datetime) -> datetime | None:
    """Return a moment with a zone, that of this computer where it has none."""
    try:
        return moment if moment.tzinfo is not None else moment.astimezone()
    except (ValueError, OverflowError, OSError):
        return None


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
