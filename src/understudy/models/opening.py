"""The one place that opens ONNX models: on which device, how precisely, and whether they work there at all.

A device that was asked for is the device that is used, or an error. A model is tried before its first real picture:
half precision only where it gives what single precision gives, and nothing that answers with NaN or one flat grey.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from onnx import ModelProto

from understudy.arrays import AnyArray
from understudy.errors import (
    DeviceLostError,
    ModelError,
    ModelFileError,
    NoMemoryError,
)
from understudy.models.cuda_devices import CudaDevices
from understudy.models.devices import MEMORIES, RuntimeOptions
from understudy.models.ends import ends_of
from understudy.models.entries import ANY_SIZE, Entry
from understudy.models.graphs import check_graph, emap_of, in_single, is_half, of_any_size, with_constants
from understudy.models.openvino_runtime import OpenVino
from understudy.models.places import Graph, Kept, Place, Places
from understudy.models.providers import OnnxRuntime
from understudy.models.session import Session
from understudy.models.store import Store
from understudy.models.trial import agree, check_inputs, gives, noise, probe
from understudy.models.variants import BITS, VariantPrecision, Variants

#: What a place answers that does not do.
_REFUSED = (ModelError, NoMemoryError, DeviceLostError)


class Runtime:
    """Opens models, each once.

    Args:
        options: How they are run.
        onnx: Opens them with ONNX Runtime.
        openvino: Opens them with OpenVINO.
        cuda: Finds GPUs.
    """

    def __init__(
        self,
        options: RuntimeOptions | None = None,
        onnx: OnnxRuntime | None = None,
        openvino: OpenVino | None = None,
        cuda: CudaDevices | None = None,
    ) -> None:
        self.options, self._onnx = options or RuntimeOptions(), onnx or OnnxRuntime()
        self._places = Places(self.options, self._onnx, openvino or OpenVino(), cuda)
        self._open: dict[str, Session] = {}

    def open(self, store: Store, entry: Entry) -> Session:
        """A model, ready: opened, tried, and the same session for everybody who asks.

        Raises:
            ModelMissingError, ModelFileError: it is not in the store, altered, or not what its entry says.
            UsageError: the device or program that was asked for is not there.
            ModelError: it does not open or does not work.
        """
        if entry.name not in self._open:
            variant, notes = self._variant(store, entry)
            if variant is not None:
                return self._open.setdefault(entry.name, variant)
            data, model = _read(store, entry)
            session = self._opened(entry, data, model, Kept.of(store.root))
            session.notes += notes
            if entry.source is not None and entry.source.kind == "emap":
                session.emap = emap_of(model, entry.file.name)
            self._open[entry.name] = session
        return self._open[entry.name]

    def place_of(self, name: str) -> Place | None:
        """Where a model really runs; None if it was not opened."""
        session = self._open.get(name)
        return None if session is None else session.place

    def open_with(self, store: Store, entry: Entry, constants: Sequence[AnyArray]) -> Session:
        """A swapper whose inputs but the first are constants from now on: quicker, and for one person only.

        It is opened and tried as any other, belongs to who asked for it, and is given back when nobody holds it.

        Args:
            store: Where the file is.
            entry: The swapper.
            constants: For all inputs but the first, in the graph's order.

        Raises:
            ModelMissingError, ModelFileError, UsageError, ModelError: see ``open``; or the constants do not fit.
        """
        _, model = _read(store, entry)
        there = {tensor.name for tensor in model.graph.initializer}  # older files list these among the inputs
        _, *ends = [one.name for one in model.graph.input if one.name not in there] or [""]
        if len(ends) != len(constants):
            raise ModelFileError(
                f"{entry.name} takes {len(ends)} kernels, and {len(constants)} were made for it",
                "Its files do not belong together. Fetch them again, all from one place.",
            )
        model = with_constants(model, dict(zip(ends, constants, strict=True)), entry.file.name)
        # Nothing says any more whose face to put in.
        return self._opened(entry.model_copy(update={"source": None}), model.SerializeToString(), model)

    def notes(self, names: Collection[str]) -> tuple[str, ...]:
        """What should be said of those of the open models."""
        return tuple(note for name, session in list(self._open.items()) if name in names for note in session.notes)

    def close(self) -> None:
        """Give all models back."""
        self._open.clear()

    def _variant(self, store: Store, entry: Entry) -> tuple[Session | None, tuple[str, ...]]:
        """A variant, open, if there is one and it should run; and what should be said of those that can't."""
        faults: list[str] = []
        if store.state(entry) != "there":
            return None, ()
        for precision in self._places.variants(self._places.of(entry)[0]):
            if Variants(store, precision).state(entry) == "none":
                continue
            try:
                session = self._opened_variant(store, entry, precision)
            except _REFUSED as fault:
                faults.append(fault.message)
                continue
            session.notes += tuple(f"{fault}; the one in {BITS[precision]} is used" for fault in faults)
            return session, ()
        return None, tuple(f"{fault}; the original is used" for fault in faults)

    def _opened_variant(self, store: Store, entry: Entry, precision: VariantPrecision) -> Session:
        """A variant, open.

        Raises:
            ModelError, NoMemoryError, DeviceLostError: it is altered, does not work, or is not what it should be.
        """
        variants, place = Variants(store, precision), self._places.of(entry)[0]
        data, kept = variants.read(entry), Kept.of(store.root)
        model = check_graph(data, variants.path(entry).name)
        if precision == "int8" or place.program == "openvino":  # held against the original when it was made
            half = precision == "half" or self._places.wants_half(entry, place)
            session = self._working(entry, Graph(data, ends_of(model), kept), [place], half=half)
            session.int8 = precision == "int8"
            session.keep()
        else:  # as any other file in half precision
            session = self._opened(entry, data, model, kept)
            if session.precision != "half":
                raise ModelError(f"the variant of {entry.name} in {BITS[precision]} does not hold here", "")
        if entry.source is not None and entry.source.kind == "emap":
            session.emap = emap_of(model, variants.path(entry).name)
        return session

    def _opened(self, entry: Entry, data: bytes, model: ModelProto, kept: Kept | None = None) -> Session:
        """A model in the precision that is wished for, if that holds; ``kept``: see ``Graph``."""
        places = self._places.of(entry)
        if not is_half(model):
            graph = Graph(data, ends_of(model), kept)
            return self._quicker(entry, graph, places)
        widened = in_single(model)
        graph = Graph(widened.SerializeToString(), ends_of(widened), kept)
        single = self._quicker(entry, graph, places)
        wished = self.options.precision
        if single.program == "openvino" or wished == "single" or (wished != "half" and single.device == "cpu"):
            return single
        if single.precision == "half":
            return single
        try:
            half = self._working(entry, Graph(data, ends_of(model)), [single.place])
            if agree(half, single):
                half.half = True
                return half
        except _REFUSED as fault:
            single.notes += (f"half precision does not work here ({fault.message}): single is used",)
            return single
        single.notes += (f"{entry.name}: half precision gives something else here: single is used",)
        return single

    def _quicker(self, entry: Entry, graph: Graph, places: list[Place]) -> Session:
        """A graph in single precision, computed in half where that is wished for, quicker, and gives the same.

        What is kept in half precision was found to give the same before.
        """
        if self._places.wants_half(entry, places[0]) and self._places.is_kept(entry, graph, places[0]):
            with suppress(*_REFUSED):  # it is tried again below, from the beginning
                session = self._working(entry, graph, places[:1], half=True)
                session.keep()  # if it was damaged meanwhile
                return session
        single = self._working(entry, graph, places)
        if self._places.wants_half(entry, single.place):
            try:
                half = self._working(entry, graph, [single.place], half=True)
                if agree(half, single):
                    half.notes = single.notes
                    half.keep()
                    return half
                single.notes += (f"{entry.name}: half precision gives something else here: single is used",)
            except _REFUSED as fault:
                single.notes += (f"half precision does not work here ({fault.message}): single is used",)
        single.keep()
        return single

    def _working(self, entry: Entry, graph: Graph, places: list[Place], *, half: bool = False) -> Session:
        """A session that answers sensibly, at the first place where one does."""
        faults: list[ModelError | NoMemoryError | DeviceLostError] = []
        for place in places:
            try:
                session = self._tried(entry, graph, place, half=half)
            except ModelFileError:
                raise
            except _REFUSED as fault:
                faults.append(fault)
                continue
            second = place == Place("cpu") and Place("cpu", "openvino") in places
            used = "ONNX Runtime" if second else place
            session.notes = tuple(f"{fault.message}; {used} is used" for fault in faults)
            return session
        if not isinstance(faults[-1], ModelError):
            raise faults[-1]
        if places[-1].device == "cpu":
            hint = f"Fetch the model again, `understudy models pull {entry.name}`, or choose another one."
        elif places[-1].device in MEMORIES:
            hint = "Try another device (--device cpu), or see what this one takes: docs/gpu.md."
        else:
            hint = "Try another device (--device cpu), or fetch the model again."
        raise ModelError(faults[-1].message, hint)

    def _tried(self, entry: Entry, graph: Graph, place: Place, *, half: bool) -> Session:
        """A session at one place, on buffers that stay where the device has memory of its own.

        Raises:
            ModelError, NoMemoryError, DeviceLostError: it does not open or work there.
        """
        try:
            opened = self._places.start(entry, graph, place, half=half)
            session = Session(entry, opened, place.device, len(graph.data), gpu=place.gpu)
            check_inputs(session)
            probe(session)
        except ModelFileError:
            raise
        except ModelError:
            if not self._places.drop(entry, graph, place, half=half):
                raise
            return self._tried(entry, graph, place, half=half)  # the engine that was kept may have been at fault
        return self._kept(session, graph.data) if place.device in MEMORIES and session.fixed else session

    def _kept(self, plain: Session, data: bytes) -> Session:
        """The same model on buffers that stay on the device, recorded if asked for; as it was where they differ."""
        memory, tries = MEMORIES[plain.device], noise(plain)
        try:
            expected = [plain.answers(values) for values in tries]
            # What is said of intimate pictures must not be an old recording, and a classifier says too little to tell.
            if self.options.recorded and plain.device == "cuda" and plain.entry.kind != "content":
                recorded = self._recorded(plain, data, memory, tries[0], expected[0])
                if recorded is not None and gives(recorded, tries, expected):
                    return recorded
            plain.bind(memory, tries[0], expected[0])
            if gives(plain, tries, expected):
                return plain
        except (ModelError, NoMemoryError):
            pass  # the plain session works: that was tried before
        plain.unbind()
        return plain

    def _recorded(
        self, plain: Session, data: bytes, memory: str, values: Mapping[str, AnyArray], outputs: Sequence[AnyArray]
    ) -> Session | None:
        """Another session of the model, whose first run will be recorded; None where it can't be."""
        try:
            threads = self.options.threads
            session = self._onnx.start(plain.entry, data, "cuda", gpu=plain.gpu, threads=threads, recorded=True)
            recorded = Session(plain.entry, session, "cuda", plain.size, gpu=plain.gpu)
            recorded.bind(memory, values, outputs, recorded=True)
        except (ModelError, NoMemoryError):
            return None  # a graph with parts on the CPU can't be recorded
        return recorded


def _read(store: Store, entry: Entry) -> tuple[bytes, ModelProto]:
    """A model's file, checked, and the graph in it."""
    data = store.read(entry)
    model = check_graph(data, entry.file.name)
    if entry.family in ANY_SIZE:
        model = of_any_size(model)
        data = model.SerializeToString()
    return data, model
