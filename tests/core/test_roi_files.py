"""ROI files: round trips, rescaling, real ImageJ archives, and every bad row refused with line and reason."""

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
import roifile
from hypothesis import given

from roi_core.errors import RoiFileError
from roi_core.rois import Circle, Ellipse, Freehand, Polygon, Rectangle, RoiSet
from tests import strategies

SIZE = (640, 480)
# One of each kind that ImageJ and JSON can hold.
MIXED = RoiSet(
    [
        Circle(10.25, 20.5, 3.5, name="soma"),
        Circle(5, 5, 0),
        Ellipse(40, 30, 9, 4),
        Ellipse(60, 30, 4, 9, 33),
        Rectangle(3, 4, 9, 12, locked=True),
        Polygon(((0, 0), (6, 0), (0, 6)), colour=(9, 8, 7)),
        Freehand(((100, 100), (110.5, 100), (110, 120.25), (99, 111))),
    ]
)
TRIANGLE = {"kind": "polygon", "points": [[0, 0], [9, 0], [0, 9]]}


@pytest.fixture
def file(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path, resolution=None):
    with pytest.raises(RoiFileError) as caught:
        RoiSet.load(path, resolution)
    assert str(path) in str(caught.value)
    return caught.value


def circles(rois):
    return [roi.circle() for roi in rois]


# --- round trips


def test_json_keeps_everything(tmp_path):
    rois = MIXED.replace(MIXED[1].moved(1, 1)).remove(7)
    rois.save(tmp_path / "a.json", SIZE)
    loaded = RoiSet.load(tmp_path / "a.json", SIZE)
    assert loaded.rois == rois
    assert loaded.notes == ()
    assert loaded.rois.next_id == rois.next_id == 8, "an id that was removed stays used"


@given(strategies.roi_sets())
def test_json_round_trip(tmp_path_factory, rois):
    path = tmp_path_factory.mktemp("json") / "a.json"
    rois.save(path, SIZE)
    assert RoiSet.load(path).rois == rois


@given(strategies.roi_sets(strategies.circles))
def test_csv_round_trip(tmp_path_factory, rois):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    rois.save(path, SIZE)
    loaded = RoiSet.load(path).rois
    assert circles(loaded) == circles(rois)
    assert [roi.name for roi in loaded] == [roi.name for roi in rois]


@given(strategies.roi_sets())
def test_imagej_round_trip(tmp_path_factory, rois):
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    rois.save(path, SIZE)
    loaded = RoiSet.load(path).rois
    assert len(loaded) == len(rois)
    for back, roi in zip(loaded, rois, strict=True):
        assert (back.name, back.colour) == (roi.name, roi.colour)
        assert back.circle() == pytest.approx(roi.circle(), abs=1e-3)
        assert back.bounds() == pytest.approx(roi.bounds(), abs=1e-4)
        if roi.kind != "ellipse":
            # Quarter pixels are exact in ImageJ's float32, so not one pixel may differ.
            assert type(back) is type(roi)
            np.testing.assert_array_equal(back.runs(strategies.FRAME), roi.runs(strategies.FRAME))


@pytest.mark.parametrize("roi", MIXED, ids=lambda roi: f"{roi.kind}{roi.id}")
def test_one_region_in_a_roi_file(tmp_path, roi):
    RoiSet([roi]).save(tmp_path / "a.roi", SIZE)
    (back,) = RoiSet.load(tmp_path / "a.roi").rois
    np.testing.assert_array_equal(back.runs((200, 200)), roi.runs((200, 200)))


def test_a_saved_csv_reads_like_a_table(tmp_path):
    RoiSet([Circle(1, 2.5, 3, name="a, b")]).save(tmp_path / "a.csv", SIZE)
    assert (tmp_path / "a.csv").read_text() == '# resolution: 640x480\nxc,yc,r,name\n1.0,2.5,3.0,"a, b"\n'


def test_saving_replaces_the_file_and_leaves_nothing_beside(tmp_path):
    for rois in (MIXED, RoiSet()):
        rois.save(str(tmp_path / "a.json"), SIZE)
        assert RoiSet.load(str(tmp_path / "a.json")).rois == rois
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


# --- CSV


@pytest.mark.parametrize(
    "text",
    [
        "10,20,5\n30,40,6\n",
        "xc,yc,r\n10,20,5\n30,40,6",
        "xc, yc, r, name\n10, 20, 5, a\n30, 40, 6, b\n",
        "# by hand\n\n  # resolution: 640x480\n10,20,5\n\n# more\n30.0,4e1,6.\n",
        "\ufeff10,20,5\r\n30,40,6\r\n",
        "10,20,5,\n30,40,6,\n",
    ],
)
def test_rows_of_circles(file, text):
    loaded = RoiSet.load(file("a.csv", text), SIZE)
    assert circles(loaded.rois) == [(10, 20, 5), (30, 40, 6)]
    assert loaded.rois.ids == (1, 2)
    assert loaded.notes == ()


def test_another_resolution_rescales_and_says_so(file):
    path = file("two.csv", "# resolution: 640x480\n10,20,5\n30,40,6\n")
    loaded = RoiSet.load(path, (1280, 720))
    assert circles(loaded.rois) == [(20, 30, 7.5), (60, 60, 9)]
    assert loaded.notes == ("two.csv was drawn at 640x480; rescaled to 1280x720 (x 2.0, y 1.5, r 1.5)",)
    assert circles(RoiSet.load(path).rois) == [(10, 20, 5), (30, 40, 6)], "no resolution asked for"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("10,20,nan", "r = nan: a finite number"),
        ("inf,20,5", "xc = inf: a finite number"),
        ("1e400,20,5", "xc = inf: a finite number"),
        ("10,20,-4", "r = -4.0: a radius is 0 or more"),
        ("10,abc,5", "yc = 'abc' is not a number"),
        ("10,,5", "yc = '' is not a number"),
        ("1_0,20,5", "xc = '1_0' is not a number"),
        ("10,20", "2 columns in '10,20'; xc,yc,r or xc,yc,r,name is needed"),
        ("10 20 5", "1 column in"),
        ("10;20;5", "1 column in"),
        ("1,2,3,4,5", "5 columns in"),
        ('10,20,5,"a', "not a CSV row"),
        ("xc,yc,r", "xc = 'xc' is not a number"),
        ("700,20,5", "the circle lies outside the 640x480 frame"),
        ("-20,20,5", "the circle lies outside the 640x480 frame"),
        ("-4.2,-4.2,5", "the circle lies outside the 640x480 frame"),
        ("10,20,5,a\x07b", "one line of printable text"),
        ("# resolution: big", "is no resolution; write '# resolution: 1280x720'"),
        ("# resolution: 0x480", "is no resolution"),
    ],
)
def test_a_bad_row_is_refused_with_line_and_reason(file, row, why):
    error = refusal(file("bad.csv", f"# mine\n10,20,5\n\n{row}\n30,40,6\n"), SIZE)
    assert error.line == 4
    assert why in str(error)


def test_outside_is_judged_after_rescaling(file):
    path = file("a.csv", "# resolution: 1280x960\n1000,20,5\n")
    assert circles(RoiSet.load(path, SIZE).rois) == [(500, 10, 2.5)]
    assert refusal(file("b.csv", "1000,20,5\n"), SIZE).line == 1
    assert circles(RoiSet.load(path).rois) == [(1000, 20, 5)]


@pytest.mark.parametrize("row", ["-3,20,5", "642,20,5", "-0.4,-0.4,0.1", "-3,-3,5", "9.5,9.5,0.5"])
def test_partly_outside_or_between_pixels_is_fine(file, row):
    assert len(RoiSet.load(file("a.csv", row), SIZE).rois) == 1


@pytest.mark.parametrize("text", ["", "\n\n", "# resolution: 640x480\n", "\ufeff"])
def test_a_csv_without_rows_is_refused(file, text):
    assert str(refusal(file("a.csv", text))).endswith("holds no rows; write one row xc,yc,r for each circle")


def test_a_csv_with_only_its_first_line_is_an_empty_set(file):
    assert len(RoiSet.load(file("a.csv", "xc,yc,r\n")).rois) == 0


def test_a_csv_holds_circles_only(tmp_path):
    (tmp_path / "a.csv").write_text("1,2,3\n")
    with pytest.raises(RoiFileError, match=r"ellipse 'roi3' does not fit .* save as \.json or \.zip"):
        MIXED.save(tmp_path / "a.csv", SIZE)
    assert (tmp_path / "a.csv").read_text() == "1,2,3\n", "the old file stays"


# --- JSON


def as_json(*rois, **changes):
    head = {"format": "roi_stream_rois", "format_version": 1, "resolution": [640, 480], "next_id": 1}
    return json.dumps({**head, "rois": rois, **changes})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{\n "format": oops\n}', "line 2: not JSON"),
        ("[]", "is no ROI file"),
        (as_json(format="other"), "is no ROI file"),
        (as_json(rois={}), "is no ROI file"),
        (as_json(resolution=[640]), "[W, H] in px is needed"),
        (as_json(resolution=[640, -1]), "[W, H] in px is needed"),
        (as_json(resolution=[640, 10**9]), "[W, H] in px is needed"),
        (as_json(next_id="7"), "next_id = '7': a whole number"),
        (as_json(TRIANGLE, 7), "region 2: 7 is no region"),
        (as_json({"kind": "line"}), "region 1: kind = 'line'"),
        (as_json({**TRIANGLE, "points": [[0, 0], [1, 1]]}), "region 1: polygon has 2 points"),
        (as_json({**TRIANGLE, "points": [[0, 0], [1, float("nan")], [2, 2]]}), "finite numbers"),
        (as_json({**TRIANGLE, "colr": [1, 2, 3]}), "region 1: polygon has no field 'colr'"),
        (as_json({**TRIANGLE, "id": 3}, {**TRIANGLE, "id": 3}), "two regions have the same id"),
        (
            as_json({**TRIANGLE, "points": [[700, 0], [709, 0], [700, 9]]}),
            "region 1: the polygon lies outside",
        ),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_bad_json_is_refused_with_place_and_reason(file, text, why):
    assert why in str(refusal(file("bad.json", text), SIZE))


def test_json_is_rescaled_too(file):
    loaded = RoiSet.load(file("a.json", as_json(TRIANGLE)), (1280, 480))
    assert loaded.rois[1].points == ((0, 0), (18, 0), (0, 9))
    assert loaded.notes == ("a.json was drawn at 640x480; rescaled to 1280x480 (x 2.0, y 1.0, r 1.0)",)


def test_a_shape_that_cannot_be_rescaled_is_refused(file):
    path = file("a.json", as_json({"kind": "rectangle", "x0": 0, "y0": 0, "x1": 900_000, "y1": 9}))
    assert "region 1: rectangle: x1 = 1800000.0" in str(refusal(path, (1280, 480)))


# --- ImageJ


def imagej(kind, subtype=0, **fields):
    entry = roifile.ImagejRoi()
    entry.roitype, entry.subtype = roifile.ROI_TYPE(kind), roifile.ROI_SUBTYPE(subtype)
    for name, value in fields.items():
        setattr(entry, name, value)
    return entry.tobytes()


def zipped(**entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(f"{name}.roi", data)
    return buffer.getvalue()


def test_imagej_counts_from_the_corner(file):
    """A 2x3 rectangle and a 4x4 oval at (3, 5) cover whole pixels in both programs."""
    box = {"left": 3, "top": 5, "right": 5, "bottom": 8}
    (rectangle,) = RoiSet.load(file("a.roi", imagej(1, **box))).rois
    assert rectangle.bounds() == (2.5, 4.5, 4.5, 7.5)
    assert rectangle.runs((20, 20)).tolist() == [[5, 3, 5], [6, 3, 5], [7, 3, 5]]
    assert rectangle.area() == 6
    (oval,) = RoiSet.load(file("b.roi", imagej(2, **{**box, "right": 7, "bottom": 9}))).rois
    assert oval.circle() == (4.5, 6.5, 2)
    (wide,) = RoiSet.load(file("c.roi", imagej(2, **{**box, "right": 9}))).rois
    assert wide == Ellipse(5.5, 6, 3, 1.5, id=1, name="c", colour=wide.colour)


def test_real_archives(shared):
    folder = shared / "data" / "test-only" / "roi-zip"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    fissa = RoiSet.load(folder / "fissa_20150429.zip", (512, 512)).rois
    assert [(roi.kind, roi.name, len(roi.points)) for roi in fissa] == [
        ("polygon", "01", 10),
        ("polygon", "02", 9),
        ("polygon", "03", 7),
        ("polygon", "04", 10),
    ]
    sima = RoiSet.load(folder / "sima_imageJ_ROIs.zip").rois
    assert [(roi.kind, roi.name, roi.colour) for roi in sima] == [
        ("freehand", "0001-0087-0085", (255, 255, 0)),
        ("freehand", "0001-0049-0041", (255, 255, 0)),
    ]
    for name, rois in (("fissa_20150429", fissa), ("sima_imageJ_ROIs", sima)):
        for roi, entry in zip(rois, roifile.roiread(folder / f"{name}.zip"), strict=True):
            # Every edge of ImageJ's whole numbers lies between our pixel centres, half a pixel from the box.
            assert roi.bounds() == (entry.left - 0.5, entry.top - 0.5, entry.right - 0.5, entry.bottom - 0.5)
            npix = (roi.runs((512, 512)) @ [0, -1, 1]).sum()
            assert npix == pytest.approx(roi.area(), rel=0.1)


def test_entries_with_the_same_name_are_kept_apart(tmp_path):
    rois = RoiSet([Circle(5, 5, 2, name="a/b"), Circle(15, 5, 2, name="a/b"), Circle(25, 5, 2, name="a_b")])
    rois.save(tmp_path / "a.zip", SIZE)
    assert zipfile.ZipFile(tmp_path / "a.zip").namelist() == ["a_b.roi", "a_b-2.roi", "a_b-3.roi"]
    assert [roi.name for roi in RoiSet.load(tmp_path / "a.zip").rois] == ["a/b", "a/b", "a_b"]


def test_what_macos_adds_to_an_archive_is_passed_over(file):
    data = zipped(**{"a": imagej(1, right=4, bottom=4), "__MACOSX/._a": b"\0" * 80})
    assert len(RoiSet.load(file("a.zip", data)).rois) == 1


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (imagej(3, x2=5.0), "a line encloses no area"),
        (imagej(10, n_coordinates=1, integer_coordinates=np.zeros((1, 2), int)), "a point encloses no area"),
        (
            imagej(4, n_coordinates=3, integer_coordinates=np.eye(3, 2, dtype=int)),
            "a freeline encloses no area",
        ),
        (imagej(1, 1, right=5, bottom=5), "a text, an image or a spline"),
        (imagej(1, right=5, bottom=5, rounded_rect_arc_size=3), "rounded corners"),
        (imagej(1, shape_roi_size=3, multi_coordinates=np.zeros(3)), "a composite of several shapes"),
        (imagej(2, right=5, top=3, bottom=3), "ellipse 'bad': ry = 0.0"),
        (imagej(0, n_coordinates=2, integer_coordinates=np.eye(2, dtype=int)), "polygon 'bad' has 2 points"),
        (b"Iout", "not an ImageJ ROI"),
        (b"nonsense" * 20, "not an ImageJ ROI"),
        (imagej(0, n_coordinates=3, integer_coordinates=np.eye(3, 2, dtype=int))[:70], "not an ImageJ ROI"),
    ],
)
def test_an_entry_that_is_no_region_is_refused_by_name(file, entry, why):
    error = refusal(file("a.zip", zipped(good=imagej(1, right=4, bottom=4), bad=entry)))
    assert "entry 'bad.roi': " in str(error)
    assert why in str(error)


def test_a_zip_entry_outside_the_frame_is_refused_by_name(file):
    data = zipped(far=imagej(1, left=700, right=705, bottom=4))
    assert "entry 'far.roi': the rectangle lies outside the 640x480 frame" in str(
        refusal(file("a.zip", data), SIZE)
    )


def test_a_roi_file_holds_one_region(tmp_path):
    with pytest.raises(RoiFileError, match=r"holds one region, not 7; save as \.zip"):
        MIXED.save(tmp_path / "a.roi", SIZE)


def test_beyond_the_16_bits_of_imagej(tmp_path):
    with pytest.raises(RoiFileError, match=r"reaches beyond ImageJ's -5000 to 60535 px; save as \.json"):
        RoiSet([Circle(60_530, 5, 20)]).save(tmp_path / "a.zip", SIZE)


# --- files


@pytest.mark.parametrize("name", ["a.txt", "a", "a.csv.gz"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(RoiFileError, match=r"is no ROI format; use \.csv \.json \.roi \.zip"):
        MIXED.save(tmp_path / name, SIZE)
    assert "is no ROI format" in str(refusal(tmp_path / name))


def test_a_missing_file_and_a_missing_folder(tmp_path):
    assert "cannot be read: No such file" in str(refusal(tmp_path / "a.csv"))
    with pytest.raises(RoiFileError, match="cannot be written: No such file"):
        MIXED.save(tmp_path / "none" / "a.json", SIZE)
    (tmp_path / "file").write_text("")
    with pytest.raises(RoiFileError, match="cannot be written: Not a directory"):
        MIXED.save(tmp_path / "file" / "a.json", SIZE)


@pytest.mark.parametrize(("name", "why"), [("a.csv", "is not UTF-8"), ("a.zip", "cannot be unpacked")])
def test_bytes_that_are_something_else(file, name, why):
    assert why in str(refusal(file(name, b"\xff\xfe1\x00,\x00")))


def test_an_archive_with_any_byte_wrong_is_read_or_refused(file):
    whole = zipped(a=imagej(1, right=4, bottom=4), b=imagej(2, right=4, bottom=4))
    said = set()
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 0xFF
        path = file("a.zip", bytes(data))
        with contextlib.suppress(RoiFileError):
            RoiSet.load(path)
            continue
        said.add(str(refusal(path)).removeprefix(f"{path}: "))
    assert "cannot be unpacked: it is damaged" in said, "zipfile: negative seek value"
    assert not any("\n" in why for why in said)


def test_a_zip_that_unpacks_to_more_than_any_regions_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(257):
            archive.writestr(f"{k}.roi", bytes(2**20))
    with pytest.raises(RoiFileError, match="would unpack to more than 256 MB"):
        RoiSet.load(tmp_path / "a.zip")
