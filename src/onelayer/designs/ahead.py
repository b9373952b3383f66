"""Work of the next item while the last one is used."""

import queue
import threading

__all__ = ["ahead"]

# How long a reader that is no longer wanted waits for a place before it looks whether it is (seconds).
_PATIENCE = 0.1


def ahead(items, depth=1):
    """Yield the items of an iterable; up to `depth` of them are made in a thread before they are asked for.

    What the iterable raises is raised here, in its place. Where the consumer stops early the thread ends too, and closes
    the iterable's generator, with whatever files it has open.
    """
    ready: queue.Queue = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def put(entry):
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False

    def work():
        iterator = None
        try:
            iterator = iter(items)
            for item in iterator:
                if not put((item, None)):
                    return
                # The consumer alone decides how long an item lives.
                del item
            put((None, StopIteration()))
        except BaseException as error:  # noqa: BLE001 (it is raised where the items are used)
            put((None, error))
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(target=work, name="onelayer-reader", daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
            del item
    finally:
        stopped.set()
        thread.join()
