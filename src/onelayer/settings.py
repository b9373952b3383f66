"""Objects that are their constructor's arguments: what scikit-learn's tools expect of whatever is nested in an estimator."""

import copy
import inspect

__all__ = ["Settings"]


class Settings:
    """Losses and solvers: ``solver__learning_rate`` in a grid search reaches the solver's `learning_rate`.

    Every argument of the constructor is an attribute of the same name.
    """

    def get_params(self, deep=True):
        """Return the constructor's arguments by name."""
        del deep
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names}

    def set_params(self, **changed):
        """Change some of the arguments, checked as in the constructor; return the object."""
        known = self.get_params()
        for name in changed:
            if name not in known:
                # The words of scikit-learn's own objects.
                raise ValueError(
                    f"Invalid parameter {name!r} for {self!r}. Valid parameters are: {sorted(known)!r}."
                )
        # Made first, and taken over only if that went well.
        vars(self).update(vars(type(self)(**(known | changed))))
        return self

    def __sklearn_clone__(self):
        # Constructors may turn an argument into a plain number; scikit-learn's own clone wants the very same object.
        return copy.deepcopy(self)
