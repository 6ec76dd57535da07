"""The errors: one tree, each with an exit code of the contract."""

import inspect

import pytest

from understudy import errors


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
