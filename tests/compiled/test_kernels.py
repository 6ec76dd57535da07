"""Kernels: what they give is what their Python gives, however their code came into memory."""

import subprocess
import sys

import numpy as np
import pytest

from understudy.compiled import compiled, compiled_for_views, kept, loading

HALF = np.float32(0.5)
here = pytest.mark.skipif(not loading.signature_of([0], [False]), reason="numba itself loads code here")


@compiled
def halved(value):
    return np.float32(value) * HALF


@compiled
def weighed(picture, more, result, share, step):
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            result[y, x] = halved(picture[y, x]) * share + np.float32(more[y]) + step + np.exp(np.float64(x))


@compiled
def turned(row, result, backwards):
    for x in range(row.shape[0]):
        result[x] = row[row.shape[0] - 1 - x] if backwards else row[x]


@pytest.fixture
def kept_in(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "folders", lambda source: (tmp_path,))
    return tmp_path


@pytest.fixture
def numba_asked(monkeypatch):
    """How often numba was asked: for object files, and to run a kernel itself."""
    from understudy.compiled import compiling

    asked = {"object_code": 0, "by_numba": 0}
    for name in asked:
        real = getattr(compiling, name)

        def counted(*values, name=name, real=real):
            asked[name] += 1
            return real(*values)

        monkeypatch.setattr(compiling, name, counted)
    return asked


def check(kernel):
    """Arrays of several types and layouts, and both kinds of numbers."""
    numbers = np.random.default_rng(1)
    picture = numbers.integers(0, 255, (6, 16), np.uint8)[::2, 1::3]
    more = numbers.random(3).astype(np.float64)
    more.flags.writeable = False
    for share, step in ((np.float32(0.3), 2), (0.7, 3)):
        result, expected = np.zeros((5, 3), np.float32).T, np.zeros((3, 5), np.float32)
        kernel(picture, more, result, share, step)
        for y, x in np.ndindex(3, 5):
            expected[y, x] = np.float32(picture[y, x]) * HALF * share + np.float32(more[y]) + step + np.exp(float(x))
        assert np.allclose(result, expected, rtol=1e-6)


@pytest.mark.slow
@here
def test_code_is_compiled_once_and_then_found(kept_in, numba_asked):
    check(compiled(weighed.function))
    assert numba_asked == {"object_code": 2, "by_numba": 0}  # of two kinds of arguments
    assert len(list(kept_in.iterdir())) == 2
    check(compiled(weighed.function))  # as in another process
    assert numba_asked["object_code"] == 2


@pytest.mark.slow
@here
def test_a_kernel_that_is_told_yes_or_no_is_kept_like_any_other(kept_in, numba_asked):
    row, result = np.arange(4.0), np.zeros(4)
    for backwards, expected in ((True, [3, 2, 1, 0]), (False, [0, 1, 2, 3])) * 2:
        for told in (backwards, np.bool_(backwards)):
            compiled(turned.function)(row, result, told)
            assert result.tolist() == expected
    assert numba_asked == {"object_code": 1, "by_numba": 0}


@pytest.mark.slow
@here
def test_code_that_was_damaged_is_made_anew(kept_in, numba_asked):
    check(compiled(weighed.function))
    for file in kept_in.iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    check(compiled(weighed.function))
    assert numba_asked == {"object_code": 4, "by_numba": 0}
    check(compiled(weighed.function))
    assert numba_asked["object_code"] == 4


@pytest.mark.slow
@here
def test_other_constants_are_other_code(kept_in, numba_asked, monkeypatch):
    check(compiled(weighed.function))
    monkeypatch.setattr(sys.modules[__name__], "HALF", np.float32(0.25))
    check(compiled(weighed.function))
    assert numba_asked["object_code"] == 4


@pytest.mark.slow
@here
def test_where_nothing_can_be_written_it_is_compiled_in_every_process(tmp_path, numba_asked, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(kept, "folders", lambda source: (tmp_path / "file" / "below",))
    for _ in range(2):
        check(compiled(weighed.function))
    assert numba_asked == {"object_code": 4, "by_numba": 0}


@pytest.mark.slow
def test_on_other_machines_numba_runs_it(numba_asked, monkeypatch):
    monkeypatch.setattr(loading, "supported", lambda: False)
    check(compiled(weighed.function))
    assert numba_asked == {"object_code": 0, "by_numba": 2}


def made(count):
    return np.ones(count, np.float32)


@pytest.mark.slow
def test_a_kernel_that_makes_arrays_is_run_by_numba(kept_in, numba_asked):
    assert compiled(made)(3).tolist() == [1, 1, 1]
    assert numba_asked["by_numba"] == 1


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(58), bytes(200)])
def test_what_is_no_object_file_is_refused(content):
    with pytest.raises(loading.NotLoadableError):
        loading.loaded((content, content), ("int",))


@pytest.mark.slow
@here
def test_no_code_may_be_where_memory_may_not_be_made_executable(kept_in, numba_asked, monkeypatch):
    def refused(base, size):
        raise OSError("not here")

    monkeypatch.setattr(loading, "make_executable", refused)
    check(compiled(weighed.function))
    assert numba_asked["by_numba"] == 2


@here
@pytest.mark.slow
def test_a_blur_needs_no_numba_once_its_kernel_is_kept():
    code = (
        "import sys\n"
        "import numpy as np\n"
        "from understudy.detection import BlazeFace\n"
        "from understudy.frames import Frame\n"
        "from understudy.geometry.boxes import rounded_box\n"
        "from understudy.guard import Guard, unguarded\n"
        "from understudy.guard.obscuring import obscure\n"
        "Guard(BlazeFace())\n"
        "before = {'numba', 'llvmlite'} & {*sys.modules}\n"
        "obscure(unguarded(Frame(np.zeros((90, 160, 3), np.uint8))), rounded_box(np.array([9.5, 8, 50, 40])))\n"
        "print(before, {'numba', 'llvmlite'} & {*sys.modules})"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set() set()\n"


@here
@pytest.mark.slow
def test_a_swap_needs_no_numba_once_its_kernels_are_kept_and_no_masked_arrays(hopper_path, small_clip, tmp_path):
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from understudy import Settings, Understudy\n"
        "photo, clip, folder = map(Path, sys.argv[1:])\n"
        "with Understudy(Settings(home=folder / 'home')) as app:\n"
        "    app.swap(clip, folder / 'out.mp4', app.person(photo, consent='sample'), overwrite=True)\n"
        "print({'numba', 'llvmlite', 'numpy.ma'} & {*sys.modules})"
    )
    for _ in range(2):
        command = [sys.executable, "-c", code, str(hopper_path), str(small_clip), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[-2] == "set()"


@pytest.mark.slow
@here
def test_arrays_that_may_be_views_have_one_machine_code_with_those_that_are_whole(kept_in, numba_asked):
    kernel = compiled_for_views("row")(turned.function)
    whole = np.arange(4.0)
    for row, expected in ((whole, [3, 2, 1, 0]), (np.arange(8.0)[::2], [6, 4, 2, 0]), (whole[::-1], [0, 1, 2, 3])):
        result = np.zeros(4)
        kernel(row, result, True)
        assert result.tolist() == expected
    assert numba_asked == {"object_code": 1, "by_numba": 0}
    assert len(list(kept_in.iterdir())) == 1


def test_an_argument_that_is_not_there_is_no_view():
    with pytest.raises(ValueError, match="no arguments of turned: column"):
        compiled_for_views("column")(turned.function)
