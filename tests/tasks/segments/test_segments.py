"""A clip in segments: planned, worked in any order, joined to what it would have been in one go."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.tasks.segments.conftest import SHORT, two_scenes
from understudy import Lane, Settings, TrimOptions, Understudy
from understudy.errors import ConsentError, EncodingError, InputError
from understudy.media.files.joined_video import decoding_times
from understudy.media.files.segments import SegmentFile, SegmentSink
from understudy.media.files.trimming import open_part
from understudy.release import file_digest
from understudy.resources import trust
from understudy.settings import Settings as Own
from understudy.tasks.segments.joining import join_segments
from understudy.tasks.segments.plan import ClipPlan
from understudy.tasks.segments.planning import can_be_cut
from understudy.tasks.segments.report import SegmentReport
from understudy.testing import ClipSpec


def worked(shop, folder, order=None):
    folder.mkdir(exist_ok=True)
    worker = shop.worker()
    indices = range(len(shop.plan.segments))
    made = {index: (folder / str(index), worker.work(index, folder / str(index))) for index in order or indices}
    return [made[index] for index in indices]


def joined(app, shop, segments):
    clip = file_digest(shop.opened.info.path)
    return join_segments(
        shop.cast, shop.output, shop.opened, shop.plan, shop.settled, segments, clip=clip, resources=app.resources
    )


def packets(path):
    with av.open(str(path)) as file:
        return [(one.pts, one.dts, one.duration) for one in file.demux(video=0) if one.size]


def pictures(path):
    with av.open(str(path)) as file:
        return [(one.pts, one.to_ndarray(format="gray").astype(int)) for one in file.decode(video=0)]


def streams(path):
    with av.open(str(path)) as file:
        kinds = [(one.type, one.codec_context.name, one.start_time, one.duration) for one in file.streams]
        return kinds, file.duration, file.start_time


@pytest.mark.slow
def test_a_clip_is_cut_where_its_scene_changes(workshop, scenes):
    segments = workshop(scenes).plan.segments
    step = segments[0].last // (segments[0].frames - 1)
    assert 24 * step in [one.first for one in segments]
    at_change = next(one for one in segments if one.first == 24 * step)
    assert at_change.begins == at_change.first  # nothing has to be warmed
    assert sum(one.frames for one in segments) == 48
    for one, other in pairwise(segments):
        assert one.last + step == other.first


@pytest.mark.slow
def test_a_segment_is_the_same_wherever_and_after_whatever_it_is_worked(workshop, scenes, tmp_path, monkeypatch):
    made, write = {}, SegmentSink.write

    def watched(self, labelled):
        frame = labelled.frame
        made.setdefault(frame.pts, []).append((sha256(frame.picture.tobytes()).hexdigest(), frame.label))
        write(self, labelled)

    monkeypatch.setattr(SegmentSink, "write", watched)
    shop = workshop(scenes)
    assert len(shop.plan.segments) >= 3
    plan = ClipPlan.from_json(json.loads(json.dumps(shop.plan.as_json())))
    first = worked(shop, tmp_path / "a")
    with Understudy(Settings(home=tmp_path / "elsewhere")) as other:  # which has no records of consent
        worker = shop.worker(plan, other)
        for index in reversed(range(len(plan.segments))):
            path, report = first[index]
            again = worker.work(index, tmp_path / "again")
            assert again.sha256 == file_digest(tmp_path / "again")
            assert replace(again, sha256="", seconds=0, stages_ms={}) == replace(
                report, sha256="", seconds=0, stages_ms={}
            )
            assert SegmentReport.from_json(json.loads(json.dumps(again.as_json()))) == again
            assert [one[:2] for one in SegmentFile.opened(path).packets if one.key] == [
                one[:2] for one in SegmentFile.opened(tmp_path / "again").packets if one.key
            ]
    assert len(made) == 48
    assert all(len(looks) == 2 and looks[0] == looks[1] for looks in made.values())
    assert not (tmp_path / "elsewhere" / "keys").exists()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path, _ in first)


@pytest.mark.slow
def test_what_is_joined_is_like_what_is_written_in_one_go(app, workshop, scenes, tmp_path, monkeypatch):
    shop = workshop(scenes)
    report = joined(app, shop, worked(shop, tmp_path / "a"))
    monkeypatch.setattr(trust, "new_identifier", lambda: shop.plan.identifier)
    whole = tmp_path / "whole.mp4"
    in_one_go = app.swap(scenes, whole, app.person(*shop.cast.photos, consent="sample"))
    assert streams(shop.output) == streams(whole)
    assert sorted(one[0] for one in packets(shop.output)) == sorted(one[0] for one in packets(whole))
    assert [one[1] for one in packets(shop.output)] == [one[1] for one in packets(whole)]
    for (time, one), (other_time, other) in zip(pictures(shop.output), pictures(whole), strict=True):
        assert time == other_time
        assert np.abs(one - other).mean() < 3
    assert (report.frames, report.frames_swapped) == (in_one_go.frames, in_one_go.frames_swapped) == (48, 48)
    assert report.people == in_one_go.people
    found = app.inspect(shop.output)
    assert found.verdict == "made by this tool"
    assert found.mark.identifier == shop.plan.identifier
    assert len(found.record.hashes) >= 2
    assert found.record.hashes[0] == app.inspect(whole).record.hashes[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "spec"),
    [
        (".mkv", ClipSpec(rate=20, options=(("g", "12"),), subtitles="mov_text", chapters=("a", "b"), rotation=90)),
        (
            ".mp4",
            ClipSpec(
                pixel_format="yuv420p10le", encoder="libx265", options=(("x265-params", "keyint=12:log-level=error"),)
            ),
        ),
        (".webm", ClipSpec(rate=20, options=(("g", "12"),))),
        (".mov", ClipSpec(options=(("g", "12"),), pts=[n * 4500 + (n % 3) * 700 for n in range(48)])),
        (
            ".mp4",
            ClipSpec(options=(("g", "12"),), pts=[9000 + n * n * 60 for n in range(48)], pixel_aspect=Fraction(4, 3)),
        ),
    ],
)
def test_all_kinds_of_clips_come_out_as_in_one_go(app, workshop, tmp_path, suffix, spec):
    clip = two_scenes(tmp_path / "in.mp4", spec)
    shop = workshop(clip, suffix)
    assert len(shop.plan.segments) >= 2
    report = joined(app, shop, worked(shop, tmp_path / "a"))
    whole = tmp_path / f"whole{suffix}"
    in_one_go = app.swap(clip, whole, app.person(*shop.cast.photos, consent="sample"))
    assert streams(shop.output) == streams(whole)
    assert [one[1] for one in packets(shop.output)] == [one[1] for one in packets(whole)]
    assert [time for time, _ in pictures(shop.output)] == [time for time, _ in pictures(whole)]
    assert set(report.notes) == set(in_one_go.notes) or len(report.notes) == len(in_one_go.notes)
    with av.open(str(shop.output)) as one, av.open(str(whole)) as other:
        ours, theirs = one.streams.video[0].codec_context, other.streams.video[0].codec_context
        for name in ("color_range", "color_primaries", "color_trc", "colorspace", "pix_fmt", "width", "height"):
            assert getattr(ours, name) == getattr(theirs, name), name
        assert one.streams.video[0].sample_aspect_ratio == other.streams.video[0].sample_aspect_ratio
        assert one.chapters() == other.chapters()


def test_a_file_without_exact_times_is_done_in_one_go(scenes, tmp_path):
    other = tmp_path / "in.ts"
    with av.open(str(scenes)) as read, av.open(str(other), "w") as write:
        stream = write.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.size:
                packet.stream = stream
                write.mux(packet)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(scenes.read_bytes()[:-2000])
    settings = Own()
    assert can_be_cut(other, tmp_path / "out.mp4", settings, SHORT) is None
    assert can_be_cut(scenes, tmp_path / "out.gif", settings, SHORT) is None
    assert can_be_cut(scenes, tmp_path / "out.mp4", settings, SHORT) is not None


@pytest.mark.slow
def test_photos_that_the_plan_does_not_name_are_not_used(workshop, scenes, tmp_path):
    shop = workshop(scenes)
    values = shop.plan.as_json() | {"permissions": {"0" * 64: ["id", "0" * 64]}}
    with pytest.raises(ConsentError, match="none of the photos"):
        shop.worker(ClipPlan.from_json(values))


@pytest.mark.slow
def test_a_damaged_segment_is_no_segment(workshop, scenes, tmp_path):
    shop = workshop(scenes)
    path = tmp_path / "one"
    shop.worker().work(0, path)
    whole = path.read_bytes()
    for damaged in (b"", whole[:-1], whole[: len(whole) // 2], whole[:30] + whole[31:], b"x" * 100):  # one byte less
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="can't use the segment"):
            SegmentFile.opened(path)


@pytest.mark.slow
def test_segments_that_do_not_follow_each_other_are_not_joined(app, workshop, scenes, tmp_path):
    shop = workshop(scenes)
    segments = worked(shop, tmp_path / "a")
    with pytest.raises(EncodingError, match="follow"):
        joined(app, shop, segments[::-1])
    other = workshop(scenes)
    with pytest.raises(EncodingError, match="another output"):
        joined(app, shop, worked(other, tmp_path / "b"))
    assert not shop.output.exists()


def test_packets_are_decoded_as_much_earlier_as_they_are_shown_late():
    assert decoding_times([0, 10, 20, 35], 2) == [-20, -10, 0, 10]
    assert decoding_times([0, 10], 0) == [0, 10]
    assert decoding_times([7], 2) == [7]


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), [(0.3, 2.1), (1.15, None), (None, 1.5)])
def test_a_part_of_a_clip_is_planned_worked_and_joined_as_a_clip_of_its_own(
    app, workshop, scenes, tmp_path, monkeypatch, start, end
):
    made, write = {}, SegmentSink.write

    def watched(self, labelled):
        frame = labelled.frame
        made[frame.pts] = np.asarray(frame.picture).copy()
        write(self, labelled)

    monkeypatch.setattr(SegmentSink, "write", watched)
    shop = workshop(scenes, trim=TrimOptions(start, end))
    first, last = round((start or 0) * 20), round((end or 2.4) * 20)
    assert sum(one.frames for one in shop.plan.segments) == last - first
    assert len(shop.plan.segments) >= 2
    assert ClipPlan.from_json(json.loads(json.dumps(shop.plan.as_json()))) is not None
    segments = worked(shop, tmp_path / "segments", reversed(range(len(shop.plan.segments))))
    assert len(made) == last - first
    report = joined(app, shop, segments)
    assert report.frames == last - first
    assert any("a part of scenes.mp4" in note for note in report.notes)
    with open_part(scenes, 10_000_000, start or 0, end) as source:
        assert [frame.pts for frame in source] == sorted(made)
    times = [pts for pts, _ in pictures(shop.output)]
    step = times[1] - times[0]
    assert times == [number * step for number in range(last - first)]
    kinds, duration, _ = streams(shop.output)
    assert [kind for kind, *_ in kinds] == ["video", "audio"]
    assert duration / 1e6 == pytest.approx((last - first) / 20, abs=0.05)


@pytest.mark.slow
def test_lanes_are_the_same_wherever_the_clip_is_cut(workshop, scenes, tmp_path, monkeypatch):
    """A lane that goes over an edge between two segments, and one that begins in a segment."""
    made, write = {}, SegmentSink.write

    def watched(self, labelled):
        frame = labelled.frame
        made.setdefault(frame.pts, []).append(np.asarray(frame.picture).astype(int))
        write(self, labelled)

    monkeypatch.setattr(SegmentSink, "write", watched)
    lanes = (Lane(0.2, 0.8, {"blend.strength": 0.3}), Lane(1.6, None, do="leave"))
    shop = workshop(scenes, lanes=lanes)
    assert len(shop.plan.segments) >= 3
    reports = [report for _, report in worked(shop, tmp_path / "a")]
    assert sum(one.frames_swapped for one in reports) == 32
    worked(shop, tmp_path / "b", reversed(range(len(shop.plan.segments))))
    assert all(np.array_equal(*twice) for twice in made.values())
    plain = {pts: one for pts, (one, _) in made.items()}
    made.clear()
    worked(workshop(scenes), tmp_path / "c")
    step = sorted(plain)[1]
    apart = {pts // step: np.abs(plain[pts] - made[pts][0])[40:180, 100:220].mean() for pts in plain}
    mark = max(apart[number] for number in (*range(4), *range(16, 32)))  # each plan has its own mark
    inside = [apart[number] for number in (*range(4, 16), *range(32, 48))]
    assert min(inside) > mark + 1
