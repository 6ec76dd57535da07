import numpy as np
import pytest
from PIL import features

from understudy.faces import Faces
from understudy.frames import Frame
from understudy.provenance import Labeller, LabelOptions
from understudy.provenance.lettering import FONTS


def drawn(labeller, frame, faces):
    """The frame, labelled."""
    labeller.draw(frame, faces)
    return frame


def ink(before, after):
    """The box of pixels that changed: top, bottom, left, right."""
    rows, columns = np.nonzero(np.abs(after.astype(int) - before).sum(2) > 0)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def flat(width, height, shade):
    return np.full((height, width, 3), shade, np.uint8)


@pytest.mark.parametrize("size", [(1280, 720), (720, 1364), (640, 480), (3840, 2160), (200, 1000), (320, 240)])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_the_label_is_high_enough_and_reads_on_any_ground(size, shade):
    before = flat(*size, shade)
    after = drawn(Labeller(), Frame(before.copy()), Faces.empty()).picture
    top, bottom, left, right = ink(before, after)
    plate = after[top:bottom, left:right].astype(int).mean(2)
    letters = plate > 200
    inner = plate[2:-2, 3:-3]
    assert inner.max() - np.percentile(inner, 20) > 100  # white on dark
    if shade < 255:  # on white the corners around the plate are as bright as the letters
        rows = np.nonzero(letters.any(1))[0]
        narrow = 0.6 if size[0] < 250 else 0.94  # the faint edge of a letter is not above 200
        assert rows.max() - rows.min() + 1 >= 0.05 * min(size) * narrow
    assert (after.astype(int) - before)[: size[1] // 2].sum() == 0


def test_the_label_keeps_clear_of_faces_and_stays_where_it_is():
    labeller, size = Labeller(), (640, 480)

    def place(*boxes):
        before = flat(*size, 90)
        faces = Faces(boxes_xyxy=np.float32(boxes).reshape(-1, 4))
        after = drawn(labeller, Frame(before.copy()), faces).picture
        top, bottom, left, right = ink(before, after)
        for x0, y0, x1, y1 in boxes:
            assert right <= x0 or left >= x1 or bottom <= y0 or top >= y1
        return top, left

    home = place()
    assert place((300, 100, 500, 300)) == home
    moved = place((0, 300, 200, 480))
    assert moved != home
    assert place((300, 100, 500, 300)) == moved  # it does not hop back


def test_a_face_that_fills_the_frame_is_labelled_all_the_same():
    before = flat(640, 480, 90)
    frame = drawn(Labeller(), Frame(before.copy()), Faces(boxes_xyxy=np.float32([[-50, -50, 700, 500]])))
    assert np.abs(frame.picture.astype(int) - before).max() > 60


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (16, 200), (200, 16)])
def test_tiny_frames_are_no_trouble(size):
    frame = drawn(Labeller(), Frame(flat(*size, 90)), Faces.empty())
    assert frame.picture.shape == (size[1], size[0], 3)
    assert len(frame.changes) == 1


def test_frames_of_another_size_get_a_label_of_their_own():
    labeller = Labeller()
    for size in ((640, 480), (320, 240), (640, 480)):
        before = flat(*size, 0)
        top, bottom, _, _ = ink(before, drawn(labeller, Frame(before.copy()), Faces.empty()).picture)
        assert bottom - top < 0.2 * size[1]


@pytest.mark.parametrize("text", ["", "   ", "two\nlines"])
def test_a_label_needs_text(text):
    with pytest.raises(ValueError, match="one line"):
        LabelOptions(text=text)


@pytest.mark.parametrize(
    "options",
    [{"size": 0.049}, {"size": 0.3}, {"later_size": 0.01}, {"size": 0.06, "later_size": 0.07}, {"corner": "middle"}],
)
def test_a_label_can_not_be_made_to_vanish(options):
    with pytest.raises(ValueError, match="label"):
        LabelOptions(**options)


def test_it_is_reduced_after_the_opening_only_and_never_live():
    options = LabelOptions(later_size=0.025)

    def heights(labeller):
        for seconds in (10.0, 11.9, 12.0, 60.0):  # a clip need not begin at zero
            before = flat(640, 480, 90)
            frame = Frame(before.copy(), pts=round(seconds * 1000))
            top, bottom, _, _ = ink(before, drawn(labeller, frame, Faces.empty()).picture)
            yield bottom - top

    first, second, third, last = heights(Labeller(options))
    assert first == second > 1.7 * third == 1.7 * last
    assert len(set(heights(Labeller(options, live=True)))) == 1


@pytest.mark.parametrize("corner", ["bottom-left", "bottom-right", "top-left", "top-right"])
def test_it_stands_where_it_is_told(corner):
    before = flat(640, 480, 90)
    top, _, left, _ = ink(
        before, drawn(Labeller(LabelOptions(corner=corner)), Frame(before.copy()), Faces.empty()).picture
    )
    assert (top < 240) == ("top" in corner)
    assert (left < 100) == ("left" in corner)


SCRIPTS = {
    "chinese": "人工智能换脸",
    "japanese": "AI 顔交換アプリ",
    "korean": "AI 얼굴 바꾸기",
    "arabic": "وجه بالذكاء",
    "hebrew": "החלפת פנים AI",
    "russian": "Замена лица ИИ",
    "vietnamese": "Khuôn mặt AI",
}


@pytest.mark.parametrize("text", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_the_label_speaks_the_users_language(text):
    if any("\u0590" <= letter <= "\u06ff" for letter in text) and not features.check("raqm"):
        with pytest.raises(ValueError, match="raqm"):
            LabelOptions(text=text)
        return
    before = flat(640, 480, 90)
    picture = drawn(Labeller(LabelOptions(text=text)), Frame(before.copy()), Faces.empty()).picture
    top, bottom, left, right = ink(before, picture)
    assert bottom - top >= 0.05 * 480
    # More ink than two thin letters have: the rest is not left out.
    boxes = drawn(Labeller(LabelOptions(text="ll")), Frame(before.copy()), Faces.empty()).picture
    assert (picture[top:bottom, left:right] > 200).sum() > 1.5 * (boxes > 200).sum()


def test_a_script_that_no_font_has_is_refused_unless_a_font_is_named(tmp_path):
    with pytest.raises(ValueError, match="'ꠀꠁ'"):
        LabelOptions(text="ꠀꠁ AI")
    with pytest.raises(ValueError, match="人工智能换脸"):
        LabelOptions(text=SCRIPTS["chinese"], font=FONTS[0])
    LabelOptions(text=SCRIPTS["chinese"], font=FONTS[1])
    (tmp_path / "no.ttf").write_bytes(b"no font")
    for path in (tmp_path / "no.ttf", tmp_path / "missing.ttf", tmp_path):
        with pytest.raises(ValueError, match="can't be read as a font"):
            LabelOptions(font=path)
