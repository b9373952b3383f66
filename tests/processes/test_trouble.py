"""What goes wrong in one process ends in all of them: with one sentence, soon, and never with a wrong answer."""

import signal

import pytest

from processes.running import processes

# What happens, in which process, and the words of the first process and of the second.
SENTENCES = {
    "changing:1": (
        "DataError process 1 of 2: data gave other rows than when it was read first",
        "DataError data gave other rows than when it was read first",
    ),
    "nan:1": (
        "DataError process 1 of 2: data has a value that is NaN or infinite in row 200, column 1",
        "DataError data has a value that is NaN or infinite in row 200, column 1",
    ),
    "other columns:1": (
        "DataError data has features 4 in process 0 and 3 in process 1: give all",
        "DataError data has features 3 in process 1 and 4 in process 0: give all",
    ),
    "fail:1": (
        "ProcessError process 1 of 2: RuntimeError the disk of the tracker is full",
        "RuntimeError the disk of the tracker is full",
    ),
    "fail:0": (
        "RuntimeError the disk of the tracker is full",
        "ProcessError process 0 of 2: RuntimeError the disk of the tracker is full",
    ),
    "interrupt:0": ("interrupted", "ProcessError process 0 of 2: KeyboardInterrupt"),
    "interrupt:1": ("ProcessError process 1 of 2: KeyboardInterrupt", "interrupted"),
    # These go on, or end as the first one says.
    "slow:1": ("fitted converged",) * 2,
    "slow:0": ("fitted converged",) * 2,
    "stop:0": ("fitted finished",) * 2,
    "stop:1": ("fitted converged",) * 2,
    "clock:0": ("fitted time_limit",) * 2,
    "clock:1": ("fitted converged",) * 2,
}
# After these no more can be done together; None is for a process that says nothing any more.
ENDS = {
    "another program:1": ("ProcessError the 2 processes are no longer at the same place of the fit",) * 2,
    "gone:1": ("ProcessError another of the 2 processes is gone, so process 0 cannot go on", None),
    "gone:0": (None, "ProcessError another of the 2 processes is gone, so process 1 cannot go on"),
    "mute:1": ("ProcessError another of the 2 processes has not been heard of", None),
    "mute:0": (None, "ProcessError another of the 2 processes has not been heard of"),
}


def told(process):
    """Return the lines of a process that ends by itself."""
    out, err = process.communicate(timeout=100)
    assert "Traceback" not in err, err
    return out.splitlines()


def dismiss(process):
    """End a process that does not end by itself."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.timeout(150)
def test_all_processes_end_alike_and_can_fit_again():
    ends = list(zip(*map(told, processes("trouble.py", *SENTENCES)), strict=True))
    assert len(ends) == len(SENTENCES)
    for found, (trouble, expected) in zip(ends, SENTENCES.items(), strict=True):
        for line, sentence in zip(found, expected, strict=True):
            assert line.startswith(sentence), trouble
        if found[0].startswith("fitted"):
            # To the last bit.
            assert found[0] == found[1]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("trouble", ENDS)
def test_who_is_left_alone_says_so(trouble):
    running = processes("trouble.py", trouble)
    for process, expected in zip(running, ENDS[trouble], strict=True):
        if expected is not None:
            (line,) = told(process)
            assert line.startswith(expected)
    for process, expected in zip(running, ENDS[trouble], strict=True):
        if expected is None:
            dismiss(process)


@pytest.mark.timeout(120)
def test_a_process_that_never_arrives_is_told_of():
    (alone,) = processes("trouble.py", "none:0", started=1)
    (line,) = told(alone)
    assert line.startswith("ProcessError process 0 of 2 waited 4 s and not all others arrived at 127.0.0.1:")
