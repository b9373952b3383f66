"""A problem of ImageNet's shape that is made where it is solved, and how near a fit comes to that device's ceiling."""

import time

__all__ = ["after_fit", "make"]

_BLOCK = 1 << 15


def make(recipe, device):
    """Return X (rows, features) float32 and y int64 on a device; the same on every call there.

    Features with singular values that fall like 1/√j, in a random basis; labels drawn from a softmax model.
    """
    import torch

    rows, features, classes = recipe["rows"], recipe["features"], recipe["classes"]
    generator = torch.Generator(device).manual_seed(recipe["seed"])

    def normal(*shape):
        return torch.randn(shape, generator=generator, device=device)

    basis = torch.linalg.qr(normal(features, features))[0]
    scale = torch.arange(1, features + 1, device=device).rsqrt()
    mixing = scale.unsqueeze(1) * basis
    # Scores with a standard deviation of about 3, so that classes overlap but can be learnt.
    weight = normal(classes, features) @ basis * (3 / scale.square().sum().sqrt())
    X = torch.empty(rows, features, device=device)
    y = torch.empty(rows, dtype=torch.int64, device=device)
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        torch.matmul(normal(stop - start, features), mixing, out=X[start:stop])
        scores = X[start:stop] @ weight.T
        # The largest of the scores plus Gumbel noise is a draw from the softmax.
        scores -= torch.empty_like(scores).exponential_(generator=generator).log_()
        y[start:stop] = scores.argmax(dim=1)
    return X, y


def after_fit(task, X, report):
    """Return device memory of the fit, and its share of the matrix products' ceiling measured now."""
    import torch

    facts = {"memory": torch.cuda.max_memory_allocated()}
    facts["ceiling"] = {name: _ceiling(X.device, tf32) for name, tf32 in (("float32", False), ("tf32", True))}
    if report.get("passes"):
        # A pass is two products with X, of 2 · rows · features · outputs operations each.
        work = 4.0 * X.shape[0] * X.shape[1] * task.outputs * report["passes"]
        speed = work / report["seconds"]
        facts["flops"] = speed
        facts["share_of_ceiling"] = {name: speed / top for name, top in facts["ceiling"].items()}
    return facts


def _ceiling(device, tf32, size=8192, repeat=10):
    """Return operations per second of a large square product."""
    import torch

    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = tf32
    try:
        left, right = torch.randn(2, size, size, device=device)
        left @ right
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(repeat):
            left @ right
        torch.cuda.synchronize()
        return repeat * 2.0 * size**3 / (time.perf_counter() - start)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
