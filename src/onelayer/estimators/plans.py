"""What a plan of a fit says, and how a person reads it."""

import dataclasses

__all__ = ["Part", "Plan"]


@dataclasses.dataclass(frozen=True)
class Part:
    """Something that a fit holds.

    Attributes
    ----------
    what : str
    bytes : int
    where : str
        A device of torch, "there already", or "a file without a name".
    """

    what: str
    bytes: int
    where: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """What ``fit`` would do.

    Attributes
    ----------
    rows : int or None
        Of all processes; None where only a read can tell.
    features, outputs : int
        Outputs of a stream by the labels of its first rows.
    processes : int
    solver : str
    reason : str
        Why this solver.
    dtype, device : str
        Where the work is done, and in which arithmetic.
    parts : tuple of Part
        What is held beside what is there already.
    free : int
        The bytes that are free on the device, or that were given as memory limit.
    block_rows : int or None
        Rows of a block of a stream.
    reads, passes : (float, float) or None
        The least and the most of them that are to be expected; None where that is not known. A stream is read, data in memory are
        not.
    """

    rows: int | None
    features: int
    outputs: int
    processes: int
    solver: str
    reason: str
    dtype: str
    device: str
    parts: tuple[Part, ...]
    free: int
    block_rows: int | None = None
    reads: tuple[float, float] | None = None
    passes: tuple[float, float] | None = None

    @property
    def bytes(self):
        """What is held in memory."""
        return sum(part.bytes for part in self.parts if part.where == self.device)

    @property
    def fits(self):
        """Whether that much is free."""
        return self.bytes <= self.free

    def to_dict(self):
        """Return the plan as JSON-ready builtins."""
        return {**dataclasses.asdict(self), "bytes": self.bytes, "fits": self.fits}

    def __str__(self):
        rows = "rows not yet counted" if self.rows is None else f"{self.rows:,} rows"
        share = f", divided among {self.processes} processes" if self.processes > 1 else ""
        lines = [
            f"data      {rows} × {self.features:,} features, {self.outputs:,} output{'s' if self.outputs > 1 else ''}{share}",
            f"solver    {self.solver}: {self.reason}",
            f"work      {self.dtype} on {self.device}",
        ]
        width = max(len(part.what) for part in self.parts)
        for place, part in enumerate(self.parts):
            head = "holds" if not place else ""
            lines.append(f"{head:<10}{part.what:<{width}}  {_size(part.bytes):>9}  {part.where}")
        word = "of" if self.fits else "and there are"
        lines.append(f"{'':<10}{'together':<{width}}  {_size(self.bytes):>9}  {word} {_size(self.free)} free")
        if self.block_rows is not None:
            lines.append(f"blocks    {self.block_rows:,} rows each")
        lines.append(
            f"expected  {', '.join(self._expected()) or 'not known: it goes on until tol is proven'}"
        )
        return "\n".join(lines)

    def _expected(self):
        found = []
        for name in ("reads", "passes"):
            bounds = getattr(self, name)
            if bounds is not None:
                low, high = (f"{bound:,.0f}" for bound in bounds)
                found.append(f"{low} {name}" if low == high else f"{low} to {high} {name}")
        return found


def _size(count):
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return ""
