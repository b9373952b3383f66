"""A fit as curves of TensorBoard."""

from typing import Any

from onelayer.callbacks.base import Callback
from onelayer.callbacks.tracking import Steps, certificate_facts, numbers_of, parameters_of, require

__all__ = ["TensorBoard"]


class TensorBoard(Callback):
    """Writes parameters, the numbers of each iteration, certificate and status for TensorBoard.

    With ``n_init`` the steps of all starts are counted on, and so they are with further fits. Needs
    ``pip install 'onelayer[tracking]'``; look at it with ``tensorboard --logdir``.

    Parameters
    ----------
    log_dir : path, optional
        Where torch's ``SummaryWriter`` writes; its default is a new folder in ``runs``.

    Raises
    ------
    ParameterError
        If tensorboard is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import onelayer as ol
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     watcher = ol.callbacks.TensorBoard(folder)
    ...     model = ol.LogisticRegression().set_callbacks(watcher).fit([[1.0], [2.0], [3.0]], [0, 0, 1])
    ...     len(list(pathlib.Path(folder).glob("events*")))
    1
    """

    _writer: Any

    def __init__(self, log_dir=None):
        require("tensorboard", "TensorBoard")
        self.log_dir = log_dir
        self._writer, self._steps = None, Steps()

    def __repr__(self):
        return "TensorBoard()"

    def __getstate__(self):
        # A writer has a thread and an open file.
        return {**vars(self), "_writer": None}

    def on_fit_begin(self, start):
        self._waiting, self._standing_alone = None, start.estimator is None
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(None if self.log_dir is None else str(self.log_dir))
            # Further fits go to the same place.
            self.log_dir = self._writer.log_dir
        rows = [f"| {name} | {value.replace('|', ' ')} |" for name, value in parameters_of(start).items()]
        self._tell("parameters", "\n".join(["| parameter | value |", "| --- | --- |", *rows]))

    def on_iteration(self, iterate):
        self._write()
        self._waiting = self._steps.of(iterate.record), iterate.record

    def on_fit_end(self, result):
        self._write()
        if result is not None:
            self._tell("status", f"{result.status}: {result.message}")
        if self._standing_alone:
            self._close()

    def on_fitted(self, estimator):
        # A fit that failed before it began has nothing open.
        if self._writer is None:
            return
        if estimator is not None:
            self._tell("certificate", str(estimator.certificate_))
            for name, value in certificate_facts(estimator.certificate_).items():
                self._writer.add_scalar(name, value, self._steps.next - 1)
        self._close()

    def _tell(self, name, text):
        self._writer.add_text(name, text, max(self._steps.next - 1, 0))

    def _write(self):
        # One iteration late, so that what callbacks after this one measured is there too.
        if self._waiting is not None:
            step, record = self._waiting
            for name, value in numbers_of(record).items():
                self._writer.add_scalar(name, value, step)
        self._waiting = None

    def _close(self):
        self._writer.close()
        self._writer = None
