from understudy.per_track import PerTrack


def test_each_track_has_a_memory_of_its_own_and_keeps_it():
    known = PerTrack(list)
    first, second = known.of([1, 2])
    first.append("seen")
    assert known.of([2, 1]) == [[], ["seen"]]
    assert known.of([2])[0] is second


def test_one_is_forgotten_without_the_others():
    known = PerTrack(list)
    for memory in known.of([1, 2]):
        memory.append("seen")
    known.forget([1, 7])
    assert known.of([1, 2]) == [[], ["seen"]]
    known.forget()
    assert known.of([1, 2]) == [[], []]


def test_of_many_tracks_only_those_that_are_there_are_kept():
    known = PerTrack(list)
    for number in range(100):
        known.of([number])[0].append(number)
    assert known.of([99]) == [[99]]
    assert known.of([0]) == [[]]
