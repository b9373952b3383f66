"""Run scikit-learn's own tests of the linear models with our classes in the place of its own, and count.

``python tools/sklearn_tests.py --out runs/sklearn-tests [test_logistic.py ...]`` runs each file that ships in
scikit-learn's wheel twice, as it is and with every class of ``onelayer.sklearn`` swapped in before the test module is
imported, and writes ``outcomes.json`` and ``summary.md``.

A test counts where it exercises what we offer: where it constructed a swapped class (in its set-up or its body) in the
run with the classes swapped in, and passed in the run without. A test function counts as passed if all its tests that
count did. Array API dispatch is on (``SCIPY_ARRAY_API=1``), so that tests with tensors run too.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

import sklearn

from onelayer.sklearn.names import DROP_INS

FILES = {
    "test_logistic.py": ["LogisticRegression", "LogisticRegressionCV"],
    "test_base.py": ["LinearRegression"],
    "test_ridge.py": ["Ridge"],
    "test_huber.py": ["HuberRegressor"],
    "test_sgd.py": ["SGDClassifier", "SGDRegressor"],
}
HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "compatibility.md"


def documented_failures():
    """Return {file: test functions} of the page's table of tests that fail: the one list that there is."""
    rows = re.findall(
        r"^\| `(test_\w+\.py)` \| `(test_\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {file: {test for there, test in rows if there == file} for file in FILES}


def run(file, swap, folder, only=()):
    """Run one test file in a process of its own, or `only` these, such as "test_huber.py::test_name".

    Returns {test: outcome}.
    """
    site = pathlib.Path(sklearn.__file__).parents[1]
    lines = folder / f"{file}.{'swapped' if swap else 'plain'}.jsonl"
    lines.unlink(missing_ok=True)
    # Not the settings of this project, nor of a folder above.
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "ONELAYER_SWAP": ",".join(swap),
        "ONELAYER_WATCH": ",".join(DROP_INS),
        "ONELAYER_OUTCOMES": str(lines.resolve()),
        "SCIPY_ARRAY_API": "1",
    }
    tests = site / "sklearn" / "linear_model" / "tests"
    asked = [str(tests / test) for test in only or [file]]
    options = ["-q", "-p", "swapped_tests", "-p", "no:cacheprovider", "--tb=short", "-o", "addopts="]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(settings),
        "--rootdir",
        str(site),
        *options,
        *asked,
    ]
    with open(lines.with_suffix(".log"), "w", encoding="utf-8") as log:
        subprocess.run(command, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False)
    if not lines.exists():
        raise SystemExit(f"no test of {file} ran: see {lines.with_suffix('.log')}")
    found = (json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines())
    return {outcome["test"]: outcome for outcome in found}


def count(plain, swapped):
    """Return the numbers of one file, and the outcomes of the tests that fail with our classes only."""
    exercised = {test: outcome for test, outcome in swapped.items() if outcome["constructed"]}
    counted = {
        test: outcome
        for test, outcome in exercised.items()
        if plain[test]["outcome"] == "passed" and outcome["outcome"] != "skipped"
    }
    failed = {test: outcome for test, outcome in counted.items() if outcome["outcome"] != "passed"}
    functions, broken = ({test.partition("[")[0] for test in tests} for tests in (counted, failed))
    return {
        "collected": len(swapped),
        "plain passed": sum(outcome["outcome"] == "passed" for outcome in plain.values()),
        "skipped by both": sum(swapped[test]["outcome"] == "skipped" for test in exercised),
        "tests": len(counted),
        "tests passed": len(counted) - len(failed),
        "functions": len(functions),
        "functions passed": len(functions) - len(broken),
        "others broken": [
            test
            for test, outcome in swapped.items()
            if outcome["outcome"] == "failed" and plain[test]["outcome"] == "passed" and test not in failed
        ],
        "failures": {test.partition("::")[2]: outcome["error"] for test, outcome in failed.items()},
    }


def summary(numbers):
    """Return the counts as a Markdown table, and each failure with the first lines of its error."""
    lines = [
        f"scikit-learn {sklearn.__version__}, swapped in: {', '.join(DROP_INS)}.",
        "",
        "| file | tests that exercise them | passed | test functions | passed |",
        "|---|--:|--:|--:|--:|",
    ]
    total = [0, 0, 0, 0]
    for file, found in numbers.items():
        row = [found[key] for key in ("tests", "tests passed", "functions", "functions passed")]
        total = [one + two for one, two in zip(total, row, strict=True)]
        lines.append(_row(file, row))
    if len(numbers) > 1:
        lines.append(_row("all", total))
    documented = documented_failures()
    for file, found in numbers.items():
        failures = [f"- `{test}`: {error}" for test, error in found["failures"].items()]
        failures += [f"- `{test}`: broken, though it constructs none" for test in found["others broken"]]
        unknown = {test.partition("[")[0] for test in found["failures"]} - documented[file]
        failures += [f"- `{test}` is not in {PAGE.name}" for test in sorted(unknown)]
        lines += ["", f"## {file}", "", *(failures or ["No failures."])]
    return "\n".join(lines) + "\n"


def _row(name, row):
    def share(part, whole):
        return f"{part} ({100 * part / whole:.1f} %)" if whole else "–"

    return f"| {name} | {row[0]} | {share(row[1], row[0])} | {row[2]} | {share(row[3], row[2])} |"


def main():
    """Run, count, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="default: those of the classes that exist")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("runs/sklearn-tests"))
    arguments = parser.parse_args()
    files = arguments.files or [file for file, names in FILES.items() if set(names) & set(DROP_INS)]
    unknown = [file for file in files if file not in FILES]
    if unknown:
        parser.error(f"{unknown[0]} is not known: the files are {', '.join(FILES)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    numbers, outcomes = {}, {}
    for file in files:
        plain, swapped = (run(file, swap, arguments.out) for swap in ([], list(DROP_INS)))
        outcomes[file] = {"plain": list(plain.values()), "swapped": list(swapped.values())}
        numbers[file] = count(plain, swapped)
    (arguments.out / "outcomes.json").write_text(
        json.dumps({"counts": numbers, "outcomes": outcomes}, indent=1)
    )
    text = summary(numbers)
    (arguments.out / "summary.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
