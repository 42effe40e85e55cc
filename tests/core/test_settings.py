"""Settings: refused in a sentence, never half applied, and the same in YAML, tooltip and code."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roi_core.errors import SettingsError
from roi_core.settings import LiveSettings, Settings, describe

ASSETS = Path(__file__).parents[2] / "assets"


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("camera.rate=-1", "camera.rate = -1: input should be greater than 0"),
        ("camera.rate=fast", "camera.rate = 'fast': input should be a valid number"),
        ("camera.rate=.nan", "camera.rate = nan: input should be a finite number"),
        ("camera.rat=3", "camera.rat = '3': no such setting; camera has format, rate"),
        (
            "kamera.rate=3",
            "no such setting; the blocks are camera, channels, prepare, motion, roi, cnmf, recorder, "
            "quality, display",
        ),
        ("rate", "setting = 'rate': write it as path=value, such as camera.rate=20"),
        ("=5", "setting = '=5': write it as path=value, such as camera.rate=20"),
        ("camera.rate=yes", "camera.rate = True: input should be a valid number"),
        ("camera.rate='20'", "camera.rate = '20': input should be a valid number"),
        ("recorder.queue=true", "recorder.queue = True: input should be a valid integer"),
        ("roi.dff=1", "roi.dff = 1: input should be a valid boolean"),
        ("camera.format=big", "camera.format = 'big': write it as WxH@FPS, such as 1280x720@60"),
        ("camera.format=640x480@-3", "write it as WxH@FPS"),
        ("camera.format=640x", "write it as WxH@FPS"),
        ("camera.format=15x480", "camera.format = '15x480': width and height must be 16 to 16384 px"),
        ("camera.format=100000x100000", "width and height must be 16 to 16384 px"),
        ("camera.format=64x64@999999999", "the rate must be 0.001 to 10000 Hz"),
        ("camera.format=64x64@0", "the rate must be 0.001 to 10000 Hz"),
        ("recorder.flush_period=2", "less than or equal to 1"),
        ("recorder.queue=2.5", "valid integer"),
        ("camera.counter=guess", "'time', 'embedded' or 'none'"),
        (
            "camera.input_low=3",
            "camera = {'input_low': 3, 'input_high': None}: input_low and input_high are given together",
        ),
    ],
)
def test_a_wrong_assignment_names_path_value_and_rule(assignment, sentence):
    with pytest.raises(SettingsError) as caught:
        Settings().with_texts(assignment)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "assignment",
    [
        "camera.rate=" + "9" * 5000,
        "camera.rate=0x" + "f" * 5000,
        "camera.rate=" + "[" * 3000,
        "camera.rate=" + "[" * 50 + "]" * 50,
        "camera.rate=" + "fast" * 1000,
        "camera.rate=!!int ''",
        "camera.rate=2020-13-45",
        "camera.format=" + "9" * 5000 + "x9",
        "camera." + "r" * 5000 + "=3",
        "r" * 5000,
    ],
    ids=lambda assignment: assignment[:18],
)
def test_a_monstrous_assignment_is_refused_in_one_short_sentence(assignment):
    with pytest.raises(SettingsError) as caught:
        Settings().with_texts(assignment)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("camera.rate=20", 20.0),
        ("camera.rate=1e3", 1000.0),
        ("recorder.disk_reserve=1.5E+2", 150.0),
        ("camera.exposure=-7", -7.0),
        ("camera.exposure=null", None),
        ("roi.dff=yes", True),
        ("camera.format=16x16384@0.001", "16x16384@0.001"),
        ("camera.crop=whole", "whole"),
        ("camera.format=", ""),
        ("recorder.folder=1e3", "1e3"),
    ],
)
def test_an_ordinary_assignment_is_taken(assignment, value):
    settings = Settings().with_texts(assignment)
    assert settings.get(assignment.partition("=")[0]) == value
    assert Settings.loads(settings.to_yaml()) == settings


def test_an_empty_block_is_an_absent_one():
    assert Settings.loads("camera:\ndisplay: {low: 7}") == Settings().with_value("display.low", 7)
    with pytest.raises(SettingsError, match="no such setting"):
        Settings.loads("kamera:")


def test_assignments_are_checked_together():
    settings = Settings().with_texts("camera.input_low=0", "camera.input_high=4095")
    assert settings.camera.input_range == (0.0, 4095.0)


@pytest.mark.parametrize("text", ["[1, 2]", "camera: 3", "camera: {rat: 3}", "a: [", "\x00", "camera:\n - x"])
def test_a_wrong_file_is_one_sentence(tmp_path, text):
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        Settings.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_file_is_one_sentence(tmp_path):
    with pytest.raises(SettingsError, match="No such file"):
        Settings.load(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not UTF-8"):
        Settings.load(tmp_path / "b.yaml")


def test_yaml_round_trip_and_the_shipped_file():
    text = Settings().to_yaml()
    assert Settings.loads(text) == Settings()
    assert (ASSETS / "default.yaml").read_text(encoding="utf-8") == text, (
        "run: roi_stream settings > assets/default.yaml"
    )
    for setting in describe(Settings()):
        assert setting.text.endswith("."), setting.path


SETTINGS = {setting.path: setting for setting in describe(Settings())}


@given(st.data())
def test_any_accepted_value_survives_yaml(data):
    path = data.draw(st.sampled_from(sorted(SETTINGS)))
    known = SETTINGS[path]
    values = {
        bool: st.booleans(),
        int: st.integers(-10, 100_000),
        float: st.floats(-10, 1e6, allow_nan=False),
        str: st.sampled_from([*known.choices, "", "640x480@30", "no: [yaml", "1e3"]),
    }
    try:
        settings = Settings().with_value(path, data.draw(values[known.kind]))
    except SettingsError:
        return
    assert Settings.loads(settings.to_yaml()) == settings


def test_an_edit_counts_from_the_next_frame():
    live = LiveSettings()
    before, edits = live.at_frame()
    assert edits == ()
    live.edit("camera.timeout", 2.0)
    live.edit("camera.timeout", 2.0)
    after, edits = live.at_frame()
    assert [(edit.path, edit.old, edit.new) for edit in edits] == [("camera.timeout", 5.0, 2.0)]
    assert (before.camera.timeout, after.camera.timeout) == (5.0, 2.0)
    assert live.at_frame() == (after, ())


def test_a_refused_edit_changes_nothing():
    live = LiveSettings()
    with pytest.raises(SettingsError):
        live.edit("camera.timeout", -1)
    live.running = True
    with pytest.raises(SettingsError, match=r"camera.rate = 20: cannot change while running"):
        live.edit("camera.rate", 20)
    assert live.at_frame() == (Settings(), ())


def test_several_edits_count_from_one_frame_all_or_none():
    live = LiveSettings()
    live.edit_many({"camera.input_low": 1.0, "camera.input_high": 9.0, "cnmf.min_snr": 1.5})
    after, edits = live.at_frame()
    assert [(edit.path, edit.old, edit.new) for edit in edits] == [
        ("camera.input_low", None, 1.0),
        ("camera.input_high", None, 9.0),
    ], "a rule about two is met by both; what is no change is no edit"
    with pytest.raises(SettingsError, match=r"cnmf.min_r = 7: "):
        live.edit_many({"cnmf.min_snr": 3.0, "cnmf.min_r": 7})
    live.running = True
    with pytest.raises(SettingsError, match="cannot change while running"):
        live.edit_many({"cnmf.min_snr": 3.0, "cnmf.preset": "1p"})
    assert live.at_frame() == (after, ())


def test_some_blocks_alone_are_yaml_too():
    text = Settings().with_value("cnmf.min_snr", 3.0).to_yaml("cnmf", "roi")
    assert [line for line in text.splitlines() if line[:1].isalpha()] == ["cnmf:", "roi:"]
    assert Settings.loads(text).cnmf.min_snr == 3.0


@pytest.mark.parametrize("end", ["camera: *a9", "camera:\n  rate: *a9", "camera: {<<: *a9}"])
def test_a_few_lines_that_stand_for_more_than_any_memory_are_refused(end):
    """YAML can name what was said before, and that again: ten lines of ten are ten thousand million."""
    lines = [
        "a0: &a0 [1, 2]",
        *(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 10)}]" for k in range(1, 10)),
        end,
    ]
    with pytest.raises(SettingsError, match=r"not YAML: an alias \(\*\) is not allowed; write it out"):
        Settings.loads("\n".join(lines))
