"""Kernels: Python functions that visit every pixel, compiled to machine code, without numba where that can be.

numba compiles a kernel when it is first called on a machine, and its machine code is kept. Later processes put that
into memory themselves, where they can (Linux on x86-64): numba and its LLVM would take 130 MB of memory and half a
second of every start, to do the same. Elsewhere numba keeps and loads what it compiled.

A kernel writes into arrays that it is given: it returns nothing and makes no arrays, so its code needs nothing but the
C library.
"""

from understudy.compiled.kernel import Kernel, compiled, compiled_for_views

__all__ = ["Kernel", "compiled", "compiled_for_views"]
