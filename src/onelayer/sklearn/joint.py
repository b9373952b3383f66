"""One account of several fits: targets that have penalties of their own."""

import dataclasses

from onelayer.result import Record, Status

__all__ = ["joint_certificate", "joint_result"]


def joint_certificate(certificates):
    """Return the Certificate of the sum of objectives, None unless each of them has one.

    Gaps add up. Its relative gap is the largest of them, and its kind that of the largest gap; there is no radius for
    coefficients of different penalties.
    """
    if len(certificates) == 1:
        return certificates[0]
    if any(certificate is None for certificate in certificates):
        return None
    worst = max(certificates, key=lambda certificate: certificate.gap)
    return dataclasses.replace(
        worst,
        gap=sum(certificate.gap for certificate in certificates),
        relative_gap=max(certificate.relative_gap for certificate in certificates),
        objective=sum(certificate.objective for certificate in certificates),
        weight_radius=None,
    )


def joint_result(results):
    """Return the Result of the sum of objectives: fits that have ended wait for the others.

    Status and message are those of the first fit that did not do what was asked, if there is one.
    """
    if len(results) == 1:
        return results[0]
    # Of a fit that failed and one that was finished, the first has something to say.
    order = (lambda result: result.status.is_success, lambda result: result.status is Status.CONVERGED)
    speaker = min(results, key=lambda result: tuple(rank(result) for rank in order))
    steps = max(len(result.trace) for result in results)
    return dataclasses.replace(
        speaker,
        objective=sum(result.objective for result in results),
        passes=sum(result.passes for result in results),
        seconds=sum(result.seconds for result in results),
        n_iter=max(result.n_iter for result in results),
        trace=[
            _sum([result.trace[min(step, len(result.trace) - 1)] for result in results])
            for step in range(steps)
        ],
    )


def _sum(records):
    norms = [record.gradient_norm for record in records]
    gaps = [record.relative_gap for record in records]
    return Record(
        max(record.iteration for record in records),
        sum(record.seconds for record in records),
        sum(record.passes for record in records),
        sum(record.objective for record in records),
        None if None in norms else max(norms),
        None if None in gaps else max(gaps),
    )
