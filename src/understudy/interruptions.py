"""Work that no interruption enters: what the handler of a signal raises waits until the work is done.

Python runs the handlers of signals in the main thread, between any two of its steps, and what they raise
(KeyboardInterrupt, SystemExit) comes out there: in a ``finally`` that tidies up, or in a function that compiled code
has called, which can't pass it on and goes on with half an answer. Three remedies, each for what it is good for:

- ``deferred`` for a few steps that belong together: what is raised meanwhile comes out behind them;
- ``undisturbed`` for compiled code that calls back: it runs in a thread of its own, which no handler enters;
- ``once`` for a whole task: the first interruption ends it, further ones wait until it has tidied up.

Handlers run as ever; those that only take a note, and raise nothing, disturb nothing.
"""

from __future__ import annotations

import _thread
import errno
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Generic, TypeVar

Result = TypeVar("Result")
#: Seconds that an interruption has to tidy up before another one counts, and until one that was lost comes again.
_PATIENCE, AGAIN = 10.0, 0.01
_Handler = Callable[[int, "FrameType | None"], Any]


class _Gate:
    """Stands in for the handlers of all signals and calls them; what they raise passes or waits.

    Left in place, as an interruption in the wrong moment may leave it, an open gate does nothing.
    """

    def __init__(self, told: threading.Event | None = None) -> None:
        self._told = told
        self._before: dict[int, _Handler] = {}
        #: One store decides for all signals at once, which changing their handlers one by one could not.
        self.closed = False
        self.waiting: BaseException | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self._before[number](number, frame)
        except BaseException as fault:
            if self._passes(fault, number):
                raise
            self.waiting = self.waiting or fault
            if self._told is not None:
                self._told.set()

    def _passes(self, _fault: BaseException, _number: int) -> bool:
        return not self.closed

    def set_up(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # handlers run in the main thread only
        found = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self._before = {number: handler for number, handler in found.items() if callable(handler)}
        try:
            for number in self._before:
                signal.signal(number, self)
        except BaseException:
            self.take_down()
            raise

    def take_down(self) -> None:
        self.closed = False
        for number, handler in self._before.items():
            if signal.getsignal(number) is self:
                signal.signal(number, handler)


class _OnceGate(_Gate):
    """What passes closes it for a while, and what is lost on its way comes again.

    Python only prints, and then forgets, what is raised in ``__del__``, in callbacks of weak references, and in
    functions that compiled code has called.
    """

    def __init__(self) -> None:
        super().__init__()
        self._passed: BaseException | None = None
        self._number, self._until = 0, 0.0
        self._hook = sys.unraisablehook
        self._in_hook = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._in_hook:
            _come_again(number)  # here it would be lost as well
        else:
            super().__call__(number, frame)

    def _passes(self, fault: BaseException, number: int) -> bool:
        # The same one comes by twice where one handler ran inside another.
        if not self.closed or fault is self._passed or time.monotonic() > self._until:
            self._passed, self._number, self.closed = fault, number, True
            self._until = time.monotonic() + _PATIENCE
            return True
        return False

    def set_up(self) -> None:
        super().set_up()
        if self._before:
            self._hook, sys.unraisablehook = sys.unraisablehook, self.lost

    def take_down(self) -> None:
        super().take_down()
        if sys.unraisablehook == self.lost:
            sys.unraisablehook = self._hook

    def lost(self, what: sys.UnraisableHookArgs) -> None:
        """Python's hook for what could not be raised."""
        if what.exc_value is None or what.exc_value is not self._passed:
            self._hook(what)
            return
        self._in_hook = True
        self._passed, self.closed = None, False
        if isinstance(getattr(self._hook, "__self__", None), _OnceGate):
            self._hook(what)  # which has let it pass as well
        else:
            _come_again(self._number)
        self._in_hook = False


def _come_again(number: int) -> None:
    """Have the handler of a signal run once more, a moment later."""

    def later() -> None:
        time.sleep(AGAIN)
        _thread.interrupt_main(signal.Signals(number))

    _thread.start_new_thread(later, ())  # unlike a Thread's start it does not wait, and nothing can come in between


@contextmanager
def deferred(told: threading.Event | None = None) -> Iterator[None]:
    """While the block runs, what handlers of signals raise waits; it is raised at its end, in place of its error.

    Args:
        told: Set as soon as something waits.
    """
    gate = _Gate(told)
    gate.set_up()
    gate.closed = True
    try:
        yield
    finally:
        gate.take_down()
        if gate.waiting is not None:
            raise gate.waiting


@contextmanager
def once() -> Iterator[None]:
    """Raise only the first interruption of the block; those that follow while it tidies up are dropped.

    It has ten seconds for that; then they count again.
    """
    gate = _OnceGate()
    gate.set_up()
    try:
        yield
    finally:
        gate.take_down()


def undisturbed(work: Callable[[], Result], stop: threading.Event | None = None) -> Result:
    """Do ``work`` in a thread of its own, to its end; an interruption is raised behind it.

    Args:
        work: What to do. It may ask ``interrupted`` now and then, and give up.
        stop: What ``interrupted`` looks at; set from outside, it asks the work to give up.

    Returns:
        What ``work`` returns; what it raises is raised.
    """
    if isinstance(threading.current_thread(), _Aside):
        return work()
    stop = stop or threading.Event()
    aside = _Aside(work, stop)
    with deferred(stop):
        aside.start()
        aside.wait()
    return aside.outcome()


def interrupted() -> bool:
    """Whether the work that this thread does for ``undisturbed`` should be given up."""
    thread = threading.current_thread()
    return isinstance(thread, _Aside) and thread.stop.is_set()


def give_up_if_interrupted() -> None:
    """End the work of this thread if it should be given up.

    Raises:
        InterruptedError: it should.
    """
    if interrupted():
        raise InterruptedError(errno.EINTR, "interrupted")


class _Aside(threading.Thread, Generic[Result]):
    """Does one piece of work. No daemon: Python does not end while compiled code may still call back."""

    def __init__(self, work: Callable[[], Result], stop: threading.Event) -> None:
        super().__init__(name="undisturbed", daemon=False)
        self._work, self.stop = work, stop
        self._done: list[Result] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._done.append(self._work())
        except BaseException as fault:  # noqa: BLE001 - raised where it was asked for
            _forget_locals(fault)
            self._error = fault
        finally:
            del self._work

    def wait(self) -> None:
        """Until it is done, whatever comes; that is raised then."""
        raised: BaseException | None = None
        while self.is_alive():
            try:
                self.join()
            except BaseException as fault:  # noqa: BLE001 - of whoever throws exceptions into threads
                raised = raised or fault
        if raised is not None:
            self.stop.set()
            raise raised

    def outcome(self) -> Result:
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # or it would hold itself
        return self._done.pop()


def _forget_locals(fault: BaseException | None) -> None:
    """Let go what an error's frames hold: it is to be freed in the thread that made it, not in the main one."""
    while fault is not None:
        traceback.clear_frames(fault.__traceback__)
        fault = fault.__cause__ or fault.__context__
