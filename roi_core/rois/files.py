"""ROI files: CSV for circles, JSON for everything, ImageJ for exchange.

- ``.csv``: rows ``xc,yc,r`` or ``xc,yc,r,name``; a first line ``xc,yc,r``, blank lines and ``#`` comments may
  be there; ``# resolution: 1280x720`` names the frames it was drawn on. An empty set has its first line.
- ``.json``: every shape with id, name, colour, version, lock and group; one region a line.
- ``.roi`` (one region) and ``.zip`` (many): ImageJ, see `roi_core.rois.imagej`; without ids and versions.

A file is used whole or refused with the line and the reason: a session must not measure half of a field.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from roi_core.errors import RoiFileError, RoiGeometryError, brief
from roi_core.paths import is_special
from roi_core.rois import imagej
from roi_core.rois.shape import LIMIT
from roi_core.rois.shapes import Circle, Roi, from_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Size = tuple[int, int]

__all__ = ["read", "write"]

FORMAT = "roi_stream_rois"
SUFFIXES = (".csv", ".json", ".roi", ".zip")


class Entry(NamedTuple):
    """A region and where in the file it stood: a line, or the name of an entry."""

    roi: Roi
    place: int | str


class Contents(NamedTuple):
    """What a file holds; `size` (W, H) is None when it does not say."""

    entries: list[Entry]
    size: Size | None = None
    next_id: int = 1


def read(path: Path, size: Size | None) -> tuple[list[Roi], int, tuple[str, ...]]:
    """Return the regions, the next free id and the notes of a file, for frames of `size` (W, H)."""
    contents = _contents(path)
    if len(ids := [entry.roi.id for entry in contents.entries if entry.roi.id]) != len(set(ids)):
        raise RoiFileError(path, None, "two regions have the same id; each needs its own")
    rois = [entry.roi for entry in contents.entries]
    notes: tuple[str, ...] = ()
    if size is not None and contents.size not in (None, size):
        rois, notes = _rescaled(path, contents, contents.size, size)
    if size is not None:
        for entry, roi in zip(contents.entries, rois, strict=True):
            if _outside(roi, size):
                why = f"the {roi.kind} lies outside the {size[0]}x{size[1]} frame"
                raise _refused(path, entry.place, why)
    return rois, contents.next_id, notes


def write(path: Path, rois: Sequence[Roi], next_id: int, size: Size) -> None:
    """Write the regions for frames of `size` (W, H) in the format that the suffix names."""
    suffix = _suffix(path)
    if suffix == ".csv":
        data = _csv(path, rois, size).encode()
    elif suffix == ".json":
        data = _json(rois, next_id, size).encode()
    else:
        data = imagej.to_bytes(path, rois)
    # Written beside and moved: a full disk must not eat the file that was there.
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(data)
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise RoiFileError(path, None, f"cannot be written: {error.strerror or error}") from error


def _contents(path: Path) -> Contents:
    suffix = _suffix(path)
    if is_special(path):
        raise RoiFileError(path, None, "cannot be read: it is a pipe, a socket or a device")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RoiFileError(path, None, f"cannot be read: {error.strerror or error}") from error
    if suffix in (".roi", ".zip"):
        return Contents([Entry(roi, name) for name, roi in imagej.from_bytes(path, data)])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RoiFileError(path, None, "is not UTF-8 text; save it as CSV UTF-8") from None
    return _from_csv(path, text) if suffix == ".csv" else _from_json(path, text)


def _suffix(path: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        raise RoiFileError(path, None, f"{path.suffix!r} is no ROI format; use {' '.join(SUFFIXES)}")
    return path.suffix.lower()


def _rescaled(path: Path, contents: Contents, drawn: Size | None, size: Size) -> tuple[list[Roi], tuple[str]]:
    assert drawn is not None
    sx, sy = size[0] / drawn[0], size[1] / drawn[1]
    note = (
        f"{path.name} was drawn at {drawn[0]}x{drawn[1]}; rescaled to {size[0]}x{size[1]} "
        f"(x {_short(sx)}, y {_short(sy)}, r {_short(min(sx, sy))})"
    )
    rois = []
    for entry in contents.entries:
        try:
            rois.append(entry.roi.rescaled(sx, sy))
        except RoiGeometryError as error:
            raise _refused(path, entry.place, str(error)) from error
    return rois, (note,)


def _short(factor: float) -> str:
    return str(round(factor, 4))


def _outside(roi: Roi, size: Size) -> bool:
    """Tell whether no part is on the picture, which reaches half a pixel beyond the outer centres."""
    right, bottom = size[0] - 0.5, size[1] - 0.5
    x0, y0, x1, y1 = roi.bounds()
    if x1 < -0.5 or y1 < -0.5 or x0 > right or y0 > bottom:
        return True
    # A round shape beyond a corner has bounds that reach in; its nearest point of the picture tells.
    if not isinstance(roi, Circle):
        return False
    return not roi.contains(min(max(roi.xc, -0.5), right), min(max(roi.yc, -0.5), bottom))


def _refused(path: Path, place: int | str, why: str) -> RoiFileError:
    if isinstance(place, int):
        return RoiFileError(path, place, why)
    return RoiFileError(path, None, f"{place}: {why}")


# --- CSV


def _from_csv(path: Path, text: str) -> Contents:
    entries: list[Entry] = []
    size, headed = None, False
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            size = _stated_size(path, number, line) or size
        elif not entries and line.replace(" ", "").lower() in ("xc,yc,r", "xc,yc,r,name"):
            headed = True
        else:
            entries.append(Entry(_circle(path, number, line), number))
    if not entries and not headed:
        raise RoiFileError(path, None, "holds no rows; write one row xc,yc,r for each circle")
    return Contents(entries, size)


def _stated_size(path: Path, number: int, line: str) -> Size | None:
    comment = line.lstrip().lstrip("#").strip().lower()
    if not comment.startswith("resolution"):
        return None
    found = re.fullmatch(r"resolution\s*:\s*([1-9]\d{0,5})\s*x\s*([1-9]\d{0,5})", comment)
    if found is None:
        raise RoiFileError(path, number, f"{line.strip()!r} is no resolution; write '# resolution: 1280x720'")
    return int(found[1]), int(found[2])


def _circle(path: Path, number: int, line: str) -> Circle:
    try:
        cells = next(csv.reader([line], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise RoiFileError(path, number, f"not a CSV row ({error})") from None
    if len(cells) not in (3, 4):
        count = f"{len(cells)} column{'s' if len(cells) > 1 else ''}"
        raise RoiFileError(
            path, number, f"{count} in {brief(repr(line.strip()), 80)}; xc,yc,r or xc,yc,r,name is needed"
        )
    values = [_number(path, number, *pair) for pair in zip(("xc", "yc", "r"), cells[:3], strict=True)]
    try:
        return Circle(*values, name="".join(cells[3:]))
    except RoiGeometryError as error:
        raise RoiFileError(path, number, str(error)) from error


def _number(path: Path, number: int, part: str, cell: str) -> float:
    try:
        # Python alone reads 1_0 as 10.
        return float(cell.replace("_", "?"))
    except ValueError:
        raise RoiFileError(path, number, f"{part} = {cell.strip()!r} is not a number") from None


def _csv(path: Path, rois: Sequence[Roi], size: Size) -> str:
    for roi in rois:
        if not isinstance(roi, Circle):
            why = (
                f"{roi.kind} {roi.name!r} does not fit into a CSV, which holds circles; save as .json or .zip"
            )
            raise RoiFileError(path, None, why)
    text = io.StringIO()
    text.write(f"# resolution: {size[0]}x{size[1]}\n")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("xc", "yc", "r", "name"))
    table.writerows((roi.xc, roi.yc, roi.r, roi.name) for roi in rois if isinstance(roi, Circle))
    return text.getvalue()


# --- JSON


def _from_json(path: Path, text: str) -> Contents:
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise RoiFileError(path, error.lineno, f"not JSON: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise RoiFileError(path, None, f"not JSON: {error}") from None
    if (
        not isinstance(values, dict)
        or values.get("format") != FORMAT
        or not isinstance(values.get("rois"), list)
    ):
        raise RoiFileError(path, None, f'is no ROI file; "format": "{FORMAT}" and "rois": [...] are needed')
    size, next_id = _size(values.get("resolution")), values.get("next_id", 1)
    if size is None:
        raise RoiFileError(path, None, f"resolution = {values.get('resolution')!r}: [W, H] in px is needed")
    if type(next_id) is not int:
        raise RoiFileError(path, None, f"next_id = {next_id!r}: a whole number is needed")
    return Contents(list(_json_entries(path, values["rois"])), size, next_id)


def _size(value: object) -> Size | None:
    match value:
        case [int(width), int(height)] if 0 < min(width, height) and max(width, height) <= LIMIT:
            return width, height
    return None


def _json_entries(path: Path, values: list[Any]) -> Iterator[Entry]:
    for number, value in enumerate(values, 1):
        place = f"region {number}"
        if not isinstance(value, dict):
            raise _refused(path, place, f"{value!r} is no region")
        try:
            yield Entry(from_dict(value), place)
        except RoiGeometryError as error:
            raise _refused(path, place, str(error)) from error


def _json(rois: Sequence[Roi], next_id: int, size: Size) -> str:
    head = {"format": FORMAT, "format_version": 1, "resolution": list(size), "next_id": next_id}
    lines = [f" {json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items()]
    body = ",\n".join(f"  {json.dumps(roi.to_dict(), ensure_ascii=False)}" for roi in rois)
    return "{\n" + "".join(lines) + ' "rois": [\n' + body + "\n ]\n}\n"
