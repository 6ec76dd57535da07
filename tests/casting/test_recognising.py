"""One number for a person throughout a clip."""

import threading

import numpy as np
import pytest

from tests.casting.people import OPTIONS, Colours, Film
from understudy.casting.deciding import SampleOptions
from understudy.casting.recognising import Recogniser, RecognisingOptions

RED, BLUE, GREEN = (20, 20), (220, 20), (20, 220)
WHITE = (255, 255)


@pytest.fixture
def embedder():
    return Colours()


@pytest.fixture
def film(embedder):
    return Film(Recogniser(embedder, OPTIONS))


def test_somebody_alone_is_known_at_once_and_seldom_looked_at(film, embedder):
    assert film.show((7, 300, RED)) == [1]
    assert film.show((7, 300, RED), frames=249) == [1]
    assert embedder.asked == film.recogniser.embeddings == pytest.approx(3 + 10 / 2, abs=1)


def test_what_is_not_in_question_is_asked_one_a_frame_and_not_beside_other_work(film, embedder):
    people = [(1, 150, RED), (2, 300, GREEN), (3, 450, BLUE)]
    film.show(*people, frames=30)  # who they are is known
    film.show(*people, frames=60, busy=True)
    before = embedder.asked
    assert before == 9, "all three were asked about in time, and nothing was asked while others were at work"
    asked = [embedder.asked for _ in range(4) if film.show(*people)]
    assert [after - before for after in asked] == [1, 2, 3, 3]


def test_who_is_new_is_asked_about_at_once_however_busy(film, embedder):
    assert film.show((1, 150, RED), (2, 300, GREEN), busy=True) == [1, 2]
    assert embedder.asked == 2


def test_after_a_cut_everybody_has_the_number_they_had(film):
    assert film.show((1, 150, RED), (2, 450, BLUE), frames=20) == [1, 2]
    assert film.show((3, 150, BLUE), (4, 450, RED)) == [2, 1]
    assert film.show((5, 300, GREEN)) == [3]
    assert film.show((6, 300, RED)) == [1]


def test_who_comes_back_after_three_seconds_is_known(film):
    film.show((1, 150, RED), frames=20)
    film.show(frames=75)
    assert film.show((2, 500, RED)) == [1]


def test_another_in_the_same_place_is_another(film):
    film.show((1, 300, RED), frames=20)
    assert film.show((2, 300, BLUE)) == [2]


def test_somebody_who_is_like_one_who_is_known_only_by_halves_is_decided_upon_later(film):
    film.show((1, 300, RED), frames=20)
    between = (RED[0] + 45, RED[1])  # 0.9 of the limit
    assert film.show((2, 300, between)) == [-1]
    assert film.show((2, 300, between), frames=15) == [2]


def test_tracks_that_changed_over_while_they_crossed_are_set_right(film):
    film.show((1, 150, RED), (2, 450, BLUE), frames=20)
    film.show((1, 290, RED), (2, 310, BLUE), frames=5)
    assert film.show((1, 150, BLUE), (2, 450, RED)) == [2, 1]
    assert film.last.mistaken
    assert film.show((1, 150, BLUE), (2, 450, RED), frames=20) == [2, 1]
    assert not film.last.mistaken


def test_tracks_that_crossed_and_stayed_are_left_alone(film):
    film.show((1, 150, RED), (2, 450, BLUE), frames=20)
    film.show((1, 290, RED), (2, 310, BLUE), frames=5)
    for _ in range(20):
        assert film.show((1, 450, RED), (2, 150, BLUE)) == [1, 2]
        assert not film.last.mistaken


def test_twins_who_are_there_together_are_two_and_do_not_change_over(film):
    alike = (RED[0] + 4, RED[1])
    assert film.show((1, 150, RED), (2, 450, alike), frames=60) == [1, 2]
    film.show((1, 290, RED), (2, 310, alike), frames=5)
    assert film.show((1, 450, RED), (2, 150, alike), frames=60) == [1, 2]
    assert sorted(film.show((3, 150, alike), (4, 450, RED), frames=60)) == [1, 2]


def test_who_is_seen_twice_while_one_picture_fades_into_another_stays_the_same_person(film):
    film.show((1, 150, RED), frames=20)
    film.show((1, 150, RED), (2, 450, RED), frames=12)
    assert film.last.twice == {2}, "that may be the same person once more"
    assert film.last.open == {2}, "so frames wait until it is known"
    assert film.show((2, 450, RED), frames=2) == [1]
    assert not film.last.twice


def test_who_was_not_looked_at_yet_when_the_first_picture_was_gone_is_the_same_person_too(film):
    film.show((1, 150, RED), frames=20)
    film.show((1, 150, RED), (2, 450, WHITE), frames=12)
    assert film.show((2, 450, RED), frames=8) == [1]


def test_who_stays_beside_one_who_looks_the_same_is_another(film):
    film.show((1, 150, RED), frames=20)
    assert film.show((1, 150, RED), (2, 450, RED), frames=45) == [1, 2]
    assert not film.last.twice
    assert film.show((2, 450, RED), frames=60) == [2]


def test_a_lost_track_that_was_found_again_on_somebody_else_is_theirs(film):
    film.show((1, 150, RED), (2, 450, BLUE), frames=20)
    film.show((2, 450, BLUE), frames=5)
    film.show(frames=5)
    assert film.show((1, 160, BLUE)) == [2]
    assert film.last.mistaken
    assert film.show((1, 160, BLUE), (3, 450, RED)) == [2, 1]


def test_somebody_else_in_the_place_of_one_who_was_followed_is_noticed_without_a_cut(film):
    film.show((1, 300, RED), (2, 500, BLUE), frames=20)
    film.show((1, 300, RED), frames=40)
    halves = [film.show((1, 300, (BLUE[0], BLUE[1])))[0] for _ in range(60)]
    assert halves[-1] == 2
    strangers = [film.show((1, 300, GREEN))[0] for _ in range(100)]
    assert strangers[0] == 2
    assert strangers[-1] == 3


def test_a_face_that_is_hidden_for_a_moment_stays_whose_it_was(film):
    film.show((1, 300, RED), frames=60)
    grey = [film.show((1, 300, (128, 128)))[0] for _ in range(12)]
    assert set(grey) == {1}
    assert film.show((1, 300, RED), frames=60) == [1]


def test_who_was_taken_for_somebody_new_gets_the_old_number_once_that_is_clear(film):
    film.show((1, 300, RED), frames=20)
    film.show((2, 300, (RED[0] + 46, RED[1])), frames=20)
    assert film.show((2, 300, (RED[0] + 46, RED[1]))) == [2]
    renamed = []
    for _ in range(80):
        ids = film.show((2, 300, (RED[0] + 20, RED[1])))
        renamed += film.last.renamed
    assert ids == [1]
    assert renamed == [(2, 1)]
    assert film.recogniser.current(2) == 1


def test_who_is_too_small_is_somebody_new_until_they_come_near(film):
    film.show((1, 300, RED), frames=20)
    assert film.show((2, 300, RED, 30), frames=5) == [2]
    assert film.show((2, 300, RED, 80)) == [1]
    assert film.last.renamed == ((2, 1),)
    assert not film.last.mistaken


def test_of_whom_nothing_is_seen_is_not_known_but_alone_is_new(film):
    assert film.show((1, 300, WHITE), frames=20) == [1]
    assert film.show((2, 300, WHITE)) == [2]  # nobody is known whom it could be
    assert film.show((2, 300, RED), frames=20) == [2]
    assert film.show((3, 300, WHITE), frames=100) == [-1]
    assert film.show((3, 300, RED)) == [2]


def test_time_may_step_back(film):
    film.show((1, 300, RED), frames=100)
    asked = film.recogniser.embeddings
    film.number = 0
    assert film.show((1, 300, RED), frames=100) == [1]
    assert film.recogniser.embeddings > asked


def test_the_same_frames_give_the_same_numbers():
    def numbers():
        film, rng = Film(Recogniser(Colours(), OPTIONS)), np.random.default_rng(4)
        shown = []
        for shot in range(30):
            who = rng.permutation([RED, BLUE, GREEN])[: rng.integers(0, 4)].tolist()
            people = [(10 * shot + place, 100 + 200 * place, colours) for place, colours in enumerate(who)]
            shown += [film.show(*people) for _ in range(6)]
        return shown

    first = numbers()
    assert first == numbers()
    assert max(max(ids, default=0) for ids in first) == 3
    assert all(len(set(ids)) == len(ids) for ids in first)


class Waiting(Colours):
    """Answers when it is let."""

    def __init__(self):
        super().__init__()
        self.may, self.threads = threading.Event(), set()

    def embed(self, picture, faces):
        self.may.wait(10)
        self.threads.add(threading.current_thread().name)
        return super().embed(picture, faces)


def until(film, wanted, *people):
    for _ in range(2000):
        threading.Event().wait(0.001)
        if film.show(*people) == wanted:
            return True
    return False


@pytest.mark.slow
def test_live_no_frame_waits_and_one_is_asked_at_a_time():
    embedder = Waiting()
    film = Film(Recogniser(embedder, OPTIONS, live=True))
    assert film.show((1, 150, RED), (2, 450, BLUE), frames=30) == [1, 2]
    assert film.recogniser.embeddings == 1
    embedder.may.set()
    for _ in range(200):
        threading.Event().wait(0.002)
        film.show((1, 150, RED), (2, 450, BLUE))
    assert until(film, [2, 1], (3, 150, BLUE), (4, 450, RED))
    film.recogniser.close()
    assert all(name.startswith("recognise") for name in embedder.threads)
    film.show((5, 150, GREEN), frames=3)  # nobody is asked any more


@pytest.mark.slow
def test_an_answer_to_an_earlier_question_is_none():
    """It was of the face that the track was on before they crossed."""
    embedder = Waiting()
    embedder.may.set()
    film = Film(Recogniser(embedder, OPTIONS, live=True))
    for _ in range(200):
        threading.Event().wait(0.002)
        film.show((1, 150, RED), (2, 450, BLUE))
    embedder.may.clear()
    film.show((1, 150, RED), (2, 450, BLUE), frames=60)  # one is asked for, of before
    film.show((1, 290, RED), (2, 310, BLUE), frames=2)
    film.show((1, 150, BLUE), (2, 450, RED))
    embedder.may.set()
    assert until(film, [2, 1], (1, 150, BLUE), (2, 450, RED))
    film.recogniser.close()


def test_the_picture_may_be_written_to_meanwhile(perception, astronaut):
    """What an embedder is given beside, is a copy; and it gives the same as the whole picture."""
    from understudy.casting.embedding import AtOnce, Beside
    from understudy.recognition.identity import IdentityNetwork

    network, faces = IdentityNetwork(), perception.still(astronaut)
    at_once, beside = AtOnce(network), Beside(network)
    at_once.ask((1, 1), astronaut, faces[0])
    picture = astronaut.copy()
    beside.ask((1, 1), picture, faces[0])
    picture[:] = 0
    beside.close()
    (first,), (second,) = at_once.answers(), beside.answers()
    assert first.asked == second.asked == (1, 1)
    np.testing.assert_allclose(first.embedding, second.embedding, atol=1e-3)
    assert beside.answers() == at_once.answers() == []


@pytest.mark.parametrize("wrong", [{"touching": -1}, {"wait": -1}, {"alike": 2}])
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="can't be below zero"):
        RecognisingOptions(**wrong)


@pytest.mark.parametrize("wrong", [{"enough": 0}, {"spacing": -1}, {"refresh": -1}])
def test_samples_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="1 embedding or more"):
        SampleOptions(**wrong)
