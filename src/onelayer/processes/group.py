"""What processes that work on one fit tell each other: sums, rows, and whether one of them failed."""

import atexit
import contextlib
import datetime
import functools
import threading
import time
from typing import Any

import torch
import torch.distributed as dist

from onelayer.errors import OnelayerError, ProcessError

__all__ = ["ALONE", "Group"]

# Seconds after which a process that is not heard of counts as gone; one that is at work is heard of this often.
_PATIENCE, _SIGN_OF_LIFE = 60.0, 15.0
# Bytes that any network moves in a second.
_SLOWEST = 2**20
# Torch's own patience with large exchanges, which is not to end before ours.
_LONGEST = datetime.timedelta(hours=1)
# What can be exchanged; a step is its number in the fit, its kind and its size.
_KINDS = ("sum", "everyone", "agree", "alike", "send", "end")
_STEP = ("place", "kind", "size")
_MANY = 2**62


class Group:
    """The processes of one fit. Each runs the same program and calls the same methods in the same order.

    Before each exchange they meet: an error on one is then an error on all, and never a wait without end or a sum of things that
    do not belong together. Those that still work when the others wait give signs of life, so that slow and gone are told apart.

    Parameters
    ----------
    handle, meeting : torch.distributed.ProcessGroup, optional
        For what is exchanged, and for meeting before it. Default: this process is alone, and nothing is sent.

    Attributes
    ----------
    rank, size : int
        The number of this process, and how many there are.
    """

    def __init__(self, handle=None, meeting=None):
        self._handle, self._meeting = handle, meeting
        self.rank = 0 if handle is None else dist.get_rank(handle)
        self.size = 1 if handle is None else dist.get_world_size(handle)
        # How many exchanges there were; when the last one was; what ended them.
        self._place, self._since, self._end = 0, time.monotonic(), None
        # Held by whoever of our threads exchanges something.
        self._turn, self._done = threading.RLock(), threading.Event()

    @classmethod
    def current(cls):
        """Return the group of all processes of torch.distributed, for one fit; this one alone where there is none."""
        if not (dist.is_available() and dist.is_initialized()):
            return ALONE
        return cls(*_handles_of(dist.group.WORLD))

    @contextlib.contextmanager
    def shared(self):
        """Return a context for all exchanges: what ends it here ends it on the other processes too."""
        if self.size == 1:
            yield self
            return
        self._done.clear()
        life = threading.Thread(target=self._live, name="onelayer-sign-of-life", daemon=True)
        life.start()
        try:
            yield self
        except BaseException as error:
            if self._end is None:
                with contextlib.suppress(BaseException), self._met("end", functools.partial(_fail, error)):
                    pass
            raise
        finally:
            self._done.set()
            life.join()

    # ---- exchanges --------------------------------------------------------------------------------------------

    def summed(self, work):
        """Return the sums over all processes of the tensors of the list that ``work()`` returns on each, as float64.

        One all-reduce of one buffer; the sums are the same bits on every process.
        """
        if self.size == 1:
            return work()
        with self._met("sum", work) as parts:
            flat = torch.cat([part.reshape(-1).double() for part in parts])
            self._wait(dist.all_reduce(flat, group=self._handle, async_op=True), flat.nbytes)
            pieces = flat.split([part.numel() for part in parts])
            return [piece.view(part.shape) for piece, part in zip(pieces, parts, strict=True)]

    def everyones(self, work):
        """Return what ``work()`` returns on each process, in the order of their numbers: small things."""
        if self.size == 1:
            return [work()]
        with self._met("everyone", work) as own:
            return self._objects(own, self._handle)

    def agreed(self, value):
        """Return what the first process has here: decisions that hang on clocks, on draws or on what a user's function says."""
        if self.size == 1:
            return value
        with self._met("agree"):
            return self._objects(value if self.rank == 0 else None)[0]

    def alike(self, *tensors):
        """Return the first process's bits of tensors that are the same everywhere but for rounding."""
        if self.size == 1:
            return tensors
        with self._met("alike", lambda: tensors):
            copies = [tensor.clone(memory_format=torch.contiguous_format) for tensor in tensors]
            for copy in copies:
                self._wait(dist.broadcast(copy, 0, group=self._handle, async_op=True), copy.nbytes)
        return tuple(copies)

    def sent(self, tensor, rank):
        """Return a tensor of one process, which on the others is overwritten: there only shape and dtype matter."""
        if self.size > 1 and tensor.numel():
            with self._met("send", lambda: [tensor]):
                # As bytes: not every number that is stored is one that every backend sends.
                data = tensor.reshape(-1).view(torch.uint8)
                self._wait(dist.broadcast(data, rank, group=self._handle, async_op=True), data.nbytes)
        return tensor

    def rows(self, own, counts):
        """Return the rows of all processes, one below the other: those of this one, and how many each has."""
        if self.size == 1:
            return own
        found = own.new_empty(sum(counts), *own.shape[1:])
        for rank, piece in enumerate(found.split(list(counts))):
            if rank == self.rank:
                piece.copy_(own)
            self.sent(piece, rank)
        return found

    # ---- underneath -------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _met(self, what, work=None):
        """Return a context that all processes enter together, each with what its ``work()`` returned, or none of them."""
        result = failure = None
        try:
            result = work() if work else None
        except BaseException as error:  # noqa: BLE001 (it is raised below, after the others know)
            failure = error
        with self._turn:
            # What is about to be exchanged: the same on all processes, or none of it.
            size = sum(part.numel() for part in result) if what in ("sum", "alike", "send") and result else 0
            while self._meet((self._place, _KINDS.index(what), size), failure):
                pass
            if self._end is not None:
                raise self._end
            self._place += 1
            yield result
            self._since = time.monotonic()

    def _meet(self, next_step=None, failure=None):
        """Return whether some of the processes are still at work; what ended the fit on one of them ends it here.

        Without a `next_step` this one is at work itself.
        """
        if self._end is not None:
            return False
        working = False
        # Of largest numbers and largest negative ones: where they are the same step, it is that of all.
        known = (
            [-_MANY] * 2 * len(_STEP) if next_step is None else [*next_step, *(-step for step in next_step)]
        )
        state = torch.tensor([failure is not None, next_step is None, *known], dtype=torch.int64)
        try:
            self._wait(dist.all_reduce(state, dist.ReduceOp.MAX, group=self._meeting, async_op=True))
            failed, working, *steps = state.tolist()
            if failed:
                told = self._objects(None if failure is None else _told(failure))
                self._end = self._failure_of(told) if failure is None else failure
            elif not working and steps[: len(_STEP)] != [-number for number in steps[len(_STEP) :]]:
                self._end = ProcessError(
                    f"the {self.size} processes are no longer at the same place of the fit: run the same program with the same "
                    "versions and the same data on each of them."
                )
        except ProcessError as error:
            self._end = failure or error
        return self._end is None and bool(working)

    def _failure_of(self, told):
        rank = next(number for number, sentence in enumerate(told) if sentence is not None)
        kind, sentence = told[rank]
        return kind(f"process {rank} of {self.size}: {sentence}")

    def _live(self):
        """Meet the others while the main thread is at work, so that they know."""
        while not self._done.wait(max(0.1, self._since + _SIGN_OF_LIFE - time.monotonic())):
            if time.monotonic() < self._since + _SIGN_OF_LIFE or not self._turn.acquire(blocking=False):
                continue
            try:
                # Where the main thread was waiting for its turn it is no longer at work.
                self._meet()
                self._since = time.monotonic()
            finally:
                self._turn.release()
            if self._end is not None:
                return

    def _objects(self, own, handle=None):
        found: list[Any] = [None] * self.size
        try:
            dist.all_gather_object(found, own, group=handle or self._meeting)
        except RuntimeError as error:
            raise self._gone(error) from error
        return found

    def _wait(self, work, size=0):
        try:
            work.wait(datetime.timedelta(seconds=_PATIENCE + size / _SLOWEST))
        except RuntimeError as error:
            raise self._gone(error) from error

    def _gone(self, error):
        why = (
            f"has not been heard of for {_PATIENCE:.0f} s" if "timed out" in str(error).lower() else "is gone"
        )
        return ProcessError(
            f"another of the {self.size} processes {why}, so process {self.rank} cannot go on: see what the others said last, "
            "then start all of them again."
        )


@functools.lru_cache(maxsize=1)
def _handles_of(world):
    """Return process groups of our own with the processes of the user's: other traffic and other patience."""
    del world
    # Whoever destroys all groups does not reach these here, and threads of theirs at the interpreter's end are an abort.
    atexit.register(_handles_of.cache_clear)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() and dist.is_nccl_available() else "gloo"
    # The end of a process waits for what it has begun to send: for a meeting that failed no longer than ours has lasted.
    meeting = dist.new_group(timeout=datetime.timedelta(seconds=_PATIENCE), backend="gloo")
    return dist.new_group(timeout=_LONGEST, backend=backend), meeting


def _fail(error):
    raise error


def _told(error):
    """Return the class and the sentence with which the other processes end."""
    if isinstance(error, OnelayerError):
        return type(error), str(error)
    return ProcessError, f"{type(error).__name__} {error}".strip()


ALONE = Group()
