"""The schema: every setting is plain data, known by its full name, and refused by it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from understudy import (
    BlendOptions,
    EncodeOptions,
    FrameOptions,
    LabelOptions,
    LightOptions,
    MaskOptions,
    NeuralOptions,
    RuntimeOptions,
    TrackerOptions,
    TrimOptions,
    Understudy,
    WatermarkOptions,
)
from understudy.cli.setting_options import OPTIONS
from understudy.errors import UsageError
from understudy.provenance import SigningOptions
from understudy.settings import Lane, Settings, changed, schema
from understudy.settings.schema import check_values

ROOT = Path(__file__).parents[2]


def test_every_setting_is_a_number_a_word_a_path_or_some_of_them():
    for name, setting in schema().items():
        assert isinstance(setting.default, (int, float, str, tuple, dict, type(None))), name
    assert {"engine", "blend.strength", "tracker.depth.beta", "runtime.placed", "home"} <= set(schema())


def test_live_objects_are_no_settings():
    for name in ("content.classifier", "signing.sign", "signing.algorithm"):
        assert name not in schema()
        with pytest.raises(UsageError, match="unknown setting"):
            changed(Settings(), {name: None})


def test_a_group_in_place_of_its_settings_is_said_to_be_one():
    with pytest.raises(UsageError, match="'trim' is a group of settings") as caught:
        changed(Settings(), {"trim": {"end": 2.5}})
    assert "'trim.start'" in caught.value.hint


def test_live_objects_stay_when_settings_change(tmp_path):
    def sign(data):
        return data

    before = replace(Settings(), signing=SigningOptions(tmp_path / "chain.pem", sign=sign))
    after = changed(before, {"blend.strength": 0.5})
    assert after.signing is before.signing
    assert (before.blend.strength, after.blend.strength) == (1.0, 0.5)


def test_nothing_changes_nothing():
    assert changed(Settings(), {}) == Settings()


NAN = float("nan")


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"compare": "side_by_side"}, "compare"),
        ({"blend": BlendOptions(show="Mask")}, "blend.show"),
        ({"frame": FrameOptions(shape="9:16", fit="Crop")}, "frame.fit"),
        ({"runtime": RuntimeOptions(precision="zz")}, "runtime.precision"),
        ({"max_pixels": 1000000.5}, "max_pixels"),
        ({"engine": 3}, "engine"),
        ({"tracker": TrackerOptions(max_fits=NAN)}, "tracker.max_fits"),
        ({"tracker": TrackerOptions(search_seconds=NAN)}, "tracker.search_seconds"),
        ({"tracker": TrackerOptions(keep_seconds=NAN)}, "tracker.keep_seconds"),
        ({"blend": BlendOptions(light=LightOptions(max_tint=NAN))}, "blend.light.max_tint"),
        ({"tracker": TrackerOptions(max_faces=10**400)}, "tracker.max_faces"),
        ({"blend": None}, "blend"),
        ({"blend": {"strength": 0.4}}, "blend"),
        ({"blend": BlendOptions}, "blend"),
        *(({name: None}, name) for name in ("signing", "encode", "label", "watermark", "content", "guard", "tracker")),
    ],
)
def test_what_no_file_of_settings_could_hold_is_refused_in_python_too(wrong, name, tmp_path):
    settings = Settings(home=tmp_path / "home", **wrong)
    with pytest.raises(UsageError, match=f"the setting '{re.escape(name)}' ") as told:
        check_values(settings)
    assert told.value.hint
    with pytest.raises(UsageError, match=re.escape(name)):
        Understudy(settings)
    app = Understudy(Settings(home=tmp_path / "home"))
    for call in (
        lambda: app.swap("clip.mp4", "out.mp4", app.person("me.jpg"), settings=settings),
        lambda: app.live(app.person("me.jpg"), settings=settings),
        lambda: app.faces("clip.mp4", settings=settings),
    ):
        with pytest.raises(UsageError, match=re.escape(name)):
            call()


def test_what_fits_is_taken_in_the_types_of_python_and_numpy(tmp_path):
    for fits in (
        Settings(),
        Settings(home=str(tmp_path), max_pixels=np.int64(5), compare="wipe", lanes=[Lane(0, 1, do="blur")]),
        Settings(blend=BlendOptions(strength=1, mask=MaskOptions(("eyes",), strength=np.float32(0.5)))),
        Settings(runtime=RuntimeOptions(placed=(("xseg_1", "cpu"),)), neural=NeuralOptions(refresh="auto")),
        Settings(encode=EncodeOptions(quality=80), trim=TrimOptions("0:01", 2)),
        Settings(signing=SigningOptions(str(tmp_path / "chain.pem"), str(tmp_path / "key.pem"))),
    ):
        check_values(fits)


@pytest.mark.slow
def test_settings_are_checked_without_what_takes_long_to_import():
    """Those that most people make."""
    script = (
        "import sys; from understudy import BlendOptions, Settings, Understudy; "
        "Understudy(Settings(faces='all', source_face=2, blend=BlendOptions(strength=0.7))); "
        "sys.exit('pydantic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


LARGE = 10**400


@pytest.mark.parametrize(
    "made",
    [
        lambda: FrameOptions(caption=5),
        lambda: FrameOptions(caption=[]),
        lambda: FrameOptions(shape=None),
        lambda: RuntimeOptions(device=None),
        lambda: RuntimeOptions(device=1),
        lambda: LabelOptions(size=LARGE),
        lambda: LabelOptions(later_size=LARGE),
        lambda: TrimOptions(start=LARGE),
        lambda: TrimOptions(end=LARGE),
        lambda: WatermarkOptions(psnr=LARGE),
        lambda: Lane(LARGE),
    ],
)
def test_a_value_of_another_type_and_a_number_beyond_all_are_said_to_be_wrong(made):
    with pytest.raises(ValueError, match=r"text|device|height|time|mark"):
        made()


def test_an_algorithm_of_signatures_is_one_that_there_is(tmp_path):
    with pytest.raises(ValueError, match="not 'zz'"):
        SigningOptions(tmp_path / "chain.pem", sign=lambda data: data, algorithm="zz")


def test_what_does_not_change_is_shared():
    before = Settings()
    after = changed(before, {"blend.light.seconds": 1, "faces": "all"})
    assert after.tracker is before.tracker
    assert after.blend.detail is before.blend.detail
    assert after.blend.light.seconds == 1.0
    assert after.faces == "all"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("blend.strenght", "'blend.strength'"),
        ("blnd.strength", "'blend.strength'"),
        ("strength", "'blend.strength'"),
        ("label-text", "'label.text'"),
        ("blend.light.second", "'blend.light.seconds'"),
        ("Engine", "'engine'"),
        ("on_lost", "'guard.on_lost'"),
    ],
)
def test_an_unknown_setting_is_told_with_the_nearest_known_one(name, near):
    with pytest.raises(UsageError, match=f"^unknown setting '{name}'$") as told:
        changed(Settings(), {name: 1})
    assert told.value.hint.startswith(f"Did you mean {near}")


def test_what_is_near_to_nothing_gets_no_suggestion():
    with pytest.raises(UsageError) as told:
        changed(Settings(), {"qqqqqq": 1})
    assert "Did you mean" not in told.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("blend.strength", "0.5"),
        ("blend.strength", True),
        ("blend.strength", None),
        ("blend.strength", float("nan")),
        ("blend.strength", float("inf")),
        ("blend.strength", 7),
        ("blend.strength", 10**400),
        ("neural.boost", 2.0),
        ("neural.boost", 5),
        ("max_pixels", 0),
        ("max_pixels", 2**63),
        ("source_face", 0),
        ("keep_days", 183),
        ("keep_days", 10**9),
        ("engine", 1),
        ("faces", "some"),
        ("label.corner", "middle"),
        ("label.text", ""),
        ("label.size", 0.01),
        ("label.font", ""),
        ("label.font", "a\0b"),
        ("label.font", 5),
        ("mesh.fade_facing", [0.1]),
        ("mesh.fade_facing", [0.1, "x"]),
        ("mesh.fade_facing", {"a": 1}),
        ("mesh.fade_facing", [-0.1, 0.3]),
        ("mesh.fade_facing", [0.3, 1.1]),
        ("mesh.fade_facing", [0.3, 0.3]),
        ("mesh.fade_facing", [0.5, 0.3]),
        ("mesh.fade_facing", [0.3, 0.3 + 1e-50]),
        ("blend.occlusion.hands", 1),
        ("runtime.threads", 0),
        ("runtime.threads", 1025),
        ("runtime.placed", ["cpu"]),
        ("tracker.max_faces", 0),
        ("tracker.max_fits", -1),
        ("tracker.min_presence", 2),
        ("tracker.keep_seconds", -1),
        ("tracker.smoothing.min_cutoff", 0),
        ("blend.light.seconds", 0),
        ("blend.light.max_gain", 0.5),
        ("blend.light.chroma", 2),
        ("blend.detail.least", 9),
        ("blend.detail.seconds", 0),
        ("blend.occlusion.seconds", -1),
        ("guard.hold_seconds", -0.1),
        ("watermark.least", 0.1),
        ("encode.quality", 101),
    ],
)
def test_what_a_setting_can_not_be_is_told_by_its_full_name(name, value):
    with pytest.raises(UsageError) as told:
        changed(Settings(), {name: value})
    assert told.value.message.startswith(f"the setting '{name}' can't be ")
    assert len(told.value.message) < 400


def test_the_whole_range_of_fading_can_be_set():
    assert changed(Settings(), {"mesh.fade_facing": [0, 1]}).mesh.fade_facing == (0, 1)
    assert changed(Settings(), {"mesh.fade_facing": [0.998, 1.0]}).mesh.fade_facing == (0.998, 1.0)


def test_a_wrong_place_is_told_by_the_model_s_name():
    with pytest.raises(UsageError, match=r"'runtime\.placed' can't be .*: detector: there is no device 'gpu'"):
        changed(Settings(), {"runtime.placed": {"swapper": "cpu", "detector": "gpu"}})


def test_of_several_settings_the_one_at_fault_is_told():
    with pytest.raises(UsageError, match=r"'label\.later_size' can't be 0\.21: .* 0\.025 to 0\.2, not 0\.21"):
        changed(Settings(), {"label.size": 0.2, "label.later_size": 0.21})
    with pytest.raises(
        UsageError, match=r"'guard\.hold_seconds' and the setting 'guard\.settle_seconds' do not go together"
    ):
        changed(Settings(), {"guard.hold_seconds": -1, "guard.settle_seconds": -1})


def test_an_error_can_call_a_setting_otherwise():
    with pytest.raises(UsageError, match=r"^--strength can't be 7\.0: ") as told:
        changed(Settings(), {"blend.strength": 7.0}, called={"blend.strength": "--strength"})
    assert "--help" in told.value.hint


def test_a_path_in_a_word_is_relative_to_the_folder(tmp_path):
    assert changed(Settings(), {"home": "x"}, folder=tmp_path).home == tmp_path / "x"
    assert changed(Settings(), {"home": str(tmp_path / "y")}, folder=Path("elsewhere")).home == tmp_path / "y"
    assert changed(Settings(), {"home": Path("x")}, folder=tmp_path).home == Path("x")


def test_the_page_is_what_the_schema_says():
    page = runpy.run_path(str(ROOT / "tools" / "settings_page.py"))["page"]()
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == page


def test_each_option_sets_a_setting_and_says_its_default():
    for option in OPTIONS:
        default = schema()[option.setting].default
        assert option.default == (None if default in (None, ()) else str(default)), option.flag


def test_the_bare_package_loads_no_settings():
    code = "import sys, understudy; sys.exit(bool({'pydantic', 'numpy', 'understudy.settings'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_settings_that_nobody_changes_need_no_pydantic():
    code = "import sys; from understudy.settings import *; changed(Settings(), {}); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["content.threshold", "signing.sign"])
def test_what_protects_and_what_is_no_data_comes_from_python_only(name):
    with pytest.raises(UsageError, match="unknown setting"):
        changed(Settings(), {name: 0.99})
