"""GPUs and MIG slices are read off what nvidia-smi prints, and what it can't say is told, not waited for."""

import os

import pytest

from tests.models.gpu_fakes import BROKEN, FIRST, LARGE, MIG, ONE, SECOND, SMALL, TWO, fake_nvidia_smi
from understudy.installing import pip
from understudy.models import nvidia_smi
from understudy.models.nvidia_smi import Gpu, MigSlice, list_gpus, parsed
from understudy.tasks.checkup import gpu_findings

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script for unix")


@pytest.fixture
def printing(tmp_path, monkeypatch):
    """A ``nvidia-smi`` that prints what it is given."""

    def make(*said, **how):
        monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
        return fake_nvidia_smi(tmp_path / "bin", *said, **how)

    return make


def test_gpus_are_listed_with_memory_and_driver(printing):
    printing(ONE)
    assert list_gpus().gpus == (Gpu(0, "NVIDIA GeForce RTX 3080", FIRST, 40960, "550.54.15"),)
    printing(TWO)
    assert [(gpu.number, gpu.uuid, gpu.memory_mib) for gpu in list_gpus().gpus] == [
        (0, FIRST, 40960),
        (1, SECOND, 12288),
    ]
    printing(MIG)
    (gpu,) = list_gpus().gpus
    assert gpu.slices == (MigSlice("1g.5gb", SMALL), MigSlice("3g.20gb", LARGE))
    assert list_gpus().fault == ""


def test_slices_of_older_drivers_and_names_with_brackets():
    text = f"GPU 0: Tesla (rev. 2) (UUID: {FIRST})\n  MIG 1c.3g.20gb Device 0: (UUID: MIG-{FIRST}/1/0)\n"
    (gpu,) = parsed(text)
    assert gpu.name == "Tesla (rev. 2)"
    assert gpu.slices == (MigSlice("1c.3g.20gb", f"MIG-{FIRST}/1/0"),)


def test_memory_that_is_not_told_is_not_made_up(printing):
    printing(ONE, f"{FIRST}, [N/A], 550.54.15\n")
    assert list_gpus().gpus[0].memory_mib is None
    printing(ONE, 'Field "memory.total" is not a valid field to query.\n')
    (gpu,) = list_gpus().gpus
    assert (gpu.memory_mib, gpu.driver) == (None, "")


def test_what_it_can_not_say_is_told(printing):
    printing(BROKEN, code=9)
    assert list_gpus().fault.startswith("nvidia-smi failed: NVIDIA-SMI has failed because it couldn't communicate")
    printing("No devices were found\n")
    assert list_gpus().fault == "nvidia-smi names no GPU: No devices were found"
    printing(ONE).write_text("no program")
    assert "nvidia-smi does not start" in list_gpus().fault


def test_it_is_not_waited_for_without_end(printing, monkeypatch):
    printing(ONE).write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(nvidia_smi, "PATIENCE", 0.3)
    assert "does not answer" in list_gpus().fault


def test_doctor_names_gpus_and_slices_by_the_words_of_device(printing):
    printing(MIG)
    slice_, other = list(gpu_findings(list_gpus(), usable=True))[1:]
    assert (slice_.name, slice_.detail) == ("GPU 0, MIG 1g.5gb", f"--device cuda:{SMALL}")
    assert other.detail == f"--device cuda:{LARGE}"
    printing(TWO)
    hint, first, second = gpu_findings(list_gpus(), usable=False)
    assert hint.state == "missing"
    assert hint.mend == f"{pip('uninstall', '-y', 'onnxruntime')} && {pip('install', 'onnxruntime-gpu[cuda,cudnn]')}"
    assert first.detail == f"NVIDIA GeForce RTX 4090, 40960 MiB of memory, driver 550.54.15; --device cuda:0, {FIRST}"
    assert "12288 MiB" in second.detail
    printing(BROKEN, code=9)
    (told,) = gpu_findings(list_gpus(), usable=False)
    assert (told.name, told.state) == ("NVIDIA GPUs", "missing")


def test_doctor_is_silent_where_there_is_no_nvidia_smi(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not list_gpus().installed
    assert list(gpu_findings(list_gpus(), usable=False)) == []
