"""Swap scikit-learn's classes for ours in a running program, and back."""

import copyreg
import dataclasses
import importlib
import logging
import sys
from typing import Any

from onelayer.errors import ParameterError
from onelayer.sklearn.names import DROP_INS

__all__ = ["Swaps", "patch", "unpatch"]

_log = logging.getLogger("onelayer.sklearn")
# What is swapped now, by name.
_swapped: dict = {}


@dataclasses.dataclass(frozen=True)
class _Swap:
    """One object of scikit-learn's, ours for it, the places that were changed, and those that held ours before."""

    theirs: Any
    ours: Any
    places: list
    asked_for: list

    @classmethod
    def made(cls, theirs, ours):
        """Put ours in each place that holds theirs."""
        asked_for, places = _places(ours), _places(theirs)
        for module, attribute in places:
            setattr(sys.modules[module], attribute, ours)
        return cls(theirs, ours, places, asked_for)

    def undone(self):
        """Put theirs back, and return the names of places that are left as they are."""
        left = []
        for module, attribute in _places(self.ours):
            if (module, attribute) in self.places or module.partition(".")[0] == "sklearn":
                setattr(sys.modules[module], attribute, self.theirs)
            elif (module, attribute) not in self.asked_for:
                left.append(f"{module}.{attribute}")
        return left


@dataclasses.dataclass(frozen=True)
class Swaps:
    """What one call of ``patch`` swapped; as a context manager it ends with ``unpatch`` for the same names.

    Attributes
    ----------
    places : dict of str to list of str
        For each class the names that now stand for ours, such as "sklearn.linear_model.LogisticRegression".
    """

    places: dict

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        unpatch(list(self.places))

    def __iter__(self):
        return iter(self.places)

    def __len__(self):
        return len(self.places)

    def __str__(self):
        lines = (
            f"{name}: onelayer.sklearn.{name} for {', '.join(places)}" for name, places in self.places.items()
        )
        return "\n".join(lines) or "nothing was swapped"


def patch(names=None):
    """Put our classes in the place of scikit-learn's, in every module that is imported now or later.

    Parameters
    ----------
    names : sequence of str, optional
        Which classes, for example ``["LogisticRegression"]``; default: all that exist here.

    Returns
    -------
    Swaps
        What was swapped where, also in the log "onelayer.sklearn" at level INFO. Classes that were swapped before are
        left out. Usable as a context manager.

    Raises
    ------
    ParameterError
        There is no drop-in of that name.

    Notes
    -----
    Replaced are the names in ``sklearn.linear_model``, in the private module that defines the class, and in all other
    imported modules that hold it under whatever name (``__main__`` too). Out of reach are objects and subclasses that
    were made before, references in containers, closures and default arguments, and other processes: a worker that
    unpickles one of our objects works with ours, one that constructs by name needs its own ``patch()``.

    Objects of scikit-learn's class keep working, and can be pickled, while it is swapped; when unpickled they are
    scikit-learn's again. A pickle that was written without a patch refers to scikit-learn's class by its name, and so
    becomes an object of ours if it is read while that name is swapped: it predicts the same.

    ``isinstance(model, LogisticRegression)`` asks the class that the name stands for in that module: true for ours where
    the name was swapped, false for ours against scikit-learn's own class and the other way round.
    Classes that inherit from a swapped one keep scikit-learn's code.

    Examples
    --------
    >>> import onelayer.sklearn
    >>> with onelayer.sklearn.patch(["LogisticRegression"]) as swaps:
    ...     from sklearn.linear_model import LogisticRegression
    ...     print(list(swaps), LogisticRegression.__module__)
    ['LogisticRegression'] onelayer.sklearn.logistic
    """
    done = {}
    for name in _known(names):
        if name in _swapped:
            continue
        ours_at, theirs_at = DROP_INS[name]
        ours = getattr(importlib.import_module(ours_at), name)
        importlib.import_module("sklearn.linear_model")
        theirs = getattr(importlib.import_module(theirs_at), name)
        swap = _Swap.made(theirs, ours)
        # pickle refuses a class that is not found under its name.
        copyreg.pickle(theirs, _Reducer(theirs, name))
        _swapped[name] = swap
        done[name] = [f"{module}.{attribute}" for module, attribute in swap.places]
        _log.info("%s is onelayer.sklearn.%s now, in %s", name, name, ", ".join(done[name]))
    return Swaps(done)


def unpatch(names=None):
    """Put scikit-learn's classes back where ``patch`` took them from, and in all of scikit-learn's modules.

    A module of yours that imported the name while it was swapped keeps our class: nothing tells it from one that asked
    for ours. The log "onelayer.sklearn" names these at level WARNING.

    Parameters
    ----------
    names : sequence of str, optional
        Which classes; default: all that are swapped.

    Returns
    -------
    list of str
        The classes that were put back.

    Raises
    ------
    ParameterError
        There is no drop-in of that name.
    """
    back = [name for name in _known(names) if name in _swapped]
    for name in back:
        swap = _swapped.pop(name)
        copyreg.dispatch_table.pop(swap.theirs, None)
        left = swap.undone()
        if left:
            _log.warning("%s still is onelayer.sklearn.%s: import it again", ", ".join(left), name)
    return back


def _known(names):
    if names is None:
        return list(DROP_INS)
    names = [names] if isinstance(names, str) else list(names)
    for name in names:
        if name not in DROP_INS:
            raise ParameterError(f"there is no drop-in {name!r}: the known ones are {', '.join(DROP_INS)}.")
    return names


def _places(value):
    """Return (module, attribute) of each name in an imported module that stands for this object."""
    found = []
    for module_name, module in list(sys.modules.items()):
        # Ours hold scikit-learn's classes on purpose, where they do.
        if module is None or module_name.partition(".")[0] == "onelayer":
            continue
        # Modules that answer getattr with imports are asked for what they hold only.
        names = getattr(module, "__dict__", {})
        found += [(module_name, name) for name, held in list(names.items()) if held is value]
    return sorted(found)


@dataclasses.dataclass(frozen=True)
class _Reducer:
    """How an object of a class that is swapped is pickled: by what it holds, its class found when it is read."""

    theirs: type
    name: str

    def __call__(self, model):
        return _blank, (self.name,), model.__getstate__()


def _blank(name):
    """Return an empty object of scikit-learn's own class, swapped or not."""
    if name in _swapped:
        theirs = _swapped[name].theirs
    else:
        theirs = getattr(importlib.import_module(DROP_INS[name][1]), name)
    return theirs.__new__(theirs)
