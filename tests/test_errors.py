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
