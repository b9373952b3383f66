"""The contestants by name, ours first."""

from peers.base import Fitted, Peer, label
from peers.others import Cyanure, Glum
from peers.own import OneLayer
from peers.scipy_huber import ScipyHuber, ScipyRobust
from peers.skglm_solvers import Skglm
from peers.sklearn_logistic import IntelLogistic, Liblinear, SklearnLogistic
from peers.sklearn_ridge import IntelLeastSquares, LeastSquares, SklearnRidge
from peers.torch_lbfgs import TorchLBFGS

__all__ = ["PEERS", "Fitted", "Peer", "label"]

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        OneLayer(),
        *(SklearnLogistic(solver) for solver in ("lbfgs", "newton-cg", "newton-cholesky", "saga")),
        Liblinear(),
        *(SklearnRidge(solver) for solver in ("cholesky", "svd", "lsqr", "sparse_cg", "sag", "saga")),
        LeastSquares(),
        IntelLogistic(),
        IntelLeastSquares(),
        Cyanure("auto"),
        Cyanure("qning-svrg"),
        Glum(),
        Skglm("ProxNewton"),
        Skglm("AndersonCD"),
        TorchLBFGS(),
        ScipyHuber("L-BFGS-B"),
        ScipyHuber("Newton-CG"),
        ScipyRobust(),
    )
}
