"""ImageJ's ``.roi`` and ``.zip``: ovals, ellipses, rectangles, polygons, freehand and traced shapes.

ImageJ counts from the corner of a pixel, we count from its centre: the centre of the top left pixel is
(0.5, 0.5) there and (0, 0) here. So 0.5 is subtracted from every ImageJ coordinate on the way in and added on
the way out. A rectangle at left 3 with width 2 covers x 2.5 to 4.5 here: pixels 3 and 4 in both programs.
ImageJ keeps float32; ids, versions and locks are not kept. An oval with equal axes is a circle.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_core.errors import RoiFileError, RoiGeometryError, brief
from roi_core.rois.shapes import Circle, Ellipse, Freehand, Polygon, Rectangle, Roi

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["from_bytes", "to_bytes"]

# The integers of the format are 16 bits; ImageJ reads those below -5000 as above 60535.
LEAST, MOST = -5000, 60535
MOST_BYTES = 2**28
"""Bytes of all entries of a .zip, unpacked."""


def from_bytes(path: Path, data: bytes) -> Iterator[tuple[str, Roi]]:
    """Yield (entry name, region) of a .roi or .zip file; refuse what encloses no area."""
    for name, entry in _entries(path, data):
        place = f"entry {name!r}"
        try:
            yield place, _region(_decoded(entry), PurePosixPath(name).stem)
        except RoiGeometryError as error:
            raise RoiFileError(path, None, f"{place}: {error}") from error


def to_bytes(path: Path, rois: Sequence[Roi]) -> bytes:
    """Return the bytes of a .zip with all regions, or of a .roi with the only one."""
    for roi in rois:
        x0, y0, x1, y1 = roi.bounds()
        if min(x0, y0) < LEAST or max(x1, y1) >= MOST:
            why = f"{roi.kind} {roi.name!r} reaches beyond ImageJ's {LEAST} to {MOST} px; save as .json"
            raise RoiFileError(path, None, why)
    if path.suffix.lower() == ".roi":
        if len(rois) != 1:
            raise RoiFileError(path, None, f"a .roi file holds one region, not {len(rois)}; save as .zip")
        return _encoded(rois[0])
    buffer = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for roi in rois:
            archive.writestr(f"{_entry_name(roi, taken)}.roi", _encoded(roi))
    return buffer.getvalue()


def _entries(path: Path, data: bytes) -> Iterator[tuple[str, bytes]]:
    if path.suffix.lower() == ".roi":
        yield path.name, data
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise RoiFileError(path, None, f"would unpack to more than {MOST_BYTES >> 20} MB")
            for info in archive.infolist():
                # macOS adds a folder of its own to every zip it makes.
                if not info.is_dir() and not info.filename.startswith("__MACOSX/"):
                    yield info.filename, archive.read(info)
    except RoiFileError:
        raise
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise RoiFileError(path, None, f"cannot be unpacked: {brief(error)}") from error
    except Exception as error:  # damaged bytes raise whatever they meet first
        raise RoiFileError(path, None, "cannot be unpacked: it is damaged") from error


def _entry_name(roi: Roi, taken: set[str]) -> str:
    """Return a file name that no earlier entry has; ImageJ's manager shows it as the name of the region."""
    plain = "".join("_" if sign in '/\\:*?"<>|' else sign for sign in roi.name) or "roi"
    name, count = plain, 1
    while name in taken:
        count += 1
        name = f"{plain}-{count}"
    taken.add(name)
    return name


def _decoded(data: bytes) -> Any:
    from roifile import ImagejRoi

    try:
        return ImagejRoi.frombytes(data)
    except Exception as error:  # the reader lets struct, numpy and index errors of damaged bytes through
        raise RoiGeometryError(f"not an ImageJ ROI ({error})") from error


def _region(entry: Any, stem: str) -> Roi:
    from roifile import ROI_OPTIONS, ROI_SUBTYPE, ROI_TYPE

    alpha, *colour = entry.stroke_color
    label: dict[str, Any] = {"name": entry.name or stem, **({"colour": tuple(colour)} if alpha else {})}
    if entry.composite:
        raise RoiGeometryError("a composite of several shapes; split it in ImageJ and save the parts")
    if entry.subtype in (ROI_SUBTYPE.TEXT, ROI_SUBTYPE.IMAGE) or entry.options & ROI_OPTIONS.SPLINE_FIT:
        raise RoiGeometryError("a text, an image or a spline; convert it to a polygon in ImageJ")
    match entry.roitype:
        case ROI_TYPE.OVAL | ROI_TYPE.RECT:
            return _box(entry, label, oval=entry.roitype == ROI_TYPE.OVAL)
        case ROI_TYPE.FREEHAND if entry.subtype == ROI_SUBTYPE.ELLIPSE:
            return _turned_ellipse(entry, label)
        case ROI_TYPE.POLYGON:
            return Polygon(entry.coordinates() - 0.5, **label)
        case ROI_TYPE.FREEHAND | ROI_TYPE.TRACED:
            return Freehand(entry.coordinates() - 0.5, **label)
    raise RoiGeometryError(
        f"a {entry.roitype.name.lower()} encloses no area; use an oval, rectangle, polygon or freehand shape"
    )


def _box(entry: Any, label: dict[str, Any], *, oval: bool) -> Roi:
    if entry.subpixelrect:
        left, top, width, height = entry.xd, entry.yd, entry.widthd, entry.heightd
    else:
        left, top = entry.left, entry.top
        width, height = entry.right - left, entry.bottom - top
    x, y = left - 0.5, top - 0.5
    if not oval and entry.rounded_rect_arc_size > 0:
        raise RoiGeometryError("a rectangle with rounded corners; convert it to a polygon in ImageJ")
    if not oval:
        return Rectangle(x, y, x + width, y + height, **label)
    if width == height:
        return Circle(x + width / 2, y + height / 2, width / 2, **label)
    return Ellipse(x + width / 2, y + height / 2, width / 2, height / 2, **label)


def _turned_ellipse(entry: Any, label: dict[str, Any]) -> Ellipse:
    """Read the ends of the long axis and the aspect ratio, a float32 laid over three older fields."""
    parts = entry.arrow_style_or_aspect_ratio, entry.arrow_head_size, entry.rounded_rect_arc_size
    (aspect,) = struct.unpack(">f", struct.pack(">BBh", *parts))
    dx, dy = entry.x2 - entry.x1, entry.y2 - entry.y1
    half, xc, yc = math.hypot(dx, dy) / 2, (entry.x1 + entry.x2) / 2 - 0.5, (entry.y1 + entry.y2) / 2 - 0.5
    return Ellipse(xc, yc, half, half * aspect, math.degrees(math.atan2(dy, dx)), **label)


def _encoded(roi: Roi) -> bytes:
    from roifile import ROI_OPTIONS, ROI_TYPE, ImagejRoi

    entry = ImagejRoi()
    # The format counts 16-bit units of the name, the writer counts characters: they differ beyond U+FFFF.
    entry.name = "".join(sign if sign < "\U00010000" else "\ufffd" for sign in roi.name)
    entry.stroke_color = bytes([255, *roi.colour])
    entry.options = ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    x0, y0, x1, y1 = (side + 0.5 for side in roi.bounds())
    entry.left, entry.top, entry.right, entry.bottom = *map(math.floor, (x0, y0)), *map(math.ceil, (x1, y1))
    if isinstance(roi, Polygon):
        entry.roitype = ROI_TYPE.FREEHAND if isinstance(roi, Freehand) else ROI_TYPE.POLYGON
        _put_points(entry, roi.outline() + 0.5)
    elif isinstance(roi, Ellipse) and roi.angle % 90 != 0:
        _put_turned_ellipse(entry, roi)
    else:
        entry.roitype = ROI_TYPE.RECT if isinstance(roi, Rectangle) else ROI_TYPE.OVAL
        entry.xd, entry.yd, entry.widthd, entry.heightd = x0, y0, x1 - x0, y1 - y0
        if isinstance(roi, Circle):
            entry.widthd = entry.heightd = 2 * roi.r
    return bytes(entry.tobytes())


def _put_points(entry: Any, points: Any) -> None:
    entry.n_coordinates = len(points)
    entry.subpixel_coordinates = points.astype(np.float32)
    entry.integer_coordinates = (np.rint(points) - (entry.left, entry.top)).astype(np.int32)


def _put_turned_ellipse(entry: Any, roi: Ellipse) -> None:
    from roifile import ROI_SUBTYPE, ROI_TYPE

    entry.roitype, entry.subtype = ROI_TYPE.FREEHAND, ROI_SUBTYPE.ELLIPSE
    _put_points(entry, roi.outline() + 0.5)
    long, short = max(roi.rx, roi.ry), min(roi.rx, roi.ry)
    turn = math.radians(roi.angle if roi.rx >= roi.ry else roi.angle + 90)
    dx, dy = long * math.cos(turn), long * math.sin(turn)
    xc, yc = roi.xc + 0.5, roi.yc + 0.5
    entry.x1, entry.y1, entry.x2, entry.y2 = xc - dx, yc - dy, xc + dx, yc + dy
    parts = struct.unpack(">BBh", struct.pack(">f", short / long))
    entry.arrow_style_or_aspect_ratio, entry.arrow_head_size, entry.rounded_rect_arc_size = parts
