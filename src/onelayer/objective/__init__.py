"""The formula: the only place where weights, averages and the penalty meet.

P(W, b) = (1/S) Σ_i s_i ℓ(y_i, z_i) + penalty(W),    z_i = W x_i + b + o_i,    S = Σ_i s_i
"""

from onelayer.objective.formula import Objective, Point
from onelayer.objective.ray import Ray
from onelayer.objective.sweep import Sweep, curvature_sweep, sweep

__all__ = ["Objective", "Point", "Ray", "Sweep", "curvature_sweep", "sweep"]
