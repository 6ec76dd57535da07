"""Faces as parallel arrays: sliced, joined, and of settled shapes and types."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.face import Faces


def people(count, seed=0):
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 50, (count, 2))
    return Faces(
        boxes_xyxy=np.concatenate([corner, corner + rng.uniform(5, 30, (count, 2))], axis=1),
        scores=rng.uniform(0, 1, count),
        mesh=rng.uniform(0, 90, (count, 478, 3)),
        track_ids=np.arange(count),
        embeddings=rng.normal(0, 1, (count, 5)),
    )


@given(st.integers(0, 6), st.integers(0, 6))
def test_joining_and_slicing_give_back_the_parts(first, second):
    a, b = people(first, 1), people(second, 2)
    both = Faces.concatenate([a, b])
    assert len(both) == first + second
    if len(both):
        np.testing.assert_array_equal(both[:first].boxes_xyxy, a.boxes_xyxy)
        np.testing.assert_array_equal(both[first:].boxes_xyxy, b.boxes_xyxy)
        np.testing.assert_array_equal(both.embeddings, np.concatenate([a.embeddings, b.embeddings]))


@given(st.integers(1, 6), st.data())
def test_index_mask_and_list_pick_the_same_rows(count, data):
    faces, row = people(count), data.draw(st.integers(0, count - 1))
    mask = np.arange(count) == row
    for picked in (faces[row], faces[mask], faces[[row]], faces[np.array([row])]):
        assert len(picked) == 1
        assert picked.track_ids.tolist() == [row]
        np.testing.assert_array_equal(picked.mesh[0], faces.mesh[row])


def test_fields_that_not_all_parts_have_are_dropped():
    joined = Faces.concatenate([people(2), Faces(boxes_xyxy=np.ones((1, 4)))])
    assert joined.mesh is None
    assert len(joined) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"boxes_xyxy": np.zeros((2, 5))},
        {"boxes_xyxy": np.zeros((2, 4)), "scores": np.zeros(3)},
        {"boxes_xyxy": np.zeros((2, 4)), "mesh": np.zeros((2, 468, 3))},
        {"boxes_xyxy": np.zeros((2, 4)), "blendshapes": np.zeros((2, 51))},
        {"boxes_xyxy": np.zeros((2, 4)), "keypoints5": np.zeros((2, 5, 3))},
        {"boxes_xyxy": np.zeros(4)},
        {"boxes_xyxy": np.zeros((2, 4)), "embeddings": np.zeros((3, 128))},
        {"boxes_xyxy": np.zeros((2, 4)), "embeddings": np.zeros(2)},
    ],
)
def test_wrong_shapes_are_refused(wrong):
    with pytest.raises(ValueError, match="has shape"):
        Faces(**wrong)


def test_nobody_is_a_faces_too():
    nobody = Faces.empty()
    assert len(nobody) == 0
    assert list(nobody) == []
    assert nobody.areas.shape == (0,)
    assert len(nobody[[]]) == 0


def test_types_are_settled():
    faces = people(2)
    assert faces.boxes_xyxy.dtype == np.float32
    assert faces.track_ids.dtype == np.int64
    assert faces.embeddings.dtype == np.float32


def test_irises_are_the_last_points_of_the_mesh():
    faces = people(2)
    np.testing.assert_array_equal(faces.irises.reshape(2, 10, 3), faces.mesh[:, 468:])
    with pytest.raises(ValueError, match="these faces have none"):
        _ = Faces(boxes_xyxy=np.zeros((1, 4))).irises
