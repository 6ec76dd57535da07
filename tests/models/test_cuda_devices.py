"""A GPU that is named is the one that CUDA gives, or an error that says how to get it; never another in silence."""

import ctypes
import os
from dataclasses import replace

import pytest

from tests.models.gpu_fakes import FIRST, LARGE, MIG, ONE, SECOND, SMALL, TWO, listed
from understudy.errors import UsageError
from understudy.models import cuda_devices
from understudy.models.cuda_devices import ORDER, VISIBLE, CudaDevices, cuda_started
from understudy.models.devices import AskedDevice, RuntimeOptions
from understudy.models.nvidia_smi import GpuList

UNKNOWN = GpuList(fault="there is no nvidia-smi here", installed=False)
ON_THE_BUS = {ORDER: "PCI_BUS_ID"}
#: A machine with a whole GPU and one that is cut.
MIXED = MIG + f"GPU 1: NVIDIA T4 (UUID: {SECOND})\n"


def numbers(words, gpus=TWO, environment=None, *, started=False):
    """CUDA's numbers, and the environment afterwards."""
    environment = {} if environment is None else dict(environment)
    known = gpus if isinstance(gpus, GpuList) else listed(gpus)
    cuda = CudaDevices(lambda: known, lambda: started, environment)
    return cuda.numbers([AskedDevice.of(word) for word in words.split()]), environment


@pytest.mark.parametrize(
    ("word", "device", "gpu"),
    [
        ("cuda", "cuda", None),
        ("cuda:1", "cuda", "1"),
        ("tensorrt:0", "tensorrt", "0"),
        (f"cuda:{FIRST}", "cuda", FIRST),
        ("cuda:GPU-8932f937", "cuda", "GPU-8932f937"),
        (f"tensorrt:{LARGE}", "tensorrt", LARGE),
        (f"cuda:MIG-{FIRST}/1/0", "cuda", f"MIG-{FIRST}/1/0"),
    ],
)
def test_a_word_names_a_kind_of_device_and_one_of_several(word, device, gpu):
    asked = AskedDevice.of(word)
    assert (asked.device, asked.gpu, str(asked)) == (device, gpu, word)
    assert RuntimeOptions(device=word).asked == (asked,)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("cpu:1", "cpu takes no number"),
        ("auto:0", "auto takes no number"),
        ("cuda:", "'' names no GPU"),
        ("cuda:-1", "'-1' names no GPU"),
        ("cuda:one", "'one' names no GPU"),
        ("cuda:1:2", "'1:2' names no GPU"),
        ("cuda:GPU-xyz", "names no GPU"),
        ("cuda:MIG-1,GPU-2", "names no GPU"),
        ("gpu:1", "there is no device 'gpu:1'"),
    ],
)
def test_a_word_that_names_nothing_is_refused(word, said):
    with pytest.raises(ValueError, match=said):
        RuntimeOptions(device=word)
    with pytest.raises(ValueError, match=f"swapper: .*{said}"):
        RuntimeOptions(placed=(("swapper", word),))


def test_nothing_is_asked_or_changed_where_no_gpu_is_named():
    def never():
        raise AssertionError

    environment = {}
    cuda = CudaDevices(never, never, environment)
    assert cuda.numbers([AskedDevice.of("cuda"), AskedDevice.of("auto"), AskedDevice.of("cpu")]) == {}
    assert environment == {}


def test_gpus_are_counted_as_nvidia_smi_counts_them():
    assert numbers("cuda:0 cuda:1") == ({"0": 0, "1": 1}, ON_THE_BUS)
    assert numbers(f"cuda:{SECOND} tensorrt:{FIRST}") == ({SECOND: 1, FIRST: 0}, ON_THE_BUS)
    assert numbers("cuda:GPU-8932f937")[0] == {"GPU-8932f937": 1}
    assert numbers(f"cuda:{SECOND.replace('d72c', 'D72C')}")[0].popitem()[1] == 1
    assert numbers("cuda:0", environment={ORDER: "FASTEST_FIRST"})[1] == {ORDER: "FASTEST_FIRST"}  # somebody's own


def test_a_gpu_that_is_not_there_is_told():
    for word, gpus, said in (
        ("cuda:1", ONE, r"no GPU 1 in this process; there is NVIDIA GeForce RTX 3080 \(counted from 0\)"),
        ("cuda:2", TWO, "no GPU 2"),
        (f"cuda:{SECOND}", ONE, f"there is no GPU {SECOND} here"),
        ("cuda:GPU-5d5b", TWO.replace("GPU-8932f937", "GPU-5d5b0000"), "several GPUs GPU-5d5b here"),
        (f"cuda:{SMALL}", TWO, f"there is no GPU {SMALL} here"),
    ):
        with pytest.raises(UsageError, match=said) as fault:
            numbers(word, gpus)
        assert "nvidia-smi" in fault.value.hint or "doctor" in fault.value.hint


def test_what_the_environment_shows_is_what_is_counted():
    assert numbers("cuda:0", environment={VISIBLE: "1"})[0] == {"0": 0}
    assert numbers(f"cuda:{SECOND}", environment={VISIBLE: "1,0"})[0] == {SECOND: 0}
    assert numbers(f"cuda:{FIRST}", environment={VISIBLE: f"{SECOND},GPU-5d5b"})[0] == {FIRST: 1}
    for hidden in ("1", SECOND, "", "-1,0", "7,0"):
        with pytest.raises(UsageError, match=f"{FIRST} can't be used in this process") as fault:
            numbers(f"cuda:{FIRST}", environment={VISIBLE: hidden})
        assert f"{VISIBLE}={FIRST}" in fault.value.hint
    with pytest.raises(UsageError, match="no GPU 1"):
        numbers("cuda:1", environment={VISIBLE: "0"})


def test_a_slice_is_chosen_before_cuda_starts():
    for slice_ in (SMALL, LARGE):
        assert numbers(f"cuda:{slice_}", MIG) == ({slice_: 0}, {**ON_THE_BUS, VISIBLE: slice_})
    assert numbers(f"cuda:{LARGE}", MIG, {VISIBLE: LARGE}, started=True)[0] == {LARGE: 0}  # as an earlier call chose it
    for environment in ({}, {VISIBLE: SMALL}):
        with pytest.raises(UsageError, match=f"{LARGE} can't be used in this process") as fault:
            numbers(f"cuda:{LARGE}", MIG, environment, started=True)
        assert f"{VISIBLE}={LARGE}" in fault.value.hint


def test_two_slices_in_one_process_are_refused_and_it_is_said_why():
    with pytest.raises(UsageError, match=f"{LARGE} can't be used in this process, which sees {SMALL}") as fault:
        numbers(f"cuda:{SMALL} cuda:{LARGE}", MIG)
    assert "With a MIG slice a process sees that one and nothing else" in fault.value.hint


def test_a_slice_and_a_whole_gpu_do_not_go_together():
    with pytest.raises(UsageError, match=f"{SECOND} can't be used") as fault:
        numbers(f"cuda:{SECOND} cuda:{SMALL}", MIXED)
    assert "nothing else" in fault.value.hint
    # The whole one alone has to be chosen, too: beside a slice CUDA does not count it.
    assert numbers(f"cuda:{SECOND}", MIXED) == ({SECOND: 0}, {**ON_THE_BUS, VISIBLE: SECOND})
    with pytest.raises(UsageError, match="no GPU 1"):
        numbers("cuda:1", MIXED)


def test_what_cuda_counts_is_not_guessed_once_it_runs():
    with pytest.raises(UsageError, match="it is not known which") as fault:
        numbers(f"cuda:{SECOND}", started=True)
    assert f"{ORDER}=PCI_BUS_ID" in fault.value.hint
    assert numbers(f"cuda:{SECOND}", environment=ON_THE_BUS, started=True)[0] == {SECOND: 1}
    assert numbers(f"cuda:{FIRST}", ONE, started=True) == ({FIRST: 0}, {})  # there is nothing to mistake it for


def test_without_nvidia_smi_cuda_itself_decides():
    assert numbers("cuda:3", UNKNOWN)[0] == {"3": 3}
    assert numbers(f"cuda:{LARGE}", UNKNOWN) == ({LARGE: 0}, {**ON_THE_BUS, VISIBLE: LARGE})
    assert numbers(f"cuda:{FIRST}", UNKNOWN, {VISIBLE: f"{SECOND},{FIRST}"})[0] == {FIRST: 1}
    with pytest.raises(UsageError, match="CUDA runs already"):
        numbers(f"cuda:{FIRST}", UNKNOWN, started=True)


def test_what_a_gpu_is_is_only_said_where_it_is_known():
    def name(gpus, number=0, **environment):
        known = gpus if isinstance(gpus, GpuList) else listed(gpus)
        known = replace(known, gpus=tuple(replace(gpu, driver="550.54.15") for gpu in known.gpus))
        return CudaDevices(lambda: known, lambda: False, environment).name(number)

    assert name(ONE) == "NVIDIA GeForce RTX 3080, driver 550.54.15"
    assert name(TWO) is None  # CUDA's first is the one that it thinks the faster
    assert name(TWO, 1, **ON_THE_BUS) == "NVIDIA GeForce RTX 3060, driver 550.54.15"
    assert name(TWO, 0, **{VISIBLE: SECOND}) == "NVIDIA GeForce RTX 3060, driver 550.54.15"
    assert name(TWO.replace("4090", "3060")) == "NVIDIA GeForce RTX 3060, driver 550.54.15"  # whichever it is
    assert name(MIG) == "NVIDIA A100-SXM4-40GB MIG 1g.5gb, driver 550.54.15"
    assert name(MIG, **{VISIBLE: LARGE}) == "NVIDIA A100-SXM4-40GB MIG 3g.20gb, driver 550.54.15"
    assert name(ONE, 1) is None
    assert name(UNKNOWN) is None


@pytest.mark.parametrize(("answer", "started"), [(3, False), (0, True), (100, True)])
def test_whether_cuda_runs_is_what_its_driver_answers(answer, started, monkeypatch):
    class Driver:
        def __init__(self, name, mode):
            assert name in ("libcuda.so.1", "nvcuda.dll")
            assert os.name == "nt" or mode == os.RTLD_NOLOAD  # it is not loaded for the question's sake

        def cuDeviceGetCount(self, count):
            return answer

    monkeypatch.setattr(cuda_devices.ctypes, "CDLL", Driver)
    assert cuda_started() is started


@pytest.mark.skipif(os.path.exists("/dev/nvidia0"), reason="it is here: a GPU")
def test_cuda_does_not_run_where_there_is_no_driver():
    assert ctypes.CDLL  # the real one
    assert cuda_started() is False
