"""Puts object files into memory, ready to be called: ELF for x86-64, as the compiler makes it for kernels.

What a linker does is little here. Code for kernels is compiled for any distance (LLVM's large code model), so all that
is to be filled in are addresses of 64 bits.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

import numpy as np

#: The name of the function by which a kernel is called.
ENTRY: Final = "entry"
#: What numbers are passed as, by the kind of the argument.
_NUMBERS: Final[dict[type, type[Any]]] = {
    bool: ctypes.c_bool,
    np.bool_: ctypes.c_bool,
    int: ctypes.c_int64,
    float: ctypes.c_double,
    np.float32: ctypes.c_float,
    np.float64: ctypes.c_double,
}
#: Of the ELF format: flags of sections that are loaded, and that are written.
_ALLOC, _WRITE = 0x2, 0x1
#: Kinds of sections: symbols, relocations, zeros, what unwinds a stack.
_SYMTAB, _RELA, _NOBITS, _UNWIND = 2, 4, 8, 0x70000001
#: Kinds of relocations: an address; a distance in 64 bits, in 32, to a function.
_R_64, _R_PC64, _R_PC32, _R_PLT32 = 1, 24, 2, 4


class NotLoadableError(Exception):
    """Code that this loader can't bring into memory, or memory in which no code may be: numba does it then."""


def signature_of(values: Sequence[object], views: Sequence[bool]) -> tuple[str, ...] | None:
    """The kinds of a kernel's arguments; None where this machine or one of them is not supported.

    Args:
        values: The arguments.
        views: For each, whether its code is for any strides, though it may be contiguous.
    """
    if not supported():
        return None
    kinds = []
    for value, view in zip(values, views, strict=True):
        if type(value) is np.ndarray and value.dtype.isnative and value.flags.aligned:
            order = "A" if view else "C" if value.flags.c_contiguous else "F" if value.flags.f_contiguous else "A"
            kinds.append(f"{value.dtype.str} {value.ndim}{order}{'w' if value.flags.writeable else 'r'}")
        elif type(value) in _NUMBERS:
            kinds.append(type(value).__name__)
        else:
            return None
    return tuple(kinds)


@lru_cache(maxsize=1)
def supported() -> bool:
    """Whether object files are loaded here at all: on Linux on x86-64."""
    return (sys.platform, platform.machine(), sys.byteorder) == ("linux", "x86_64", "little") and sys.maxsize > 2**32


def loaded(objects: Sequence[bytes], signature: Sequence[str]) -> Callable[..., None]:
    """A function that calls the kernel in some object files, without the GIL.

    Args:
        objects: ELF object files, one of which defines ``ENTRY``.
        signature: The kinds of its arguments.

    Raises:
        NotLoadableError: they can't be loaded here.
    """
    try:
        memory, addresses = _placed([_Object(content) for content in objects])
    except (struct.error, IndexError, KeyError, ValueError, OSError) as fault:
        raise NotLoadableError(str(fault)) from fault
    by_name = {kind.__name__: passed for kind, passed in _NUMBERS.items()}
    arguments = [by_name.get(kind, ctypes.py_object) for kind in signature]
    function: Any = ctypes.CFUNCTYPE(None, *arguments)(addresses[ENTRY])
    function.memory = memory  # lives as long as it
    return cast(Callable[..., None], function)


class _Section(NamedTuple):
    """A section's header, as ELF has it."""

    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry_size: int


class _Symbol(NamedTuple):
    """A symbol: where it is defined, by section, and where in it."""

    name: str
    section: int
    value: int
    size: int


class _Object:
    """An object file that was read.

    Args:
        content: The file's.

    Raises:
        ValueError: it is none of ELF for x86-64.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        if content[:6] != b"\x7fELF\x02\x01" or struct.unpack_from("<HH", content, 16) != (1, 62):
            raise ValueError("not an object file for this processor")
        start, (size, count) = struct.unpack_from("<Q", content, 40)[0], struct.unpack_from("<HH", content, 58)
        self.sections = [_Section(*struct.unpack_from("<IIQQQQIIQQ", content, start + n * size)) for n in range(count)]
        tables = [section for section in self.sections if section.kind == _SYMTAB]
        self.symbols = [symbol for table in tables for symbol in self._symbols(table)]

    def _symbols(self, table: _Section) -> list[_Symbol]:
        names = self.sections[table.link].offset
        symbols = []
        for place in range(table.offset, table.offset + table.size, 24):
            name, _, _, section, value, size = struct.unpack_from("<IBBHQQ", self.content, place)
            text = self.content[names + name : self.content.index(b"\0", names + name)]
            symbols.append(_Symbol(text.decode(), section, value, size))
        return symbols

    def loaded(self) -> list[int]:
        """The sections that are wanted in memory; what is only for unwinding a stack is not."""
        return [n for n, one in enumerate(self.sections) if one.flags & _ALLOC and one.kind != _UNWIND]

    def relocations(self, section: int) -> Iterator[tuple[int, int, _Symbol, int]]:
        """What is to be filled in in a section: offset in it, kind, symbol, what is added to that."""
        for table in self.sections:
            if table.kind == _RELA and table.info == section:
                for place in range(table.offset, table.offset + table.size, 24):
                    offset, info, addend = struct.unpack_from("<QQq", self.content, place)
                    yield offset, info & 0xFFFFFFFF, self.symbols[info >> 32], addend


def _placed(objects: Sequence[_Object]) -> tuple[mmap.mmap, dict[str, int]]:
    """Object files in memory: code and constants, then what can be written; and where their symbols are.

    Raises:
        ValueError: something in them is not supported, or a symbol is not known.
        OSError: no memory for code is to be had.
    """
    places: dict[tuple[int, int], int] = {}
    used = _laid_out(objects, places, writable=False)
    code = -(-used // mmap.PAGESIZE) * mmap.PAGESIZE
    end = _laid_out(objects, places, writable=True, start=code)
    memory = mmap.mmap(-1, max(end, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    addresses = {
        symbol.name: base + places[number, symbol.section] + symbol.value
        for number, one in enumerate(objects)
        for symbol in one.symbols
        if symbol.name and (number, symbol.section) in places
    }
    for (number, section), place in places.items():
        one = objects[number]
        header = one.sections[section]
        if header.kind != _NOBITS:
            memory[place : place + header.size] = one.content[header.offset : header.offset + header.size]
        for offset, kind, symbol, addend in one.relocations(section):
            where = place + offset
            if (number, symbol.section) in places:
                value = base + places[number, symbol.section] + symbol.value
            else:
                value = addresses.get(symbol.name) or _of_the_system(symbol.name)
            _fill_in(memory, where, kind, value + addend, base + where)
    make_executable(base, code)
    return memory, addresses


def _laid_out(objects: Sequence[_Object], places: dict[tuple[int, int], int], *, writable: bool, start: int = 0) -> int:
    """Note where each section of a kind begins, from ``start`` on; where the last one ends."""
    for number, one in enumerate(objects):
        for section in one.loaded():
            header = one.sections[section]
            if bool(header.flags & _WRITE) == writable:
                align = max(header.align, 1)
                start = -(-start // align) * align
                places[number, section] = start
                start += header.size
    return start


def _fill_in(memory: mmap.mmap, where: int, kind: int, value: int, own: int) -> None:
    if kind == _R_64:
        struct.pack_into("<Q", memory, where, value)
    elif kind == _R_PC64:
        struct.pack_into("<q", memory, where, value - own)
    elif kind in (_R_PC32, _R_PLT32):
        struct.pack_into("<i", memory, where, value - own)
    else:
        raise ValueError(f"relocation {kind}")


def _of_the_system(name: str) -> int:
    """The address of a function of the C library, or of its mathematics.

    Raises:
        ValueError: neither has it.
    """
    for library in _libraries():
        found = getattr(library, name, None)
        if found is not None:
            return int(ctypes.cast(found, ctypes.c_void_p).value or 0)
    raise ValueError(f"the C library has no {name}")


@lru_cache(maxsize=1)
def _libraries() -> list[ctypes.CDLL]:
    return [ctypes.CDLL("libc.so.6"), ctypes.CDLL("libm.so.6")]


def make_executable(base: int, size: int) -> None:
    """Let code run in memory that was written, and nobody write there any more.

    Raises:
        OSError: the system does not allow it.
    """
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    if size and protect(base, size, mmap.PROT_READ | mmap.PROT_EXEC):
        raise OSError(ctypes.get_errno(), "memory can't be made executable")
