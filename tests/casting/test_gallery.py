"""The people of a clip by what they look like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.casting.people import Colours
from understudy.casting.gallery import Gallery, GalleryOptions

NAN = np.float32([np.nan, 0])


@pytest.fixture
def gallery():
    return Gallery(Colours())


def test_people_are_numbered_from_one_and_unknown_until_they_were_seen(gallery):
    assert [gallery.add(), gallery.add()] == [1, 2]
    assert gallery.known == []
    gallery.learn(2, np.float32([10, 10]))
    assert gallery.known == [2]
    assert gallery.distances(np.float32([10, 60])) == {2: pytest.approx(1.0)}


def test_the_nearest_comes_first_and_of_equals_the_lower_number(gallery):
    for place in (0, 40, 40, 10):
        gallery.learn(gallery.add(), np.float32([place, 0]))
    assert list(gallery.distances(np.float32([39, 0]))) == [2, 3, 4, 1]
    assert list(gallery.distances(np.float32([39, 0]), among=[1, 3, 9])) == [3, 1]


def test_what_says_nothing_is_near_nobody_and_is_not_learned(gallery):
    gallery.learn(gallery.add(), NAN)
    assert gallery.known == []
    gallery.learn(1, np.float32([0, 0]))
    gallery.learn(1, NAN)
    assert gallery.distances(NAN) == {}
    assert gallery.distances(np.float32([0, 0])) == {1: 0.0}


def test_another_view_is_kept_and_one_like_another_is_averaged(gallery):
    number = gallery.add()
    for place in (0, 10, 38):
        gallery.learn(number, np.float32([place, 0]))
    far = {place: gallery.distances(np.float32([place, 0]))[number] * 50 for place in (5, 38)}
    assert far == pytest.approx({5: 0, 38: 0}, abs=1e-4)


def test_no_more_views_and_people_are_kept_than_are_wanted():
    gallery = Gallery(Colours(), GalleryOptions(views=2, most=3))
    for place in (0, 100, 200, 300, 400):
        number = gallery.add()
        for side in (0, 30, 60, 90):
            gallery.learn(number, np.float32([place, side]))
    assert gallery.known == [3, 4, 5]
    assert gallery.distances(np.float32([400, 0]))[5] == 0
    assert gallery.distances(np.float32([400, 90]))[5] == pytest.approx((90 - 60) / 50)  # the mean of all but the first


def test_two_who_are_one_have_the_lower_number(gallery):
    one, two, three = (gallery.add() for _ in range(3))
    gallery.learn(two, np.float32([0, 0]))
    gallery.learn(three, np.float32([90, 0]))
    assert gallery.merge(three, two) == two
    assert gallery.merge(two, one) == one
    assert [gallery.current(number) for number in (one, two, three)] == [one] * 3
    assert gallery.known == [one]
    assert gallery.distances(np.float32([90, 0]))[one] > 1  # the looks of the one who was known first
    gallery.learn(three, np.float32([90, 0]))
    assert gallery.distances(np.float32([90, 0])) == {one: 0}


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(1, 5), st.floats(-200, 200)), max_size=30))
def test_the_same_embeddings_give_the_same_people(learned):
    galleries = [Gallery(Colours()) for _ in range(2)]
    for gallery in galleries:
        for number, place in learned:
            gallery.learn(number, np.float32([place, 0]))
    found = [gallery.distances(np.float32([1, 2])) for gallery in galleries]
    assert found[0] == found[1]
    assert list(found[0].values()) == sorted(found[0].values())


@pytest.mark.parametrize(
    "wrong", [{"certain": 0.9}, {"likely": 1.1}, {"new_view": 0}, {"views": 0}, {"most": 0}, {"new_view": 0.85}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"distances must rise|are kept"):
        GalleryOptions(**wrong)
