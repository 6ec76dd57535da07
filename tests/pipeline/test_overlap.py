"""What is read ahead, written behind and done side by side comes in order, and an error comes out where it belongs."""

import threading
import time

import numpy as np
import pytest

from understudy.casting.portraits import portrait_in
from understudy.face import Faces
from understudy.frames import Frame
from understudy.guard import unguarded
from understudy.pipeline.compositing import Compositing
from understudy.pipeline.overlap import BackgroundWriter, ParallelMap, prefetched
from understudy.swapping import MeshEngine
from understudy.testing import Motion, Puppet


def test_items_come_in_order():
    assert list(prefetched(range(100))) == list(range(100))
    done = []
    with BackgroundWriter(done.append) as behind:
        for number in range(100):
            behind.put(number)
    assert done == list(range(100))


def test_the_producer_stays_only_a_little_ahead():
    made = []

    def produce():
        for number in range(1000):
            made.append(number)
            yield number

    items = prefetched(produce())
    next(items)
    time.sleep(0.2)
    assert len(made) < 20
    items.close()
    assert not any(thread.name == "decode" for thread in threading.enumerate())


def test_an_error_in_the_producer_comes_after_the_items_before_it():
    def produce():
        yield 1
        yield 2
        raise ValueError("worn out")

    got = []
    with pytest.raises(ValueError, match="worn out"):
        for item in prefetched(produce()):
            got.append(item)
    assert got == [1, 2]


def test_an_error_in_the_consumer_is_raised_and_no_thread_is_left():
    def consume(item):
        if item == 3:
            raise OSError("full")

    def feed():
        with BackgroundWriter(consume) as behind:
            for number in range(1000):
                behind.put(number)

    with pytest.raises(OSError, match="full"):
        feed()
    assert not any(thread.name == "encode" for thread in threading.enumerate())


@pytest.mark.slow
def test_leaving_by_an_error_drops_what_waits_and_leaves_no_thread():
    taken, over = [], threading.Event()

    def consume(item):
        taken.append(item)
        over.wait(20)

    def feed():
        with BackgroundWriter(consume) as behind:
            for number in range(4):
                behind.put(number)
            threading.Timer(0.5, over.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feed()
    assert len(taken) <= 1  # what it was busy with
    assert not any(thread.name == "encode" for thread in threading.enumerate())


def test_beside_does_all_gives_them_in_order_and_raises_what_any_raised():
    beside = ParallelMap()
    assert beside(lambda x: x * 2, []) == []
    here = threading.get_ident()
    assert beside(lambda _: threading.get_ident(), [1]) == [here]
    threads = beside(lambda _: threading.get_ident(), [1, 2, 3])
    assert threads[0] == here
    assert here not in threads[1:]
    assert beside(lambda x: x * 2, range(5)) == [0, 2, 4, 6, 8]
    done = []

    def fail_on(bad):
        def work(x):
            if x == bad:
                raise ValueError(x)
            done.append(x)

        return work

    for bad in (0, 2):
        done.clear()
        with pytest.raises(ValueError, match=str(bad)):
            beside(fail_on(bad), range(4))
        assert sorted(done) == [x for x in range(4) if x != bad]
    beside.close()


def test_faces_beside_each_other_have_the_same_pixels(astronaut, hopper, perception):
    left, right = (Puppet(astronaut, (240, 240), face_share=0.6).render(Motion(yaw=yaw)) for yaw in (-8, 8))
    picture = np.hstack([left.picture, right.picture])
    meshes = np.stack([left.mesh, right.mesh + np.array([240, 0, 0], np.float32)])
    faces = Faces(boxes_xyxy=np.zeros((2, 4)), mesh=meshes, track_ids=np.array([1, 2]))
    portrait = portrait_in(hopper, "a photo", perception, None)[0]

    def drawn(each):
        engine, frame = MeshEngine(), Frame(picture.copy())
        renderer = engine.renderer()
        identities = dict.fromkeys((1, 2), engine.identity([portrait]))
        patches = [p for some in each(lambda face: renderer.render(frame, face, identities), faces) for p in some]
        assert [patch.track_id for patch in patches] == [1, 2]
        Compositing(each=each).compose(unguarded(frame), patches)
        return frame.picture

    one_by_one = drawn(map)
    np.testing.assert_array_equal(drawn(ParallelMap()), one_by_one)
    assert (one_by_one != picture).any(axis=(0, 2)).reshape(2, 240).any(axis=1).all()


def test_what_asks_again_from_within_gets_its_results_and_waits_for_nobody():
    beside = ParallelMap()
    here = threading.get_ident()
    inner, outer = {}, {}

    def many(of):
        outer[of] = threading.get_ident()
        inner[of] = list(beside(lambda x: (of * x, threading.get_ident()), [1, 2, 3]))
        return of

    assert beside(many, [10, 20]) == [10, 20]
    assert outer[10] == here != outer[20]
    assert inner == {of: [(of * x, outer[of]) for x in (1, 2, 3)] for of in (10, 20)}
    assert here not in {thread for _, thread in beside(lambda x: (x, threading.get_ident()), [1, 2])[1:]}  # free again
    beside.close()


def test_after_an_error_it_shares_again():
    beside = ParallelMap()
    with pytest.raises(ZeroDivisionError):
        beside(lambda x: 1 // x, [0, 1])
    assert len(set(beside(lambda _: threading.get_ident(), [1, 2]))) == 2
    beside.close()


@pytest.mark.slow
@pytest.mark.parametrize("apart", [None, 40, 720])
def test_large_faces_have_the_same_pixels_whoever_else_helps(astronaut, hopper, perception, apart):
    """One alone, two of which one is in front of the other, and two side by side."""
    one = Puppet(astronaut, (720, 720), face_share=0.9).render(Motion(yaw=-8))
    picture = np.hstack([one.picture] * 2)
    meshes = np.stack([one.mesh, *([] if apart is None else [one.mesh + np.array([apart, 0, 0], np.float32)])])
    faces = Faces(boxes_xyxy=np.zeros((len(meshes), 4)), mesh=meshes, track_ids=np.arange(len(meshes)))
    engine = MeshEngine()
    identity = engine.identity([portrait_in(hopper, "a photo", perception, None)[0]])

    def drawn(each):
        frame = Frame(picture.copy())
        patches = engine.renderer(each).render(frame, faces, dict.fromkeys(range(len(meshes)), identity))
        rendered = len(helped)
        Compositing(each=each).compose(unguarded(frame), patches)
        return rendered, frame.picture

    beside, helped = ParallelMap(), []

    def noted(function, items):
        listed = list(items)
        helped.append(len(listed))
        return beside(function, listed)

    rendered, shared = drawn(noted)
    np.testing.assert_array_equal(shared, drawn(map)[1])
    assert helped[:rendered] == [2, 2] * len(meshes)  # its mesh, and its colours
    assert helped[rendered:].count(2) >= 3  # what is moved, how sharp it is, what is written
    beside.close()


def test_what_is_asked_for_after_the_end_is_done_by_whoever_asks():
    beside = ParallelMap()
    assert beside(str, [1, 2]) == ["1", "2"]
    beside.close()
    beside.close()
    assert beside(str, [1, 2]) == ["1", "2"]
