"""Videos, TIFF stacks, HDF5 and npy: every pixel as written, every time as meant."""

import errno
import subprocess
import sys
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import tifffile

from roi_core import layout
from roi_core.errors import SourceError
from roi_core.sources import Paced, open_source
from roi_core.sources.files import FileTime
from tests.contracts.test_source import SourceContract, collect, live_settings

RNG = np.random.default_rng(0)
MOVIE = RNG.integers(0, 65536, (10, 24, 32), dtype=np.uint16)
COLOUR = RNG.integers(0, 256, (10, 24, 32, 3), dtype=np.uint8)


def write_video(path: Path, frames: np.ndarray, rate: float = 20.0, codec: str = "FFV1") -> Path:
    depth = cv2.CV_16U if frames.dtype == np.uint16 else cv2.CV_8U
    colour = int(frames.ndim == 4)
    options = [cv2.VIDEOWRITER_PROP_DEPTH, depth, cv2.VIDEOWRITER_PROP_IS_COLOR, colour]
    size = frames.shape[2], frames.shape[1]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*codec), rate, size, options)
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def write_recording(path: Path, rows: int = 8, indices: object = None) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["format"] = np.bytes_("roi_stream")
        file[layout.TIME] = (np.arange(rows) * 0.05)[:, None]
        file[layout.FRAME_INDEX] = np.arange(rows) if indices is None else np.asarray(indices)
        file[layout.MOVIE] = MOVIE[:rows]
    return path


def opened(path: object, **camera: object):
    return open_source(str(path), live_settings(**camera))


def pixels(source) -> np.ndarray:
    frames = collect(source)
    source.close()
    return np.stack([frame.image for frame in frames])


def our(caplog) -> list[str]:
    """Return what was told to the user, but for missing frame rates; tifffile also logs, unseen."""
    told = [record.getMessage() for record in caplog.records if record.name.startswith("roi_core")]
    return [text for text in told if "tells no frame rate" not in text]


class TestVideo(SourceContract):
    def make(self, folder):
        return opened(write_video(folder / "a.mkv", MOVIE))


class TestTiff(SourceContract):
    def make(self, folder):
        tifffile.imwrite(folder / "a.tif", MOVIE.astype(np.int16), photometric="minisblack")
        return opened(folder / "a.tif")


class TestNpy(SourceContract):
    def make(self, folder):
        np.save(folder / "a.npy", MOVIE)
        return opened(folder / "a.npy")


class TestHdf5(SourceContract):
    def make(self, folder):
        with h5py.File(folder / "a.h5", "w") as file:
            file.create_dataset("data", data=MOVIE, chunks=(3, 24, 32), compression="gzip")
        return opened(f"{folder / 'a.h5'}:data")


class TestRecording(SourceContract):
    def make(self, folder):
        return opened(write_recording(folder / "a.h5", indices=[3, 4, 5, 9, 10, 11, 12, 13]))


class TestPaced(SourceContract):
    def make(self, folder):
        np.save(folder / "a.npy", MOVIE)
        return open_source(str(folder / "a.npy"), live_settings(rate=100.0), realtime=True)


@pytest.mark.offline
def test_the_test_video_has_900_frames_a_sixtieth_apart(video):
    source = opened(video)
    assert (source.shape, source.rate, source.length) == ((720, 1280), 60.0, 900)
    times = [(frame.index, frame.time) for frame in source.frames()]
    source.close()
    assert [index for index, _ in times] == list(range(900))
    np.testing.assert_allclose([time for _, time in times], np.arange(900) / 60, atol=1e-9)


def test_16_bit_video_is_exact(tmp_path):
    read = pixels(opened(write_video(tmp_path / "a.mkv", MOVIE)))
    assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, MOVIE)


def test_16_bit_y4m_is_exact(tmp_path):
    frames = b"".join(b"FRAME\n" + frame.tobytes() for frame in MOVIE)
    (tmp_path / "a.y4m").write_bytes(b"YUV4MPEG2 W32 H24 F20:1 Ip A1:1 Cmono16\n" + frames)
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.y4m")), MOVIE)


def test_pixels_that_opencv_cannot_keep_are_told(tmp_path, caplog):
    frames = b"".join(b"FRAME\n" + (frame >> 4).tobytes() for frame in MOVIE)
    (tmp_path / "a.y4m").write_bytes(b"YUV4MPEG2 W32 H24 F20:1 Ip A1:1 Cmono12\n" + frames)
    read = pixels(opened(tmp_path / "a.y4m"))
    assert read.dtype == np.uint8
    np.testing.assert_allclose(read.mean(axis=(0, 3)), (MOVIE >> 8).mean(axis=0), atol=2)
    assert caplog.messages == ["a.y4m has 12-bit pixels, of which OpenCV gives only 8 bits"]


def test_8_bit_gray_video_is_one_channel_and_exact(tmp_path):
    gray = (MOVIE >> 8).astype(np.uint8)
    np.testing.assert_array_equal(pixels(opened(write_video(tmp_path / "a.avi", gray))), gray)


def test_ordinary_colour_video_is_bgr(tmp_path):
    blue = np.zeros((5, 24, 32, 3), np.uint8)
    blue[..., 0] = 250
    read = pixels(opened(write_video(tmp_path / "a.avi", blue, codec="MJPG")))
    assert read.shape == (5, 24, 32, 3)
    assert read[..., 0].mean() > 230
    assert read[..., 2].mean() < 20


def test_a_video_cut_short_gives_what_is_left_and_says_so(tmp_path, caplog):
    whole = write_video(tmp_path / "whole.avi", MOVIE[np.arange(100) % 10] >> 8 << 8)
    cut = tmp_path / "cut.avi"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = opened(cut)
    read = len(collect(source))
    source.close()
    assert 30 < read < 60
    assert caplog.messages == [f"cut.avi is damaged: {read} of {source.length} frames could be read"]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ([0, 0.05, 0.10, 0.15], [0, 0.05, 0.10, 0.15]),
        ([0, 0.0502, 0.0998, 0.1501], [0, 0.05, 0.10, 0.15]),  # a container that rounds
        ([0.08, 0.13, 0.18, 0.23], [0, 0.05, 0.10, 0.15]),  # a stream that does not begin at 0
        ([0, 0.05, 0.20, 0.25], [0, 0.05, 0.20, 0.25]),  # variable rate
        ([0, 0, 0, 0], [0, 0.05, 0.10, 0.15]),  # no stamps at all
        ([0, 0.05, 0.02, 0.07], [0, 0.05, 0.10, 0.15]),  # stamps out of order
    ],
)
def test_file_time_believes_the_container_only_where_it_must(stamps, times):
    clock = FileTime(20.0)
    np.testing.assert_allclose([clock.step(row, stamp) for row, stamp in enumerate(stamps)], times)


def test_two_photon_tiff_keeps_int16(shared):
    path = shared / "data" / "2p-tolias-crop" / "movie_300x112x112_i16.tif"
    read = pixels(opened(path, rate=15.0))
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, tifffile.imread(path))


def test_scanimage_tiff_gives_its_pages(shared):
    path = shared / "data" / "scanimage" / "sample_scanimage_version_3_8.tiff"
    np.testing.assert_array_equal(pixels(opened(path)), tifffile.imread(path).reshape(-1, 256, 256))


@pytest.mark.parametrize(
    "options",
    [
        {"photometric": "minisblack"},
        {"photometric": "minisblack", "compression": "zlib"},
        {"photometric": "minisblack", "bigtiff": True, "byteorder": ">"},
        {"imagej": True, "metadata": {"axes": "TZYX"}},
        {"imagej": True, "metadata": {"axes": "TCYX"}},
    ],
    ids=["plain", "zlib", "big-endian BigTIFF", "ImageJ slices", "ImageJ channels"],
)
def test_tiff_variants_give_every_page(tmp_path, options):
    stack = MOVIE.reshape(5, 2, 24, 32) if "imagej" in options else MOVIE
    tifffile.imwrite(tmp_path / "a.tif", stack, **options)
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.tif")), MOVIE)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_very_short_gray_stack_is_not_taken_for_colour_planes(tmp_path, count):
    tifffile.imwrite(tmp_path / "a.tif", MOVIE[:count], photometric="minisblack", planarconfig="separate"
                     if count > 2 else None)  # fmt: skip
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.tif")), MOVIE[:count])


def test_colour_tiff_becomes_bgr(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", COLOUR, photometric="rgb")
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.tif")), COLOUR[..., ::-1])


def test_imagej_tells_its_rate(tmp_path):
    metadata = {"axes": "TYX", "finterval": 0.04}
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, imagej=True, metadata=metadata)
    source = opened(tmp_path / "a.tif")
    assert source.rate == pytest.approx(25.0)
    source.close()


def test_a_tiff_cut_short_gives_what_is_left_and_says_so(tmp_path, caplog):
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    tifffile.imwrite(whole, MOVIE, photometric="minisblack", compression="zlib", metadata=None)
    cut.write_bytes(whole.read_bytes()[:-5000])
    read = pixels(opened(cut))
    assert 0 < len(read) < 10
    np.testing.assert_array_equal(read, MOVIE[: len(read)])
    assert our(caplog) == [f"cut.tif is damaged: {len(read)} frames can be read"]


@pytest.mark.parametrize("percent", [30, 60, 90])
@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib"},
        {"compression": "zlib", "bigtiff": True},
        {"compression": "zlib", "ome": True},
        {},
    ],
    ids=["zlib", "BigTIFF", "OME", "plain"],
)
def test_a_long_tiff_cut_anywhere_keeps_its_whole_pages(tmp_path, caplog, options, percent):
    stack = np.concatenate([MOVIE] * 6)
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    tifffile.imwrite(whole, stack, photometric="minisblack", **options)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * percent // 100])
    read = pixels(opened(cut))
    assert len(read) == pytest.approx(60 * percent / 100, abs=6)
    np.testing.assert_array_equal(read, stack[: len(read)])
    assert our(caplog) == [f"cut.tif is damaged: {len(read)} frames can be read"]


def test_a_tiff_with_a_damaged_page_ends_before_it(tmp_path, caplog):
    tifffile.imwrite(tmp_path / "a.tif", MOVIE, photometric="minisblack", compression="zlib")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        at = file.pages[4].dataoffsets[0]
    data = bytearray((tmp_path / "a.tif").read_bytes())
    data[at : at + 20] = bytes(20)
    (tmp_path / "a.tif").write_bytes(data)
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.tif")), MOVIE[:4])
    assert our(caplog) == ["a.tif is damaged: 4 of 10 frames could be read"]


def test_an_hdf5_with_a_damaged_chunk_ends_before_it(tmp_path, caplog):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("d", data=MOVIE, chunks=(2, 24, 32), fletcher32=True)
        at = dataset.id.get_chunk_info(2).byte_offset
    data = bytearray((tmp_path / "a.h5").read_bytes())
    data[at] ^= 0xFF
    (tmp_path / "a.h5").write_bytes(data)
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.h5")), MOVIE[:4])
    assert our(caplog) == ["a.h5 is damaged: 4 of 10 frames could be read"]


@pytest.mark.parametrize("kind", [RuntimeError, KeyError, OSError, TypeError, MemoryError])
def test_whatever_a_decoder_raises_is_a_sentence(tmp_path, caplog, monkeypatch, kind):
    def broken(*_, **__):
        raise kind("inner")

    tifffile.imwrite(tmp_path / "a.tif", MOVIE, photometric="minisblack")
    np.save(tmp_path / "a.npy", MOVIE)
    write_recording(tmp_path / "a.h5")
    source = opened(tmp_path / "a.h5")
    source._movie = type("Movie", (), {"__getitem__": broken})()
    assert collect(source) == []
    source.close()
    assert our(caplog) == ["a.h5 is damaged: 0 of 8 frames could be read"]
    monkeypatch.setattr(tifffile.TiffFile, "series", property(broken))
    monkeypatch.setattr(h5py.Group, "get", broken)
    monkeypatch.setattr(np.lib.format, "open_memmap", broken)
    for name, form in (("a.tif", "TIFF"), ("a.npy", "npy"), ("a.h5", "HDF5")):
        with pytest.raises(SourceError, match=f"^{name} cannot be read as {form}: (it is damaged|inner)$"):
            opened(tmp_path / name)


def test_a_recording_that_another_process_writes_is_read(tmp_path):
    path = write_recording(tmp_path / "a.h5")
    hold = "import h5py, sys; f = h5py.File(sys.argv[1], 'a'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout.readline().strip() == b"open"
        np.testing.assert_array_equal(pixels(opened(path)), MOVIE[:8])
        writer.communicate(b"\n")


def test_a_recording_that_cannot_be_read_while_written_is_refused(tmp_path, monkeypatch):
    def locked(*_, locking=True):
        raise BlockingIOError(errno.EAGAIN, "Unable to synchronously open file (unable to lock file")

    path = write_recording(tmp_path / "a.h5")
    monkeypatch.setattr(h5py, "File", locked)
    with pytest.raises(
        SourceError, match=r"^a\.h5 is being written right now; try again when it is finished$"
    ):
        opened(path)


@pytest.mark.parametrize("dtype", ["u1", "i2", ">u2", "u4", "f4", "f8", "?"])
def test_arrays_keep_their_dtype(tmp_path, dtype):
    movie = (MOVIE % 100).astype(dtype)
    np.save(tmp_path / "a.npy", movie)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["only"] = movie
    for name in ("a.npy", "a.h5"):
        read = pixels(opened(tmp_path / name))
        assert read.dtype == (np.uint8 if dtype == "?" else np.dtype(dtype).newbyteorder("="))
        np.testing.assert_array_equal(read, movie)


def test_colour_arrays_become_bgr(tmp_path):
    np.save(tmp_path / "a.npy", COLOUR)
    np.testing.assert_array_equal(pixels(opened(tmp_path / "a.npy")), COLOUR[..., ::-1])


@pytest.mark.parametrize("chunks", [None, (1, 24, 32), (4, 8, 8), (10, 24, 32)])
def test_hdf5_chunks_do_not_matter(tmp_path, chunks):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file.create_dataset("deep/down", data=MOVIE, chunks=chunks)
        file["trace"] = np.zeros(10)
    np.testing.assert_array_equal(pixels(opened(f"{tmp_path / 'a.hdf5'}:deep/down")), MOVIE)


def test_the_rate_of_a_file_without_one_is_the_setting(tmp_path):
    np.save(tmp_path / "a.npy", MOVIE)
    source = opened(tmp_path / "a.npy", rate=8.0)
    assert source.rate == 8.0
    assert [frame.time for frame in source.frames()] == [row / 8 for row in range(10)]
    source.close()


def test_a_recording_brings_its_times_and_its_losses(tmp_path):
    source = opened(write_recording(tmp_path / "a.h5", indices=[3, 4, 5, 9, 10, 11, 12, 13]))
    assert (source.counter, source.length, source.rate) == ("camera", 8, pytest.approx(20.0))
    frames = collect(source)
    source.close()
    assert [frame.index for frame in frames] == [3, 4, 5, 9, 10, 11, 12, 13]
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(8) * 0.05)
    np.testing.assert_array_equal([frame.image for frame in frames], MOVIE[:8])


def test_of_an_unfinished_recording_the_whole_rows_are_read(tmp_path):
    path = write_recording(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file[layout.FRAME_INDEX]
        file[layout.FRAME_INDEX] = np.arange(5)
    assert len(pixels(opened(path))) == 5


def test_a_video_whose_size_changes_is_refused_there(tmp_path, monkeypatch):
    source = opened(write_video(tmp_path / "a.mkv", MOVIE))
    frames = source.frames()
    next(frames)
    source._capture.release()
    source._capture = cv2.VideoCapture(str(write_video(tmp_path / "b.mkv", MOVIE[:, :16, :16].copy())))
    with pytest.raises(SourceError, match=r"^a.mkv changes its frame size at frame 1$"):
        next(frames)
    source.close()


class Hands:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def wait(self, event, seconds: float) -> bool:
        self.time += seconds
        return event.is_set()


def paced(folder, rate=10.0):
    np.save(folder / "a.npy", np.arange(60, dtype=np.uint16)[:, None, None] * np.ones((4, 4), np.uint16))
    hands = Hands()
    return Paced(opened(folder / "a.npy", rate=rate), hands), hands


def test_a_paced_file_waits_for_each_frame(tmp_path):
    source, hands = paced(tmp_path)
    for row, frame in enumerate(source.frames()):
        assert frame.index == row
        assert hands.time == pytest.approx(100.0 + row / 10)
        assert frame.time == pytest.approx(100.0 + row / 10)
    source.close()


def test_a_paced_file_skips_for_a_late_consumer_but_forgives_ten_frames(tmp_path):
    source, hands = paced(tmp_path)
    seen = []
    for frame in source.frames():
        assert frame.image[0, 0] == frame.index
        seen.append(frame.index)
        hands.time += {5: 0.95, 20: 2.0}.get(frame.index, 0.0)
    source.close()
    assert seen == [*range(21), *range(40, 60)]


def test_a_decoder_slower_than_the_file_still_shows_pictures(tmp_path):
    source, hands = paced(tmp_path)
    inner = source._source.read

    def slowly(row):
        hands.time += 0.2
        return inner(row)

    source._source.read = slowly
    indices = [frame.index for frame in source.frames()]
    source.close()
    assert len(indices) > 5
    assert indices[-1] > 40


@pytest.mark.parametrize("first", [0, 4])
@pytest.mark.parametrize("time", [0.0, np.nan, np.inf, 1e200, -1e200])
def test_a_recording_whose_times_are_damaged_is_played_at_its_rate(tmp_path, time, first):
    with h5py.File(write_recording(tmp_path / "a.h5"), "r+") as file:
        file.attrs["start_iso8601"] = np.bytes_("2026-01-01T00:00:00+00:00")
        file[layout.TIME][first:] = time
    source = opened(tmp_path / "a.h5", rate=20.0)
    frames = collect(source)
    source.close()
    assert source.rate == pytest.approx(20.0)
    steps = np.diff([frame.time for frame in frames])
    assert len(frames) == 8
    assert (steps > 0).all()
    assert (steps < 0.1).all()
