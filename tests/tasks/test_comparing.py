"""Files that show the original, too: labelled, marked and signed as a whole, with sound and timing of the target."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from understudy import Settings, Understudy
from understudy.cli.main import main
from understudy.media.files import open_source


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    with Understudy(Settings(home=tmp_path_factory.mktemp("private") / "home")) as app:
        yield app


@pytest.fixture(scope="module")
def swap(app, hopper_path, tmp_path_factory):
    """Swaps a target once for each way to compare and each suffix."""
    folder, made = tmp_path_factory.mktemp("out"), {}

    def make(target, how, suffix, **options):
        key = (target, how, suffix, *options.items())
        if key not in made:
            output = folder / f"{len(made)}{suffix}"
            settings = Settings(compare=how, home=app.settings.home, **options)
            person = app.person(hopper_path, consent="sample")
            made[key] = output, app.swap(target, output, person, settings=settings)
        return made[key]

    return make


@pytest.fixture(scope="module")
def animation(small_puppet, tmp_path_factory):
    """Six frames with delays of their own and a see-through border."""
    from understudy.testing import talking

    path, frames = tmp_path_factory.mktemp("animation") / "a.webp", []
    for number in range(6):
        picture = Image.fromarray(small_puppet.render(talking(number / 10)).picture[:, :, ::-1].copy())
        picture.putalpha(255)
        picture.paste((0, 0, 0, 0), (0, 0, 8, 240))
        frames.append(picture)
    delays = [40, 80, 120, 40, 80, 200]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=delays, loop=0, lossless=True)
    return path


@pytest.fixture(scope="module")
def wide_photo(astronaut, tmp_path_factory):
    """A photo of which one half is enough for any id: of 512 pixels, three in a thousand ids need more than half."""
    path = tmp_path_factory.mktemp("wide") / "wide.png"
    Image.fromarray(np.ascontiguousarray(astronaut[:400, :, ::-1])).resize((1024, 800)).save(path)
    return path


def pictures(path):
    with open_source(path) as source:
        return [frame.picture.astype(np.int16) for frame in source]


def times(path):
    with open_source(path) as source:
        return [(frame.pts * frame.time_base, frame.duration * frame.time_base) for frame in source]


def sound(path):
    with av.open(str(path)) as container:
        return [
            (stream.codec_context.name, [bytes(packet) for packet in container.demux(stream) if packet.size])
            for stream in [container.streams.audio[0]]
        ]


def off(one, other):
    """Mean difference in grey levels."""
    return float(np.abs(one - other).mean())


def swapped(shown, original, result):
    """How far what is shown is from the original to the result: 0 is the one, 1 the other, whatever coding adds."""
    there = np.abs(result - original) > 12
    change = (result - original)[there].astype(float)
    assert change.size > 300
    return float((shown - original)[there] @ change / (change @ change))


@pytest.mark.slow
@pytest.mark.parametrize("how", ["side-by-side", "wipe"])
def test_a_clip_keeps_sound_and_timing(swap, small_clip, how):
    output, report = swap(small_clip, how, ".mp4")
    assert report.frames == report.frames_swapped == 25
    assert times(output) == times(small_clip)
    assert sound(output) == sound(small_clip)
    assert "compare" in report.stages_ms


@pytest.mark.slow
def test_beside_each_other_stand_the_very_original_and_the_very_result(swap, small_clip):
    together = pictures(swap(small_clip, "side-by-side", ".mp4")[0])
    originals, results = pictures(small_clip), pictures(swap(small_clip, "no", ".mp4")[0])
    assert together[0].shape == (240, 640, 3)
    for both, original, result in zip(together, originals, results, strict=True):
        left, right = both[:200, :320], both[:200, 320:]  # without the label
        assert abs(swapped(left, original[:200], result[:200])) < 0.1
        assert abs(swapped(right, original[:200], result[:200]) - 1) < 0.1
        # No shade is shifted, as the fast conversion to BGR would.
        assert abs((left - original[:200]).mean()) < 0.6


def test_left_of_the_line_is_the_original_and_right_of_it_the_result(swap, small_clip):
    together = pictures(swap(small_clip, "wipe", ".mp4")[0])
    originals, results = pictures(small_clip), pictures(swap(small_clip, "no", ".mp4")[0])
    lines = [int(np.argmax(both.min(axis=2)[:200].mean(axis=0))) for both in together]
    assert 155 <= lines[0] <= 165
    assert lines[24] > 210  # it wanders: 0.96 s are a twelfth of its way to and fro
    for number in (0, 6):  # later it is beside the face
        both, original, result, line = together[number], originals[number], results[number], lines[number]
        left, right = np.s_[:200, : line - 4], np.s_[:200, line + 4 :]
        assert abs(swapped(both[left], original[left], result[left])) < 0.1
        assert abs(swapped(both[right], original[right], result[right]) - 1) < 0.1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["side-by-side", "wipe"])
@pytest.mark.parametrize("what", ["clip", "photo", "animation"])
def test_label_mark_and_signature_are_found(app, swap, small_clip, astronaut_path, animation, what, how):
    """By construction: the whole is labelled, marked and signed like any other output."""
    target, suffix = {
        "clip": (small_clip, ".mp4"),
        "photo": (astronaut_path, ".png"),
        "animation": (animation, ".webp"),
    }[what]
    output, report = swap(target, how, suffix)
    found = app.inspect(output)
    assert found.verdict == "made by this tool"
    assert found.credentials.state == "valid"
    assert f"{found.mark.identifier:012x}" == report.identifier
    assert found.record is not None
    assert found.distance <= 8


@pytest.mark.slow
@pytest.mark.parametrize("how", ["side-by-side", "wipe"])
@pytest.mark.parametrize("part", ["original", "result"])
def test_the_mark_is_in_all_of_it(app, swap, wide_photo, tmp_path, how, part):
    """Cut out, each side still has it: also the original's, which nobody swapped."""
    output, report = swap(wide_photo, how, ".png")
    with Image.open(output) as picture:
        middle = picture.width // 2
        sides = (0, 0, middle, picture.height) if part == "original" else (middle, 0, picture.width, picture.height)
        picture.crop(sides).save(tmp_path / "side.png")
    assert f"{app.inspect(tmp_path / 'side.png').mark.identifier:012x}" == report.identifier


def test_the_line_of_a_picture_is_in_the_middle(swap, astronaut_path):
    (picture,) = pictures(swap(astronaut_path, "wipe", ".png")[0])
    (original,) = pictures(astronaut_path)
    width = original.shape[1]
    assert picture.shape == original.shape
    assert (picture[:10, width // 2 - 1 : width // 2 + 1] > 245).all()


def test_an_animation_keeps_delays_and_holes(swap, animation):
    output, _ = swap(animation, "side-by-side", ".webp")
    with open_source(output) as source:
        frames = list(source)
    assert [frame.duration for frame in frames][:5] == [40, 80, 120, 40, 80]
    for frame in frames:
        assert (frame.width, frame.height) == (640, 240)
        assert not frame.alpha[:180, :6].any()
        assert not frame.alpha[:180, 322:326].any()


@pytest.mark.slow
def test_odd_sizes_fit_every_encoder(swap, hopper, tmp_path_factory):
    """Beside each other and one above the other, in what can only hold even sizes."""
    from understudy.testing import ClipSpec, Motion, Puppet, write_clip

    for size, both in (((321, 241), (642, 242)), ((481, 241), (482, 482))):
        puppet = Puppet(hopper, size, face_share=0.6)
        path = tmp_path_factory.mktemp("odd") / "odd.mkv"
        spec = ClipSpec(encoder="ffv1", pixel_format="yuv444p", audio=(), options=())
        write_clip(path, [puppet.render(Motion()).picture] * 3, spec)
        output, _ = swap(path, "side-by-side", ".mp4")
        assert pictures(output)[0].shape == (both[1], both[0], 3)


def test_a_file_that_shows_the_result_alone_has_no_such_stage(swap, small_clip):
    output, report = swap(small_clip, "no", ".mp4")
    assert "compare" not in report.stages_ms
    assert pictures(output)[0].shape == (240, 320, 3)


@pytest.mark.slow
def test_the_command_line_compares_in_one_way_at_a_time(astronaut_path, hopper_path, tmp_path, capsys):
    output = tmp_path / "out.png"
    words = ["swap", "-s", str(hopper_path), "-t", str(astronaut_path), "-o", str(output), "--consent", "sample"]
    assert main([*words, "--side-by-side", "--wipe"]) == 2
    assert "two ways to compare" in capsys.readouterr().err
    assert not output.exists()
    assert main([*words, "--side-by-side"]) == 0
    with Image.open(output) as after, Image.open(astronaut_path) as before:
        assert after.size == (2 * before.width, before.height)
    assert main([*words, "--side-by-side", "--overwrite", "--max-pixels", str(before.width * before.height)]) == 3
    assert "side by side are" in capsys.readouterr().err


@pytest.mark.slow
def test_each_of_several_people_is_compared(app, hopper_path, astronaut, tmp_path):
    """Where frames are looked at ahead, the original is taken before the first face is written."""
    from understudy.testing import ClipSpec, Puppet, talking, write_clip

    puppet = Puppet(astronaut, (320, 240), face_share=0.55)
    clip, output = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    write_clip(clip, [puppet.render(talking(n / 25)).picture for n in range(8)], ClipSpec(rate=25, audio=()))
    person = app.person(hopper_path, consent="sample")
    app.swap(clip, output, {1: person}, settings=Settings(compare="side-by-side", home=app.settings.home))
    for both, original in zip(pictures(output), pictures(clip), strict=True):
        assert off(both[:200, :320], original[:200]) < 2.5
        assert off(both[:200, :320], both[:200, 320:]) > 4
