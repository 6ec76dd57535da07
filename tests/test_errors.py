"""The errors: one tree, each with an exit code of the contract."""

import copy
import inspect
import multiprocessing
import pickle
from pathlib import Path

import pytest

from understudy import errors
from understudy.client import ApiError
from understudy.media.live.base import SourceLostError


def every_error():
    return [e for _, e in inspect.getmembers(errors, inspect.isclass) if issubclass(e, errors.UnderstudyError)]


def test_the_tree_in_the_docstring_is_the_tree():
    for error in every_error():
        assert error.__name__ in errors.__doc__, error


@pytest.mark.parametrize("error", every_error())
def test_every_error_has_an_exit_code_of_the_contract(error):
    assert error.exit_code in {2, 3, 4, 5, 6}


def test_builtins_where_they_fit():
    assert issubclass(errors.InputNotFoundError, FileNotFoundError)
    assert issubclass(errors.NoSpaceError, OSError)
    assert issubclass(errors.OutputExistsError, FileExistsError)
    assert issubclass(errors.NoFaceError, LookupError)
    assert str(errors.UsageError("wrong", "do right")) == "wrong"


@pytest.mark.parametrize(
    ("fault", "lacks"),
    [
        (MemoryError(), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("OpenCV(4.13) Insufficient memory (Failed to allocate 8000000000 bytes) in function"), True),
        (RuntimeError("CUDA error cudaErrorMemoryAllocation: out of memory"), True),
        (RuntimeError("Not enough memory resources are available to complete this operation."), True),
        (RuntimeError("Available memory of 12 is smaller than requested bytes of 40"), True),
        (ValueError("cannot reshape array of size 211 into shape (2)"), False),
    ],
)
def test_too_little_memory_is_known_by_what_libraries_say(fault, lacks):
    assert errors.out_of_memory(fault) is lacks


#: What errors are made of, by what their arguments are called.
MADE_OF = {
    "path": Path("clip.mp4"),
    "known": ("one", "two"),
    "status": 404,
    "width": 10,
    "height": 10,
    "max_pixels": 50,
    "at_seconds": 1.5,
    "retry_after": 3,
}


def one_of(error):
    """An error of that kind, with all that it takes."""
    asked = [p for p in inspect.signature(error).parameters.values() if p.kind != p.KEYWORD_ONLY]
    return error(*(MADE_OF.get(p.name, "text") for p in asked))


@pytest.mark.parametrize("error", [*every_error(), ApiError, SourceLostError])
def test_an_error_that_is_pickled_or_copied_stays_what_it_was(error):
    raised = one_of(error)
    raised.remark = "seen"
    for again in (pickle.loads(pickle.dumps(raised)), copy.copy(raised), copy.deepcopy(raised)):
        assert type(again) is error
        assert (str(again), again.args, vars(again)) == (str(raised), raised.args, vars(raised))
        assert (again.message, again.hint) == (raised.message, raised.hint)
        for name in ("errno", "strerror", "filename"):
            assert getattr(again, name, None) == getattr(raised, name, None)


def fails():
    raise errors.InputNotFoundError(Path("nope.mp4"))


@pytest.mark.slow
def test_an_error_reaches_whoever_waits_for_a_pool_of_processes():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        told = pool.apply_async(fails)
        with pytest.raises(errors.InputNotFoundError, match="does not exist") as caught:
            told.get(timeout=60)
    assert caught.value.hint
