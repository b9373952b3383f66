"""Why a fit ended short of its ``tol``, measured, and the one argument to change."""

from onelayer.diagnosis.budget import Budget, extrapolate
from onelayer.diagnosis.doctor import Diagnosis, diagnose
from onelayer.diagnosis.nearness import Nearness, find_nearness
from onelayer.diagnosis.obstacle import Obstacle, find_obstacle
from onelayer.diagnosis.precision import Floors, find_floors
from onelayer.diagnosis.scales import ScaleFinding, find_scales
from onelayer.diagnosis.separation import Search, Separation, find_separation, search_separation

__all__ = [
    "Budget",
    "Diagnosis",
    "Floors",
    "Nearness",
    "Obstacle",
    "ScaleFinding",
    "Search",
    "Separation",
    "diagnose",
    "extrapolate",
    "find_floors",
    "find_nearness",
    "find_obstacle",
    "find_scales",
    "find_separation",
    "search_separation",
]
