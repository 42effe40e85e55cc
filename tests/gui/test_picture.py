"""What the picture shows: colours, limits, marks, histogram, views, crop, pictures kept; without display."""

import cv2
import numpy as np
import pytest
import tifffile

from roi_core.rois import Circle, RoiSet
from roi_core.settings import LiveSettings
from roi_stream_gui import lut, words
from roi_stream_gui.crop import Crop
from roi_stream_gui.histogram import BINS, PATIENCE, Grip, Histogram
from roi_stream_gui.panels.cropframe import fitting
from roi_stream_gui.picture import Picture
from roi_stream_gui.running import FALL, FLOOR, RISE, SMOOTH, Running
from roi_stream_gui.snapshots import Kept, Snapshots, write
from roi_stream_gui.tone import TOP, Contrast, Exposure, Tone, ends
from roi_stream_gui.views import CHANGES, RAW, Canvas, Views, coded
from tests.gui.driver import within


def picture_of(shape=(48, 64), low=1000, high=3000, seed=0):
    return np.random.default_rng(seed).integers(low, high, shape).astype(np.uint16)


class TestColours:
    @pytest.mark.parametrize("name", lut.NAMES)
    def test_shades_go_one_way_and_the_marks_stand_out(self, name):
        palette = lut.palette(name)
        assert palette.shape == (256, 3)
        assert palette.dtype == np.float32
        assert palette.min() >= 0
        assert palette.max() <= 1
        light = palette[: lut.SHADES] @ [0.2126, 0.7152, 0.0722]
        steps = np.diff(light) * (-1 if name == "inverted" else 1)
        assert (steps > -2e-3).all()
        for mark in (lut.DARK, lut.FULL):
            away = np.abs(palette[: lut.SHADES] - palette[mark]).max(axis=1).min()
            assert away > 0.12, "a mark must not look like a shade"

    def test_published_tables_keep_their_ends(self):
        assert lut.palette("viridis")[0] == pytest.approx([0.267, 0.005, 0.329], abs=0.01)
        assert lut.palette("viridis")[lut.SHADES - 1] == pytest.approx([0.993, 0.906, 0.144], abs=0.01)
        assert lut.palette("inferno")[lut.SHADES - 1] == pytest.approx([0.988, 0.998, 0.645], abs=0.01)


class TestTone:
    @pytest.mark.parametrize("gamma", [1.0, 0.5, 2.0])
    def test_the_table_is_its_formula(self, gamma):
        table = Tone().between(1000, 5000, gamma)
        codes = np.arange(TOP + 1)
        twin = np.clip((codes - 1000) / 4000, 0, 1) ** gamma * (lut.SHADES - 1)
        assert np.abs(table - twin).max() <= 0.501

    def test_marks_are_in_the_table(self):
        table = Tone().between(0, 5000, full=4095, dark=True)
        assert (table[4095:] == lut.FULL).all()
        assert table[4094] < lut.SHADES
        assert table[0] == lut.DARK
        assert table[1] < lut.SHADES


class TestExposure:
    def test_pixels_at_both_ends_are_counted_exactly(self):
        image = np.full((50, 60), 65534, np.uint16)
        image[3, 4:9], image[5, :3] = 65535, 0
        assert Exposure().look(image, 0.0) == (5, 3)

    @pytest.mark.parametrize("limit", [1023, 4095, 16_383, 65_520])
    def test_a_camera_of_fewer_bits_is_known_by_its_brightest_pixels(self, limit):
        image = picture_of(high=1010, low=10)
        exposure = Exposure()
        assert exposure.look(image, 0.0).full == 0
        image[0, :4] = limit
        assert exposure.look(image, 1.0).full == 4
        assert exposure.limit == limit
        image[0, :4] = 9
        assert exposure.look(image, 2.0).full == 0
        assert exposure.limit == limit, "it has not changed with the light"
        image[0, 0] = 65_535
        assert exposure.look(image, 3.0).full == 1
        assert exposure.limit == TOP

    def test_one_pixel_there_by_chance_is_no_limit(self):
        image = picture_of(high=4095)
        image[0, 0] = 4095
        assert Exposure().look(image, 0.0).full == 0

    def test_a_limit_that_is_given_holds(self):
        assert Exposure().look(picture_of(low=500, high=501), 0.0, 500).full == 48 * 64

    def test_what_the_camera_tells_holds_until_the_user_says_otherwise(self):
        settings = LiveSettings()
        picture = Picture(settings)
        image = picture_of(low=500, high=501)
        picture.look(image, 0.0, 500)
        assert picture.exposure.count.full == 48 * 64
        settings.edit("display.full", 600)
        picture.look(image, 1.0, 500)
        assert picture.exposure.count.full == 0
        picture.close()

    def test_a_camera_with_a_range_is_full_at_its_upper_end(self):
        settings = LiveSettings()
        settings.edit("display.full", 0)
        settings.current = settings.current.with_texts("camera.input_low=0", "camera.input_high=4095")
        picture = Picture(settings)
        image = picture_of()
        image[0, :5] = 4095
        picture.look(image, 0.0)
        assert picture.exposure.count.full == 0, "4095 is a value like any other when 65535 is the limit"
        image[1, :5] = 65_535
        picture.look(image, 1.0)
        assert picture.exposure.count.full == 5
        picture.close()


class TestContrast:
    def test_auto_takes_the_first_frame_at_once_and_then_eases(self):
        contrast, image = Contrast(), picture_of(low=1000, high=2000)
        first = contrast.follow(Canvas(RAW, image), 0.0)
        assert first == pytest.approx((1000, 2000), abs=30)
        assert contrast.follow(Canvas(RAW, image * 2), 0.01) == first
        low, high = contrast.follow(Canvas(RAW, image * 2), 1.0)
        assert first[1] < high < 3900
        for k in range(60):
            low, high = contrast.follow(Canvas(RAW, image * 2), 2.0 + k)
        assert (low, high) == pytest.approx((2000, 4000), abs=60)

    def test_limits_that_cross_are_set_apart(self):
        low, high = Contrast().hold(900, 100, 1.0)
        assert high > low

    def test_where_nothing_is_does_not_count(self):
        codes = np.zeros((40, 40), np.uint16)
        codes[:10] = 30_000
        assert ends(codes, holes=True)[0] == 30_000
        assert ends(codes)[0] == 0


class TestHistogram:
    def test_heights_are_the_logarithm_of_counts(self):
        image = np.full((32, 32), 100, np.uint16)
        image[:4] = 1000
        levels = Histogram().look(Canvas(RAW, image), (100, 1000), RAW)
        heights = levels.heights * np.log1p(28 * 32)
        (first, second) = np.flatnonzero(heights)
        assert heights[[first, second]] == pytest.approx([np.log1p(28 * 32), np.log1p(4 * 32)])
        assert levels.value((first + 0.5) / BINS) == pytest.approx(100, abs=20)
        assert levels.value((second + 0.5) / BINS) == pytest.approx(1000, abs=20)

    def test_one_hot_pixel_does_not_squeeze_the_scale(self):
        image = picture_of((200, 200))
        image[7, 8] = 65_535
        assert Histogram().look(Canvas(RAW, image), (1000, 3000), RAW).end < 4000

    def test_the_scale_stays_while_it_fits(self):
        histogram = Histogram()
        first = histogram.look(Canvas(RAW, picture_of()), (1000, 3000), RAW)
        assert histogram.look(Canvas(RAW, picture_of(high=2900)), (1010, 2950), RAW)[:2] == first[:2]
        wide = histogram.look(Canvas(RAW, picture_of(high=9000)), (1000, 9000), RAW)
        assert wide.end > 8900
        looks = [histogram.look(Canvas(RAW, picture_of()), (1000, 3000), RAW).end for _ in range(PATIENCE)]
        assert looks[:-1] == [wide.end] * (PATIENCE - 1), "a transient has just ended"
        assert looks[-1] < 4000

    def test_holes_of_a_float_picture_do_not_count(self):
        values = np.full((20, 20), np.nan, np.float32)
        values[:5] = np.linspace(-1, 1, 100).reshape(5, 20)
        levels = Histogram().look(coded("std", values, 1, 1), (-1, 1), "std")
        assert levels.start == pytest.approx(-1.16, abs=0.05)


class TestGrip:
    @pytest.mark.parametrize(
        ("at", "to", "limits"),
        [
            (0.2, 0.3, (30, 80)), (0.8, 0.9, (20, 90)), (0.5, 0.6, (30, 90)), (0.1, 0.1, (10, 80)),
            (0.95, 0.9, (20, 90)),
        ],
    )  # fmt: skip
    def test_the_hand_moves_a_line_or_both(self, at, to, limits):
        grip = Grip()
        grip.press(at, 0.2, 0.8, 0.02)
        assert grip.busy
        assert grip.move(to, (20, 80), 100) == pytest.approx(limits)
        grip.release()
        assert grip.move(0.5, (20, 80), 100) == (20, 80)

    def test_lines_never_cross(self):
        grip = Grip()
        grip.press(0.2, 0.2, 0.8, 0.02)
        low, high = grip.move(0.95, (20, 80), 100)
        assert (low, high) == pytest.approx((79, 80))


class TestRunning:
    def test_dff_is_its_formula(self):
        """The kernel against plain numpy, with uneven time between frames."""
        rng = np.random.default_rng(2)
        running, shape = Running((12, 16)), (12, 16)
        smooth = baseline = None
        time = before = 0.0
        for n in range(1, 60):
            image = rng.integers(500, 4000, shape).astype(np.uint16)
            time += rng.uniform(0.02, 0.1)
            running.learn(image, time, (0.0, 0.0))
            x = image.astype(float)
            if n == 1:
                smooth, baseline = x.copy(), x.copy()
            part = [max(1 - np.exp(-(time - before) / over), 1 / n) for over in (SMOOTH, RISE, FALL)]
            before = time
            smooth += part[0] * (x - smooth)
            baseline += np.where(smooth > baseline, part[1], part[2]) * (smooth - baseline)
        twin = (smooth - baseline) / np.maximum(baseline, FLOOR * baseline.mean())
        np.testing.assert_allclose(running.dff(), twin, atol=2e-4)

    def test_a_transient_is_seen_and_hardly_lifts_the_baseline(self):
        running = Running((8, 8))
        for k in range(600):
            image = np.full((8, 8), 1000, np.uint16)
            image[2:5, 2:5] += 500 * (560 <= k)
            running.learn(image, k / 30, (0.0, 0.0))
        dff = running.dff()
        assert dff[3, 3] == pytest.approx(0.5, abs=0.06)
        assert dff[7, 7] == pytest.approx(0.0, abs=1e-3)

    def test_summary_pictures_are_those_of_the_frames(self):
        frames = [picture_of((8, 9), seed=k) for k in range(50)]
        running = Running((8, 9))
        for k, image in enumerate(frames):
            running.learn(image, k / 30, (0.0, 0.0))
        found, stack = running.pictures(), np.array(frames, float)
        np.testing.assert_allclose(found["mean"], stack.mean(axis=0), rtol=1e-4)
        np.testing.assert_allclose(found["std"], stack.std(axis=0), rtol=1e-3)
        np.testing.assert_array_equal(found["max"], stack.max(axis=0))

    @pytest.mark.parametrize("shift", [(2.0, -3.0), (-1.2, 0.7)])
    def test_frames_are_put_in_their_places(self, shift):
        image = picture_of((20, 30))
        running = Running((20, 30))
        running.learn(image, 0.0, shift)
        dy, dx = round(shift[0]), round(shift[1])
        moved = np.roll(image, (dy, dx), (0, 1))[5:-5, 5:-5]
        np.testing.assert_array_equal(running._now[5:-5, 5:-5], moved)

    def test_a_large_camera_is_learned_in_blocks(self):
        image = picture_of((1500, 2100))
        running = Running(image.shape)
        running.learn(image, 0.0, (0.0, 0.0))
        assert running.step == 2
        blocks = image.reshape(750, 2, 1050, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(running._now, blocks, rtol=1e-6)


class TestCanvas:
    def test_codes_give_the_values_back(self):
        values = np.random.default_rng(0).normal(0, 3, (30, 40)).astype(np.float32)
        values[3, 4] = np.nan
        canvas = coded("residual", values, 1, 1)
        assert canvas.codes[3, 4] == 0
        back = canvas.value(canvas.codes.astype(float))
        good = np.isfinite(values)
        assert np.abs(back - values)[good].max() <= canvas.scale
        assert canvas.codes[good].min() == 1
        assert canvas.codes.max() == TOP
        assert np.isnan(canvas.at(3, 4))
        assert canvas.at(5, 6) == values[5, 6]

    def test_a_fixed_span_cuts(self):
        canvas = coded("dff", np.array([[-5, 0, 50]], np.float32), 1, 1, CHANGES)
        assert canvas.value(canvas.codes.astype(float)).ravel() == pytest.approx([-1, 0, 9], abs=1e-3)

    @pytest.mark.parametrize("value", [0.0, 1.0, -3e5])
    def test_a_flat_picture_is_a_picture(self, value):
        canvas = coded("std", np.full((4, 4), value, np.float32), 1, 1)
        assert canvas.value(float(canvas.codes[0, 0])) == pytest.approx(value, abs=1e-3 + 1e-5 * abs(value))

    def test_nothing_at_all_is_none(self):
        assert coded("mean", np.full((4, 4), np.nan, np.float32), 1, 1) is None


class TestViews:
    @pytest.fixture
    def session(self, do):
        controller, sources = do
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        sources[-1].step(20)
        within(20, lambda: controller.view().snapshot.frames_seen == 20, "frames")
        return controller.session

    @pytest.mark.parametrize("name", ["dff", "mean", "max", "std", "correlation"])
    def test_a_view_needs_no_analysis(self, do, session, name):
        controller, sources = do
        controller.edit("display.view", name)
        within(20, lambda: (controller.tick(), controller.picture.views._seen)[1], "one frame was seen")
        sources[-1].step(20)
        within(20, lambda: (controller.tick(), controller.picture.views.canvas)[1], name)
        canvas = controller.picture.views.canvas
        assert canvas.name == name
        assert canvas.codes.shape == session.frames.shape
        assert np.isfinite(canvas.values).any()

    def test_what_is_made_by_a_stage_that_is_off_is_missing(self, do, session):
        from roi_stream_gui.views import missing

        views = Views()
        views.follow(session, "template")
        within(20, lambda: views._job is None or views._job.done(), "looked")
        views.follow(session, "template")
        assert views.canvas is None
        assert "motion.enabled" in missing("template", session.snapshot())
        assert "cnmf.enabled" in missing("residual", session.snapshot())
        views.close()

    def test_a_stage_s_own_picture_comes_first(self, do, session, monkeypatch):
        given = np.arange(session.frames.shape[0] * session.frames.shape[1], dtype=np.float32)
        pictures = {"mean": given.reshape(session.frames.shape)}
        monkeypatch.setattr(session, "pictures", lambda: pictures)
        views = Views()
        within(20, lambda: (views.follow(session, "mean"), views.canvas)[1], "a picture")
        np.testing.assert_array_equal(views.canvas.values, pictures["mean"])
        views.close()

    def test_a_failure_is_told_once(self, do, session, monkeypatch):
        monkeypatch.setattr(session, "pictures", lambda: 1 / 0)
        views = Views()

        def told():
            views.follow(session, "mean")
            return [m for m in do[0].log.messages() if "there are no pictures" in m.text]

        within(20, told, "a message")
        for _ in range(5):
            views.follow(session, "mean")
        assert [m.count for m in told()] == [1]
        views.close()


class TestPicture:
    @pytest.fixture
    def picture(self):
        picture = Picture(LiveSettings())
        yield picture
        picture.close()

    def test_limits_held_by_hand_are_taken_as_they_are(self, picture):
        picture.show(Canvas(RAW, picture_of()), 0.0)
        picture.fix(1500.4, 2500.0)
        shown = picture.settings.current.display
        assert (shown.auto_contrast, shown.low, shown.high) == (False, 1500, 2500)
        picture.show(Canvas(RAW, picture_of(high=60_000)), 9.0)
        assert picture.limits == (1500, 2500)

    def test_holding_keeps_what_is_seen(self, picture):
        picture.show(Canvas(RAW, picture_of()), 0.0)
        seen = picture.limits
        picture.automatic()
        picture.show(Canvas(RAW, picture_of(high=60_000)), 9.0)
        assert picture.limits == pytest.approx(seen, abs=1)
        picture.automatic()
        picture.show(Canvas(RAW, picture_of(high=60_000)), 10.0)
        assert picture.limits != pytest.approx(seen, abs=1)

    def test_each_view_has_limits_of_its_own(self, picture):
        raw, std = Canvas(RAW, picture_of()), coded("std", picture_of().astype(np.float32) / 1e4, 1, 1)
        picture.show(raw, 0.0)
        picture.fix(1000, 2000)
        picture.show(std, 1.0)
        picture.fix(0.15, 0.2)
        picture.show(raw, 2.0)
        assert picture.limits == (1000, 2000)
        picture.show(std, 3.0)
        assert picture.limits == (0.15, 0.2)

    def test_limits_that_cross_never_divide_by_zero(self, picture):
        picture.show(Canvas(RAW, picture_of()), 0.0)
        picture.settings.edit("display.low", 900)
        picture.settings.edit("display.high", 100)
        picture.settings.edit("display.auto_contrast", False)
        picture.show(Canvas(RAW, picture_of()), 1.0)
        assert picture.limits[1] > picture.limits[0]

    def test_limits_from_a_region_are_those_of_its_pixels(self, picture):
        image = picture_of(low=10_000, high=60_000)
        image[8:17, 20:29] = 2000
        image[10, 22] = 2400
        picture.show(Canvas(RAW, image), 0.0)
        picture.fit_to([Circle(24, 12, 3.5)])
        shown = picture.settings.current.display
        assert (shown.low, shown.high) == pytest.approx((2000, 2200), abs=250)

    def test_a_region_on_a_moved_picture_is_where_its_cell_is(self, picture):
        image = picture_of(low=10_000, high=60_000)
        image[8:17, 20:29] = 2000
        image[10, 22] = 2400
        picture.show(Canvas(RAW, image), 0.0)
        picture.follow((2.1, -4.2), 1.0)
        assert picture.shift == (2.0, -4.25), "nothing finer than can be seen"
        picture.fit_to([Circle(24 - 4, 12 + 2, 3.5)])
        shown = picture.settings.current.display
        assert (shown.low, shown.high) == pytest.approx((2000, 2200), abs=250)

    def test_marks_are_of_the_camera_s_picture_only(self, picture):
        picture.settings.edit("display.dark", True)
        picture.show(Canvas(RAW, picture_of()), 0.0)
        assert picture.marks() == (TOP, True)
        picture.show(coded("std", picture_of().astype(np.float32), 1, 1), 1.0)
        assert picture.marks() == (None, False)


class TestCrop:
    @pytest.mark.parametrize("waits", [True, False])
    def test_its_word_is_no_wider_than_its_frame(self, waits):
        texts = words.CROP_LABELS[waits]
        for room in range(0, 400, 10):
            text = fitting(texts, room, lambda text: 6.0 * len(text))
            assert 6 * len(text) <= room
            assert text == texts[0] or 6 * len(texts[0]) > room, "and says as much as it can"
        assert fitting(texts, 400, len) == texts[0]
        assert fitting(texts, 0, len) == ""

    @pytest.fixture
    def crop(self):
        crop = Crop(LiveSettings())
        crop.size = (640, 480)
        return crop

    def draw(self, crop, start, end):
        crop.take()
        crop.press(*start)
        crop.move(*end)
        assert crop.busy
        crop.release(*end)
        assert not crop.busy

    def test_a_rectangle_becomes_the_setting(self, crop):
        self.draw(crop, (100.2, 50.4), (300.1, 250.0))
        assert crop._settings.current.prepare.crop == "100,50,200,200"
        assert crop.shown == (100, 50, 200, 200)
        assert not crop.armed
        crop.remove()
        assert crop._settings.current.prepare.crop == ""
        assert crop.shown is None

    def test_it_ends_with_the_picture(self, crop):
        self.draw(crop, (500, 400), (900, -50))
        assert crop.shown == (500, 0, 140, 400)

    def test_a_slip_of_the_hand_changes_nothing(self, crop, caplog):
        self.draw(crop, (100, 50), (104, 300))
        assert crop.shown is None
        assert "smaller than 16 x 16" in caplog.text

    def test_while_frames_flow_it_waits_for_the_next_session(self, crop, caplog):
        caplog.set_level("INFO")
        crop._settings.running = True
        self.draw(crop, (0, 0), (320, 240))
        assert crop.waits
        assert crop._settings.current.prepare.crop == ""
        assert crop.shown == (0, 0, 320, 240)
        assert "from the next connection on" in caplog.text
        crop._settings.running = False
        crop.settle()
        assert not crop.waits
        assert crop._settings.current.prepare.crop == "0,0,320,240"

    def test_what_waits_can_be_taken_back(self, crop):
        crop._settings.running = True
        self.draw(crop, (0, 0), (320, 240))
        crop.remove()
        assert not crop.waits
        assert crop.shown is None

    def test_another_connection_puts_it_in_force(self, do):
        controller, _ = do
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        controller.picture.tick(controller.session)
        height, width = controller.session.frames.shape
        self.draw(controller.picture.crop, (0, 0), (width, height))
        assert controller.picture.crop.waits
        first = controller.session
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.session is not first)[1], "connected again")
        assert controller.settings.current.prepare.crop == f"0,0,{width},{height}"
        assert not controller.picture.crop.waits


def kept(canvas, rois=(), **more):
    tone = Tone().between(1000, 3000)
    return Kept(canvas, tone.copy(), lut.palette("green"), RoiSet(rois), **more)


class TestSnapshots:
    def test_the_tiff_holds_the_numbers_and_the_png_the_colours(self, tmp_path):
        image = picture_of()
        path = write(kept(Canvas(RAW, image)), tmp_path / "new", {})
        np.testing.assert_array_equal(tifffile.imread(path.with_suffix(".tif")), image)
        seen = cv2.imread(str(path))
        assert seen.shape == (*image.shape, 3)
        assert (seen[:, :, [0, 2]] == 0).all(), "green only"
        twin = np.clip((image - 1000.0) / 2000, 0, 1) * 255
        assert np.abs(seen[:, :, 1] - twin).max() < 2

    def test_a_float_view_keeps_its_floats(self, tmp_path):
        values = np.random.default_rng(0).normal(size=(30, 40)).astype(np.float32)
        path = write(kept(coded("residual", values, 2, 1)), tmp_path, {})
        back = tifffile.imread(path.with_suffix(".tif"))
        assert back.dtype == np.float32
        np.testing.assert_array_equal(back, values)
        assert path.stem.endswith("_residual")
        with tifffile.TiffFile(path.with_suffix(".tif")) as file:
            assert file.is_imagej
            assert "camera px per value: 2" in file.imagej_metadata["Info"]

    @pytest.mark.parametrize("shift", [(0.0, 0.0), (6.0, -9.0)])
    def test_regions_are_drawn_beside_the_plain_picture(self, tmp_path, shift):
        image = np.full((200, 200), 1000, np.uint16)
        circle = Circle(100 + shift[1], 60 + shift[0], 30, colour=(255, 0, 0))
        path = write(kept(Canvas(RAW, image), [circle], shift=shift), tmp_path, {})
        assert cv2.imread(str(path)).max() == 0
        drawn = cv2.imread(str(path.with_name(f"{path.stem}_regions.png")))
        larger = drawn.shape[0] // 200
        red = drawn[:, :, 2]
        assert larger == 7
        y, x = int((60 + 0.5) * larger), int((100 + 30 + 0.5) * larger)
        assert red[y - 1 : y + 2, x - 2 : x + 3].max() > 200
        assert red[y, int(100.5 * larger)] == 0

    def test_two_in_one_second_are_two(self, tmp_path):
        snapshots = Snapshots()
        for _ in range(3):
            snapshots.keep(kept(Canvas(RAW, picture_of())), tmp_path)
        snapshots.close()
        assert len(list(tmp_path.glob("*.tif"))) == 3

    def test_a_folder_that_cannot_be_written_is_a_message(self, tmp_path, caplog):
        (tmp_path / "taken").write_text("a file")
        snapshots = Snapshots()
        snapshots.keep(kept(Canvas(RAW, picture_of())), tmp_path / "taken" / "below")
        snapshots.close()
        assert "the picture was not kept" in caplog.text

    def test_it_is_told_in_the_recording(self, do):
        from roi_core.recording import Recording

        controller, sources = do
        controller.connect("running")
        within(20, lambda: (controller.tick(), controller.view().running)[1], "connected")
        sources[-1].step(5)
        within(20, lambda: controller.view().snapshot.frames_seen == 5, "frames")
        controller.record()
        controller.picture.show(Canvas(RAW, controller.session.frames.latest().image), 0.0)
        controller.picture.keep(controller)
        within(
            20,
            lambda: (controller.tick(), list(controller.taking.folder.glob("*_regions.png")))[1],
            "a picture",
        )

        def told():
            controller.tick()
            return [m for m in controller.log.messages() if m.text.startswith("picture kept")]

        within(20, told, "a message")
        sources[-1].step(5)
        within(20, lambda: controller.view().snapshot.recording.rows == 5, "rows")
        controller.stop_recording()
        within(20, lambda: not controller.view().snapshot.recording.closing, "a file")
        with Recording(controller.view().snapshot.recording.path) as file:
            (event,) = [event for event in file.events if event.kind == "snapshot"]
        assert event.data["path"].endswith("_raw.png")

    def test_without_a_picture_it_says_so(self, do):
        do[0].picture.keep(do[0])
        assert "no picture" in do[0].log.messages()[-1].text
