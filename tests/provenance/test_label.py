"""The label: large enough, readable on any ground, clear of faces, and never saying the opposite."""

import json
import struct
from importlib.resources import files

import cv2
import numpy as np
import pytest
from PIL import features

from understudy.errors import InputError
from understudy.face import Faces
from understudy.frames import Frame
from understudy.provenance import Labeller, LabelOptions
from understudy.provenance.denials import denied
from understudy.provenance.lettering import FONTS, Font, font_for
from understudy.provenance.lettering import drawn as line_of
from understudy.provenance.mixing import MixedFont
from understudy.provenance.wording import worded
from understudy.provenance.writing import runs
from understudy.settings.framing import FrameOptions


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
        # The faint edge of a letter is not above 200.
        assert rows.max() - rows.min() + 1 >= 0.05 * min(size) * 0.94
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


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (16, 200), (200, 16), (16, 2000), (20, 20), (24, 24)])
def test_frames_that_are_too_small_for_a_label_that_can_be_read_are_refused(size):
    labeller, picture = Labeller(), flat(*size, 90)
    with pytest.raises(InputError, match="too small"):
        labeller.check(*size)
    with pytest.raises(InputError, match="too small"):
        labeller.draw(Frame(picture), Faces.empty())
    assert (picture == 90).all()


@pytest.mark.parametrize("size", [(64, 64), (64, 4000), (4000, 64)])
def test_what_is_as_large_as_the_error_says_is_labelled(size):
    Labeller().check(*size)
    with pytest.raises(InputError, match="too small") as caught:
        Labeller().check(20, 20)
    assert "64x64 is enough" in caught.value.hint


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


GROUNDS = {
    "black": lambda shape: np.zeros(shape, np.uint8),
    "white": lambda shape: np.full(shape, 255, np.uint8),
    "grey": lambda shape: np.full(shape, 128, np.uint8),
    "noise": lambda shape: np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8),
    "stripes": lambda shape: np.broadcast_to(
        (np.arange(shape[1]) % 8 < 4)[None, :, None] * np.uint8(255), shape
    ).copy(),
}


def seen(text, size, ground, **options):
    """Of a finished label: rows from the first to the last with white, contrast, share of the picture."""
    frame = Frame(GROUNDS[ground]((size[1], size[0], 3)))
    box = Labeller(LabelOptions(text=text, **options)).draw(frame, Faces.empty())
    shown = frame.picture[box.y0 : box.y1, box.x0 : box.x1].astype(int).mean(2)
    edge = max(round(0.5 * 0.05 * min(size)), 4)  # beyond the plate's round corners
    inner = shown[3:-3, edge:-edge]
    white = inner > 200
    rows = np.flatnonzero(white.any(1))
    contrast = np.percentile(inner[white], 50) - np.percentile(inner[~white], 50)
    return rows[-1] - rows[0] + 1, contrast, shown.size / (size[0] * size[1])


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(
    ("text", "size", "lines"),
    [
        ("AI face swap", (1280, 720), 1),
        ("AI face swap", (200, 1000), 1),
        ("AI face swap", (64, 64), 2),
        ("AI face swap", (32, 32), 1),
        ("AI face swap", (8000, 64), 1),
        ("AI face swap", (40, 400), 3),
        ("W" * 40, (360, 640), 3),
        ("W" * 40, (1280, 720), 2),
        ("i" + " " * 30 + "i", (360, 640), 1),
        ("\u0627" + "\u0640" * 30 + "\u0644", (360, 640), 1),
        ("人工智能换脸" * 6, (360, 640), 2),
        ("Gesichtstausch mit künstlicher Intell.", (360, 640), 2),
    ],
)
def test_every_finished_label_can_be_read(text, size, lines, ground):
    if "\u0627" in text and not features.check("raqm"):
        pytest.skip("no raqm")
    high, contrast, share = seen(text, size, ground)
    assert high >= lines * max(0.05 * min(size) * 0.94, 8)
    assert high < (lines + 1) * 1.4 * max(0.05 * min(size), 16)
    assert contrast > 100
    assert share <= 0.5


@pytest.mark.parametrize("size", [0.05, 0.1, 0.25])
def test_a_large_label_is_reduced_where_there_is_no_room_but_never_below_what_is_asked_for(size):
    text = "Gesichtstausch mit künstlicher Intell."
    frame = Frame(flat(640, 360, 128))
    box = Labeller(LabelOptions(text=text, size=size)).draw(frame, Faces.empty())
    white = np.flatnonzero((frame.picture[box.y0 + 3 : box.y1 - 3, box.x0 : box.x1] > 200).any((1, 2)))
    assert white[-1] - white[0] >= 18 * 0.9
    assert (box.x1 - box.x0) * (box.y1 - box.y0) <= 0.5 * 640 * 360


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("一" * 40, "too low"),
        ("ㅡㅡㅡㅡ", "too low"),
        ("\u0640" * 20, "one line"),
        ("A" + "\u0301" * 9 + "I", "marks"),
        ("A\u034fI\u034f", "not seen"),
        ("AI\ufe0f face", "not seen"),
        ("AI\u3164\u3164", "not seen"),
        ("AI\u2800face", "not seen"),
        ("\u200bAI", "one line"),
        ("\u202eAI face", "one line"),
        ("AI\u00a0face", "one line"),
        ("AI\u3000face", "one line"),
        ("AI\tface", "one line"),
        ("AI\x00face", "one line"),
        ("AI\x1b[8mface", "one line"),
        ("\ud800AI", "one line"),
        ("AI\ue000", "one line"),
        ("\U0001f600\U0001f600", "one line"),
        ("....", "one line"),
        ("ʰʲ", "one line"),
        ("a" * 41, "at most 40"),
        ("A\u0336I\u0336 f\u0336a\u0336c\u0336e\u0336", "strike"),
        ("A\u0338I\u0338", "strike"),
        ("AI\u20e0", "strike"),
        ("A\u0489I\u0489", "strike"),
        ("\u2260 AI", "strike"),
        ("\u00ac AI", "strike"),
        ("AI \u2717", "strike"),
        ("AI e\u1ded", "no letters"),
    ],
)
def test_a_text_that_could_not_be_read_is_refused(text, match):
    with pytest.raises(ValueError, match=match):
        LabelOptions(text=text)


def test_a_text_is_drawn_without_what_only_takes_up_room():
    assert LabelOptions(text="  AI    face   swap ").text == "AI face swap"
    if features.check("raqm"):
        assert LabelOptions(text="\u0627" + "\u0640" * 9 + "\u0644").text == "\u0627\u0644"
    assert LabelOptions(text="e\u0301e\u0301").text == "\u00e9\u00e9"


@pytest.mark.parametrize("value", [None, 7, b"AI face swap", ["AI"]])
def test_a_text_is_a_string(value):
    with pytest.raises(TypeError, match="string"):
        LabelOptions(text=value)


@pytest.mark.parametrize("ground", [0, 128, 255])
@pytest.mark.parametrize("opacity", [0, 1, 90, 255])
def test_the_label_shows_on_a_transparent_picture_whatever_it_is_laid_on(ground, opacity):
    picture, alpha = flat(320, 240, ground), np.full((240, 320), opacity, np.uint8)
    frame = Frame(picture, alpha=alpha)
    box = Labeller().draw(frame, Faces.empty())
    for page in (0, 128, 255):
        cover = frame.alpha[:, :, None] / 255
        shown = (frame.picture * cover + page * (1 - cover)).mean(2)[box.y0 + 2 : box.y1 - 2, box.x0 + 3 : box.x1 - 3]
        assert shown.max() - np.percentile(shown, 50) > 100
    assert (frame.alpha[: box.y0] == opacity).all()


REFUSED = """\
real photo|REAL  PHOTO|r e a l  p h o t o|Real-Photo!|RealPhoto|
r3al phot0|ＲＥＡＬ ＰＨＯＴＯ|
rеаl рhоtо|réal phôto|real|This is a real video|not AI|NOT A.I.|
No AI!|AI-free|n0t A1|\u039d\u039f\u03a4 \u0391\u0399|\u0397U\u039c\u0391\u039d|
not face-swapped|0% AI|100% human|kein AI|
without AI|authentic|unedited|100% genuine|no deepfake|echtes Foto|
ohne KI|unbearbeitet|
keine KI|vraie photo|sans IA|photo authentique|non retouchée|
foto real|sin IA|sin editar|
imagem real|sem IA|foto vera|senza IA|echte foto|geen AI|äkta bild|
inte AI|ægte foto|ekte bilde|
aito kuva|prawdziwe zdjęcie|bez AI|skutečná fotografie|valódi fotó|
fotografie reală|
истинска снимка|настоящее фото|не ИИ|не дипфейк|справжнє фото|
πραγματική φωτογραφία|
gerçek fotoğraf|yapay zekâ değil|ảnh thật|không phải AI|foto asli|
bukan AI|صورة حقيقية|
بدون تعديل|لا ذكاء اصطناعي|عکس واقعی|תמונה אמיתית|ללא AI|真实照片|真實照片|实拍|非AI|不是AI|未经编辑|
本物の写真|AIではありません|無加工|실제 사진|
AI 아님|무보정|իրական լուսանկար|ნამდვილი ფოტო\
"""
ALLOWED = """\
AI face swap|Not a real photo|This is not real footage|
AI: not a real person|
surreal photo by AI|Real-time AI face swap|Kein echtes Foto|
Gesicht mit KI getauscht|
Ce n'est pas une photo authentique|Visage remplacé par IA|no es una foto real|
Rosto trocado por IA|non è una foto vera|Замена лица ИИ|
это не настоящее фото|
gerçek fotoğraf değil|Khuôn mặt AI|非真实照片|不是真实照片|人工智能换脸|由AI生成|深度合成|
本物の写真ではありません|AI 顔交換アプリ|
실제 사진이 아님|AI 얼굴 바꾸기|deepfake\
"""


@pytest.mark.parametrize("text", REFUSED.replace("\n", "").split("|"))
def test_a_text_that_says_the_opposite_is_refused(text):
    with pytest.raises(ValueError, match="opposite"):
        worded(text)


@pytest.mark.parametrize("text", ALLOWED.replace("\n", "").split("|"))
def test_a_text_that_says_what_was_done_is_not(text):
    assert worded(text) == text


@pytest.mark.slow
def test_every_phrase_of_every_language_is_refused_and_can_be_said():
    lists = json.loads(files("understudy.provenance").joinpath("denials.json").read_text(encoding="utf-8"))
    assert len(lists) >= 35
    for name, one in lists.items():
        for claim in one["claims"]:
            assert denied(claim), (name, claim)
            assert denied(f"{claim}!".upper()) or one.get("joined"), (name, claim)
        for claim in one["alone"]:
            assert denied(claim), (name, claim)


def odd_font(path, outline):
    """A TrueType font that draws every letter as one and the same rectangle (left, low, right, high)."""
    left, low, right, high = outline
    glyph = struct.pack(">hhhhh", 1, *outline) + struct.pack(">HH", 3, 0) + bytes([1] * 4)
    xs, ys = (left, left, right, right), (low, high, high, low)
    for values in (xs, ys):
        glyph += b"".join(struct.pack(">h", now - before) for before, now in zip((0, *values), values, strict=False))
    glyph += bytes(-len(glyph) % 4)
    codes = range(0x20, 0x7F)
    segment = struct.pack(">HHHH", 4, 4, 1, 0) + struct.pack(">HH", codes[-1], 0xFFFF) + bytes(2)
    segment += struct.pack(">HH", codes[0], 0xFFFF) + struct.pack(">hh", 0, 1) + struct.pack(">HH", 4, 0)
    segment += struct.pack(f">{len(codes)}H", *[1] * len(codes))
    cmap = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + struct.pack(">HHH", 4, len(segment) + 6, 0) + segment
    tables = {
        b"OS/2": bytes(78),
        b"cmap": cmap,
        b"glyf": glyph,
        b"head": struct.pack(
            ">IIIIHH16shhhhHHhhh", 0x10000, 0, 0, 0x5F0F3CF5, 0, 1000, bytes(16), *outline, 0, 8, 2, 1, 0
        ),
        b"hhea": struct.pack(">IhhhHhhhhhh8xhH", 0x10000, 800, -200, 0, 1000, 0, 0, 0, 1, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", 600, 0, 600, left),
        b"loca": struct.pack(">III", 0, 0, len(glyph)),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x10000, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    place, index, body = 12 + 16 * len(tables), b"", b""
    for name, data in tables.items():
        index += name + struct.pack(">III", 0, place + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    path.write_bytes(struct.pack(">IHHHH", 0x10000, len(tables), 128, 3, 0) + index + body)
    return path


@pytest.mark.parametrize("outline", [(50, 0, 550, 700), (0, 0, 600, 30), (250, 0, 300, 50), (0, -200, 600, 800)])
def test_a_font_whose_letters_can_not_be_told_apart_is_refused(outline, tmp_path):
    with pytest.raises(ValueError, match=r"told apart|too low"):
        LabelOptions(font=odd_font(tmp_path / "odd.ttf", outline))


def test_a_font_file_is_read_once(tmp_path):
    font = tmp_path / "own.ttf"
    font.write_bytes(FONTS[0].read_bytes())
    labeller = Labeller(LabelOptions(font=font))
    odd_font(font, (0, 0, 600, 30))
    before = flat(640, 480, 90)
    ours = drawn(labeller, Frame(before.copy()), Faces.empty()).picture
    np.testing.assert_array_equal(ours, drawn(Labeller(), Frame(before.copy()), Faces.empty()).picture)


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


MIXES = {
    "hangul and hebrew": ("안녕하세요 שלום", ["안녕하세요 ", "שלום"]),
    "arabic and hangul": ("مرحبا 안녕", ["안녕", "مرحبا "]),
    "latin, ideographs and arabic": ("AI 换脸 تبديل", ["AI 换脸 ", "تبديل"]),
    "numbers": ("שלום 123 안녕", ["안녕", " ", "123", "שלום "]),
    "brackets": ("مرحبا 안녕 (50%)", ["안녕 (50%)", "مرحبا "]),
    "armenian and ideographs": ("Դեմք 换脸", ["Դեմք 换脸"]),
}


@pytest.mark.parametrize(("text", "order"), MIXES.values(), ids=MIXES)
def test_words_of_scripts_that_no_font_has_all_of_stand_in_their_order(text, order):
    assert [part for part, _, _ in runs(text, lambda _: 0)] == order


@pytest.mark.slow
@pytest.mark.skipif(not features.check("raqm"), reason="no raqm")
@pytest.mark.parametrize("text", [text for text, _ in MIXES.values()], ids=MIXES)
def test_a_label_of_several_scripts_is_drawn_with_every_letter_on_one_line(text):
    picture = line_of([text], font_for(text).at(40)) > 127
    assert picture.shape[0] < 2 * 40  # one line
    words = sum((line_of([word], font_for(word).at(40)) > 127).sum() for word in text.split(" "))
    assert 0.9 * words < picture.sum() < 1.1 * words
    LabelOptions(text=text)
    FrameOptions(caption=text)


@pytest.mark.skipif(not features.check("raqm"), reason="no raqm")
@pytest.mark.parametrize(
    "text", ["שלום 123 abc (עולם)!", "abc (שלום 12) def", "مرحبا 123 abc 50% $5", "1-2 שלום 3/4, a: 7", "Gé [אב] (x)"]
)
def test_several_fonts_draw_a_line_as_one_of_them_would(text):
    one = Font.read(FONTS[0])
    apart = [np.asarray(line_of([text], font.at(40)), int) for font in (one, MixedFont([one], {}))]
    shape = tuple(min(sides) for sides in zip(*(picture.shape for picture in apart), strict=True))
    first, second = (cv2.blur(picture[: shape[0], : shape[1]].astype(np.float32), (5, 5)) for picture in apart)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.95


def test_a_letter_that_is_in_no_font_is_told_and_no_other():
    with pytest.raises(ValueError, match="no letters for 'ꠀꠁ'"):
        LabelOptions(text="שלום 换脸 ꠀꠁ" if features.check("raqm") else "Դեմք 换脸 ꠀꠁ")
