"""The catalogue: complete, consistent, and strict with what users add."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from understudy.cli.main import main
from understudy.errors import CatalogueError, UnknownModelError
from understudy.geometry.templates import TEMPLATES
from understudy.models.catalogue import OWN_FILE, Catalogue
from understudy.models.entries import KINDS, Template

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue.load()


SWAPPERS = [
    "inswapper_128",
    "inswapper_128_fp16",
    "hyperswap_1a_256",
    "hyperswap_1b_256",
    "hyperswap_1c_256",
    "ghost_1_256",
    "ghost_2_256",
    "ghost_3_256",
    "simswap_256",
    "simswap_unofficial_512",
    "hififace_unofficial_256",
    "blendswap_256",
    "uniface_256",
    "mobilefaceswap_224",
]
OTHERS = [
    "scrfd_10g",
    "scrfd_2.5g",
    "yoloface_8n",
    "yunet",
    "centerface",
    "arcface_w600k_r50",
    "2d106det",
    "1k3d68",
    "2dfan4",
    "genderage",
    "crossface_ghost",
    "crossface_simswap",
    "crossface_hififace",
    "mobilefaceswap_identity",
    "mobilefaceswap_conditioner",
    "gfpgan_1.4",
    "restoreformer_plus_plus",
    "codeformer",
    "gpen_bfr_256",
    "gpen_bfr_512",
    "gpen_bfr_1024",
    "gpen_bfr_2048",
    "real_esrgan_x2",
    "real_esrgan_x4",
    "xseg_1",
    "xseg_2",
    "xseg_3",
    "bisenet_resnet_18",
    "bisenet_resnet_34",
    "nsfw_384",
]


def test_every_model_of_the_field_has_its_entry(catalogue):
    assert {entry.name for entry in catalogue.of_kind("swapper")} == set(SWAPPERS)
    assert set(OTHERS) <= catalogue.entries.keys()
    assert sum(len(catalogue.of_kind(kind)) for kind in KINDS) == len(catalogue.entries)


def test_templates_are_those_that_there_are():
    assert set(get_args(Template)) == set(TEMPLATES)


def test_files_and_hashes_are_nobody_elses(catalogue):
    names = [entry.file.name for entry in catalogue.entries.values()]
    assert len(set(names)) == len(names)
    digests = [entry.file.sha256 for entry in catalogue.entries.values() if entry.file.sha256]
    assert len(set(digests)) == len(digests) == 12
    for entry in catalogue.entries.values():
        assert entry.file.sources, entry.name
        assert all(source.url.startswith("https://") for source in entry.file.sources)


def fed(picture, *values):
    """What a pixel of these three grey levels is in a model's input."""
    return (np.array(values) / 255 - np.array(picture.mean)) / np.array(picture.std)


@pytest.mark.parametrize(
    ("name", "levels", "expected"),
    [
        ("inswapper_128", (0, 51, 255), (0, 0.2, 1)),
        ("arcface_w600k_r50", (0, 127.5, 255), (-1, 0, 1)),
        ("scrfd_10g", (0, 127.5, 255), (-127.5 / 128, 0, 127.5 / 128)),
        ("yunet", (0, 17, 255), (0, 17, 255)),
        ("centerface", (0, 17, 255), (0, 17, 255)),
        ("2d106det", (0, 17, 255), (0, 17, 255)),
        ("yoloface_8n", (0, 51, 255), (0, 0.2, 1)),
        ("simswap_256", (0.485 * 255, 0.456 * 255, 255), (0, 0, (1 - 0.406) / 0.225)),
        ("gfpgan_1.4", (0, 127.5, 255), (-1, 0, 1)),
        ("mobilefaceswap_224", (0, 51, 255), (0, 0.2, 1)),
        ("mobilefaceswap_identity", (0.485 * 255, 0.456 * 255, 255), (0, 0, (1 - 0.406) / 0.225)),
    ],
)
def test_conventions_are_their_authors(catalogue, name, levels, expected):
    np.testing.assert_allclose(fed(catalogue.entries[name].input, *levels), expected, atol=1e-9)


def test_identities_go_in_as_their_authors_say(catalogue):
    of = {entry.name: entry.source for entry in catalogue.of_kind("swapper")}
    assert of["inswapper_128"].kind == of["inswapper_128_fp16"].kind == "emap"
    assert of["hyperswap_1b_256"].kind == "unit"
    assert (of["ghost_2_256"].converter, of["ghost_2_256"].unit) == ("crossface_ghost", False)
    assert (of["simswap_256"].converter, of["simswap_256"].unit) == ("crossface_simswap", True)
    assert (of["blendswap_256"].picture.size, of["blendswap_256"].picture.template) == (112, "arcface_112_v2")
    assert catalogue.entries["gpen_bfr_256"].input.template == "arcface_128"
    assert catalogue.entries["xseg_1"].input.layout == "nhwc"


def test_what_makes_a_swapper_one_persons_is_named_with_its_digests(catalogue):
    entry = catalogue.entries["mobilefaceswap_224"]
    source, mask = entry.source, entry.output.mask
    assert (source.kind, source.identity, source.conditioner) == ("conditioned", *entry.needs)
    assert (entry.input.size, entry.input.template) == (224, "arcface_112_v2")
    assert (mask.above, mask.closed, mask.shrunk, mask.blurred) == (0.001, 11, 11, 7)
    assert (mask.border, mask.border_blurred) == (10, 11)
    known = {
        "mobilefaceswap_224": (368_108, "94a7f283de05d07795b565e7657d8fa78c823eb0c9762d66e939d4a2314968ea"),
        "mobilefaceswap_identity": (209_144_485, "c5816ccc0df3c56d730dc780d134e6fd8a538aa867f85c8be907f3193b8adcde"),
        "mobilefaceswap_conditioner": (82_888_707, "c2696687f44067ed07c886ccc2dcdaccb648f61ae64a965c2d4cc4c846f611cf"),
    }
    assert [entry.name for entry in catalogue.resolved(["realtime"])] == [*entry.needs, entry.name]
    for name, (size, digest) in known.items():
        one = catalogue.entries[name]
        assert (one.file.size, one.file.sha256) == (size, digest)
        assert len(one.file.sources) == 2
        licence = catalogue.licence_of(one)
        assert licence.name == "code Apache-2.0, weights: none stated by their authors"
        assert licence.commercial_use == "unknown"


def test_licences_say_yes_no_or_unknown(catalogue):
    said = {name: catalogue.licence_of(entry).commercial_use for name, entry in catalogue.entries.items()}
    assert set(said.values()) == {"yes", "no", "unknown"}
    assert (said["inswapper_128"], said["uniface_256"], said["gfpgan_1.4"]) == ("no", "unknown", "yes")


def test_a_model_may_be_used_no_more_freely_than_what_it_needs(catalogue, capfd, tmp_path):
    ghost = catalogue.entries["ghost_2_256"]
    assert catalogue.licence_of(ghost).commercial
    assert catalogue.strictest(ghost).commercial is False
    assert catalogue.strictest(catalogue.entries["centerface"]) == catalogue.licence_of(catalogue.entries["centerface"])
    assert main(["models", "list", "--home", str(tmp_path)]) == 0
    (line,) = [line for line in capfd.readouterr().out.splitlines() if "ghost_2_256 " in line]
    assert "commercial use: no" in line
    assert main(["models", "list", "--json", "--home", str(tmp_path)]) == 0
    told = {one["name"]: one["commercial_use"] for one in json.loads(capfd.readouterr().out)["models"]}
    assert told["ghost_2_256"] == "no"
    assert told["centerface"] == "yes"


def test_what_a_model_needs_comes_before_it_and_once(catalogue):
    names = [entry.name for entry in catalogue.resolved(["ghost_1_256", "inswapper", "ghost_1_256"])]
    assert len(set(names)) == len(names)
    assert names.index("arcface_w600k_r50") < names.index("crossface_ghost") < names.index("ghost_1_256")
    assert {"inswapper_128", "scrfd_10g"} <= set(names)
    assert len(catalogue.resolved(["buffalo_l"])) == 5


def test_a_name_that_is_nearly_right_is_suggested(catalogue):
    with pytest.raises(UnknownModelError) as caught:
        catalogue.resolved(["inswaper_128"])
    assert "inswapper_128" in caught.value.hint
    with pytest.raises(UnknownModelError, match="no model"):
        catalogue.resolved(["\x1b[31m"])


MINE = """
[licence.mine]
name = "my own"
terms = "I trained it"

[[model]]
name = "my_swapper"
kind = "swapper"
title = "trained at home"
licence = "mine"
needs = ["arcface_w600k_r50"]
[model.file]
name = "my_swapper.onnx"
[model.input]
size = 256
template = "arcface_128"
[model.source]
kind = "unit"
[model.output]
"""


def load(tmp_path, text):
    own = tmp_path / OWN_FILE
    own.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Catalogue.load(own)


def test_users_add_their_own_and_replace_the_packages(tmp_path):
    mine = load(tmp_path, MINE)
    assert mine.entries["my_swapper"].input.size == 256
    assert mine.licence_of(mine.entries["my_swapper"]).commercial_use == "unknown"
    assert [entry.name for entry in mine.resolved(["my_swapper"])] == ["arcface_w600k_r50", "my_swapper"]
    other = load(tmp_path, MINE.replace("my_swapper", "inswapper_128"))
    assert other.entries["inswapper_128"].title == "trained at home"
    assert len(other.entries) == len(Catalogue.load().entries)
    assert Catalogue.load(tmp_path / "nothing.toml").entries.keys() == Catalogue.load().entries.keys()


WRONG = {
    "no number": (MINE.replace("size = 256", 'size = "256"'), "input.size"),
    "no size at all": (MINE.replace("size = 256", ""), "input.size"),
    "below nothing": (MINE.replace("size = 256", "size = -1"), "input.size"),
    "a word of its own": (MINE.replace('title = "', 'tilte = "x"\ntitle = "'), "tilte"),
    "another kind": (MINE.replace('kind = "swapper"', 'kind = "snapper"'), "kind"),
    "another template": (MINE.replace("arcface_128", "arcface_129"), "input.template"),
    "a path": (MINE.replace('"my_swapper.onnx"', '"../my_swapper.onnx"'), "file.name"),
    "a pickle": (MINE.replace("my_swapper.onnx", "my_swapper.pth"), "file.name"),
    "no digest": (MINE.replace('.onnx"', '.onnx"\nsha256 = "abc"'), "file.sha256"),
    "no place": (MINE.replace('.onnx"', '.onnx"\nsources = [{ url = "file:///etc/passwd" }]'), "url"),
    "out of the archive": (
        MINE.replace('.onnx"', '.onnx"\nsources = [{ url = "https://a.b/c.zip", member = "../x.onnx" }]'),
        "member",
    ),
    "a border": (MINE.replace("size = 256", "size = 256\nborder = [1, 1, 1]"), "border"),
    "no grey level": (MINE.replace("size = 256", "size = 256\nborder = [0, 0, 256]"), "border"),
    "by nothing": (MINE.replace("size = 256", "size = 256\nstd = 0.0"), "std"),
    "no source": (MINE.replace('[model.source]\nkind = "unit"', ""), "source"),
    "a converter unnamed": (MINE.replace('kind = "unit"', 'kind = "converter"'), "converter"),
    "a converter not needed": (
        MINE.replace('kind = "unit"', 'kind = "converter"\nconverter = "crossface_ghost"'),
        "crossface_ghost",
    ),
    "kernels of nothing": (MINE.replace('kind = "unit"', 'kind = "conditioned"'), "identity and conditioner"),
    "kernels unasked": (
        MINE.replace('kind = "unit"', 'kind = "unit"\nconditioner = "yunet"'),
        "identity and conditioner",
    ),
    "kernels not needed": (
        MINE.replace('kind = "unit"', 'kind = "conditioned"\nidentity = "arcface_w600k_r50"\nconditioner = "yunet"'),
        "needs must name the conditioner yunet",
    ),
    "kernels of another kind": (
        MINE.replace(
            'kind = "unit"', 'kind = "conditioned"\nidentity = "arcface_w600k_r50"\nconditioner = "arcface_w600k_r50"'
        ),
        "arcface_w600k_r50 is no conditioner",
    ),
    "a mask without a middle": (
        MINE + "mask = { above = 0.1, closed = 4, shrunk = 11, blurred = 7, border = 10, border_blurred = 11 }\n",
        "odd",
    ),
    "a mask of a detector": (
        MINE.replace('kind = "swapper"', 'kind = "content"').replace('[model.source]\nkind = "unit"', "")
        + "mask = { above = 0.1, closed = 3, shrunk = 3, blurred = 3, border = 1, border_blurred = 3 }\n",
        "only a swapper",
    ),
    "no output": (MINE.replace("[model.output]", ""), "output"),
    "no such licence": (MINE.replace('licence = "mine"', 'licence = "yours"'), "yours"),
    "no such need": (MINE.replace("arcface_w600k_r50", "arcface"), "arcface"),
    "itself": (MINE.replace('needs = ["arcface_w600k_r50"]', 'needs = ["my_swapper"]'), "my_swapper > my_swapper"),
    "twice": (MINE + MINE.split("\n\n", 1)[1], "twice"),
    "one table": (MINE.replace("[[model]]", "[model]"), r"\[\[model\]\]"),
    "a table of its own": (MINE + "\n[[modell]]\n", "modell"),
    "no table": ("model = [1]", "model"),
    "an empty bundle": (MINE + '\n[[bundle]]\nname = "b"\ntitle = "b"\nmodels = []\n', "models"),
    "a bundle of nothing": (MINE + '\n[[bundle]]\nname = "b"\ntitle = "b"\nmodels = ["c"]\n', "it holds c"),
    "a bundle's name": (MINE + '\n[[bundle]]\nname = "yunet"\ntitle = "b"\nmodels = ["yunet"]\n', "same name"),
    "no TOML": ("[[[", "not valid TOML"),
    "no text": (b"\xff\xfe\x00", "not valid TOML"),
    "very deep": ("a = " + "[" * 100_000, "not valid TOML"),
    "very long": ("# " + "x" * 1_100_000, "longer"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_bad_entry_is_an_error_that_says_what_is_wrong(tmp_path, wrong):
    text, said = WRONG[wrong]
    with pytest.raises(CatalogueError, match=said) as caught:
        load(tmp_path, text)
    assert OWN_FILE in caught.value.message
    assert "\n" not in caught.value.message


def test_nothing_of_a_bad_file_steers_a_terminal(tmp_path):
    with pytest.raises(CatalogueError) as caught:
        load(tmp_path, MINE.replace('name = "my_swapper"\n', 'name = "\\u001b[2J"\n'))
    assert "\x1b" not in caught.value.message


def call(capfd, *words):
    code = main([str(word) for word in words])
    return code, *capfd.readouterr()


def test_the_list_is_complete_and_its_json_one_object(capfd, tmp_path, catalogue):
    code, out, err = call(capfd, "models", "list", "--home", tmp_path)
    assert (code, err) == (0, "")
    assert all(f"  {name} " in out for name in catalogue.entries)
    code, out, _ = call(capfd, "models", "list", "--json", "--home", tmp_path)
    told = json.loads(out)
    assert [one["name"] for one in told["models"]] == list(catalogue.entries)
    assert told["models"][0]["licence"]["commercial"] is False
    code, out, _ = call(capfd, "models", "list", "--kind", "mask", "--json", "--home", tmp_path)
    assert {one["kind"] for one in json.loads(out)["models"]} == {"mask"}


def test_the_list_has_the_users_own_and_says_what_is_wrong_with_it(capfd, tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / OWN_FILE).write_text(MINE)
    assert "my_swapper" in call(capfd, "models", "list", "--home", tmp_path)[1]
    (tmp_path / OWN_FILE).write_text(MINE.replace("256", '"big"'))
    code, out, err = call(capfd, "models", "list", "--home", tmp_path)
    assert (code, out) == (3, "")
    assert err.startswith("error: can't use my_swapper in ")
    assert len(err.strip().splitlines()) == 2
    assert call(capfd, "models", "list", "--kind", "sweeper", "--home", tmp_path)[0] == 2


def test_the_page_is_the_catalogue():
    page = runpy.run_path(str(ROOT / "tools" / "models_page.py"))["page"]()
    assert (ROOT / "docs" / "models.md").read_text(encoding="utf-8") == page


def test_the_example_on_the_page_is_an_entry(tmp_path):
    text = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert "my_swapper_256" in load(tmp_path, text.split("```toml\n")[1].split("```")[0]).entries


@pytest.mark.slow
def test_swapping_does_not_read_the_catalogue():
    """It takes a quarter of a second that only who asks for models should wait."""
    code = "import sys, understudy.cli.main, understudy.tasks.swap; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
