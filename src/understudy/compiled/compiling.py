"""Has numba compile a kernel: to object files that need nothing of it, or, where those can't be loaded, to run it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.compiler import DEFAULT_FLAGS, compile_extra
from numba.core.compiler_lock import global_compiler_lock
from numba.core.cpu import CPUContext
from numba.core.cpu_options import FastMathOptions
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target
from numba.np.arrayobj import populate_array

from understudy.compiled.loading import ENTRY, NotLoadableError

if TYPE_CHECKING:
    from understudy.compiled.kernel import Kernel

#: LLVM's fast arithmetic, but for the flags that would let it assume there are no NaNs and infinities.
FAST: Final = {"contract", "reassoc", "nsz", "arcp", "afn"}
#: What comes of kernels that need more than the C library, and of a numba whose inner parts are not as they were.
_NOT_AS_EXPECTED: Final = (
    NumbaError,
    AttributeError,
    TypeError,
    ValueError,
    KeyError,
    NotImplementedError,
    RuntimeError,
)
#: Where the fields of NumPy's arrays lie behind the head that all objects have (``PyArrayObject_fields``).
_DATA, _SHAPE, _STRIDES = 0, 16, 24


def by_numba(kernel: Kernel) -> Callable[..., Any]:
    """The kernel as numba's own function, whose code numba keeps if it can."""
    function = _with_dispatchers(kernel)
    try:
        return _dispatcher(function, cache=True)
    except RuntimeError:  # no folder that can be written to: compile anew in every process
        return _dispatcher(function, cache=False)


def object_code(kernel: Kernel, values: Sequence[object]) -> tuple[bytes, bytes]:
    """Two object files: the kernel as numba compiles it, and the function ``ENTRY`` by which it is called.

    Args:
        kernel: Which.
        values: Arguments of the types that it is compiled for.

    Raises:
        NotLoadableError: it makes arrays, returns something, or is not what numba can compile; or NumPy's arrays are
            not as they were.
    """
    if not fields_as_expected():
        raise NotLoadableError("NumPy's arrays lie in memory in another way")
    arguments = tuple(
        kind.copy(layout="A") if view else kind
        for kind, view in zip(map(numba.typeof, values), kernel.views, strict=True)
    )
    typing, target = cpu_target.typing_context, cpu_target.target_context
    with global_compiler_lock:  # a thread that came between would find half of what numba knows
        target.refresh()
        typing.refresh()
    flags = DEFAULT_FLAGS.copy()
    flags.nrt = False  # without numba's run time, so without arrays of its own
    flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.error_model, flags.fastmath = "numpy", FastMathOptions(FAST)
    try:
        result = compile_extra(typing, target, _with_dispatchers(kernel), arguments, types.none, flags, {})
        _, _, (native, _) = result.library.serialize_using_object_code()
        return native, _entry(target, result.fndesc, arguments)
    except _NOT_AS_EXPECTED as fault:
        raise NotLoadableError(str(fault)) from fault


def _entry(target: CPUContext, described: Any, arguments: Sequence[Any]) -> bytes:  # noqa: ANN401
    """The function that takes NumPy's arrays as they lie in memory, and numbers, and calls a kernel.

    Args:
        target: Numba's, for the processor.
        described: Numba's description of the kernel's function.
        arguments: Numba's types of its arguments.
    """
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        reloc="static", codemodel="large", opt=2
    )
    module = ir.Module(ENTRY)
    module.triple, module.data_layout = llvm.get_process_triple(), str(machine.target_data)
    given = [
        ir.IntType(8).as_pointer() if isinstance(one, types.Array) else target.get_value_type(one) for one in arguments
    ]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), given), ENTRY)
    builder = ir.IRBuilder(function.append_basic_block())
    passed = [
        _array(target, builder, kind, value) if isinstance(kind, types.Array) else value
        for kind, value in zip(arguments, function.args, strict=True)
    ]
    native = target.declare_function(module, described)
    target.call_conv.call_function(builder, native, types.none, arguments, passed)
    builder.ret_void()
    checked = llvm.parse_assembly(str(module))
    checked.verify()
    return bytes(machine.emit_object(checked))


def _array(target: CPUContext, builder: ir.IRBuilder, kind: types.Array, address: ir.Value) -> ir.Value:
    """An array as numba passes it, of one as NumPy has it in memory."""
    word = ir.IntType(64)

    def field(offset: int) -> ir.Value:
        place = builder.gep(address, [word(object.__basicsize__ + offset)])
        return builder.load(builder.bitcast(place, ir.IntType(8).as_pointer().as_pointer()))

    def numbers(offset: int) -> list[ir.Value]:
        first = builder.bitcast(field(offset), word.as_pointer())
        return [builder.load(builder.gep(first, [word(n)])) for n in range(kind.ndim)]

    array = target.make_array(kind)(target, builder)
    size = target.get_abi_sizeof(target.get_data_type(kind.dtype))
    data = builder.bitcast(field(_DATA), array.data.type)
    shape, strides = numbers(_SHAPE), numbers(_STRIDES)
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=word(size), meminfo=None)
    return array._getvalue()


def _with_dispatchers(kernel: Kernel) -> FunctionType:
    """The kernel's function, in whose module the other kernels that it calls are numba's own functions."""
    function, named = kernel.function, dict(kernel.function.__globals__)
    for name in function.__code__.co_names:
        other = named.get(name)
        if isinstance(other, type(kernel)):
            named[name] = _dispatcher(_with_dispatchers(other), cache=False)
    return FunctionType(function.__code__, named, function.__name__, function.__defaults__, function.__closure__)


def _dispatcher(function: Callable[..., Any], *, cache: bool) -> Callable[..., Any]:
    made: Any = numba.njit(function, cache=cache, nogil=True, fastmath=FAST, error_model="numpy")
    return cast(Callable[..., Any], made)


def fields_as_expected() -> bool:
    """Whether arrays of this NumPy lie in memory as the function ``ENTRY`` reads them."""
    array = np.arange(6, dtype=np.float32).reshape(2, 3)[:, ::2]
    head = id(array) + object.__basicsize__
    data = ctypes.c_void_p.from_address(head + _DATA).value
    shape, strides = (
        tuple((ctypes.c_int64 * 2).from_address(ctypes.c_void_p.from_address(head + place).value or 0))
        for place in (_SHAPE, _STRIDES)
    )
    return (data, shape, strides) == (array.ctypes.data, array.shape, array.strides)
