"""What a server answers that is none of ours."""

from __future__ import annotations

import pytest

from understudy.client.asking import ApiError

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("status", [200, 404])
def test_a_page_in_place_of_an_answer_is_no_answer(standin, ask, status):
    standin.answers = [(status, b"<html>Welcome to your router</html>", {})]
    with pytest.raises(ApiError) as caught:
        ask("me")
    assert (caught.value.status, caught.value.hint) == (status, "Is this the address of an Understudy server?")
