"""A quick part of scikit-learn's own tests with our classes in their place: it fails where the page says, nowhere else."""

import sys

import pytest

from docs.pages import ROOT
from onelayer.sklearn.names import DROP_INS

sys.path.append(str(ROOT / "tools"))
import sklearn_tests

# What is quick and has a word to say about arguments, paths, shapes and warnings.
QUICK = {
    "test_huber.py": ("test_huber_better_r2_score", "test_huber_max_iter", "test_huber_warm_start"),
    "test_base.py": (
        "test_fit_intercept",
        "test_inplace_data_preprocessing",
        "test_linear_regression",
        "test_linear_regression_positive",
        "test_linear_regression_positive_multiple_outcome",
        "test_linear_regression_positive_vs_nonpositive",
        "test_linear_regression_positive_vs_nonpositive_when_positive",
        "test_linear_regression_sample_weights",
        "test_linear_regression_sparse",
        "test_linear_regression_sparse_equal_dense",
        "test_linear_regression_sparse_multiple_outcome",
        "test_linear_regression_vs_lstsq",
        "test_raises_value_error_if_positive_and_sparse",
        "test_raises_value_error_if_sample_weights_greater_than_1d",
    ),
    "test_logistic.py": (
        "test_check_solver_option",
        "test_consistency_path",
        "test_dtype_match",
        "test_liblinear_dual_random_state",
        "test_LogisticRegressionCV_no_refit",
        "test_LogisticRegressionCV_on_folds",
        "test_l1_ratio_None_deprecated",
        "test_logistic_cv",
        "test_logistic_cv_folds_with_classes_missing",
        "test_logistic_cv_mock_scorer",
        "test_logistic_cv_multinomial_score",
        "test_newton_cholesky_fallback_to_lbfgs",
        "test_n_iter",
        "test_passing_params_without_enabling_metadata_routing",
        "test_penalty_none",
        "test_warm_start",
    ),
    "test_ridge.py": (
        "test_array_api_error_and_warnings_for_solver_parameter",
        "test_dtype_match",
        "test_lbfgs_solver_error",
        "test_n_iter",
        "test_raises_value_error_if_sample_weights_greater_than_1d",
        "test_ridge_fit_intercept_sparse_error",
        "test_ridge_individual_penalties",
        "test_ridge_intercept",
        "test_ridge_per_target_alpha_array_api",
        "test_ridge_positive_error_test",
        "test_ridge_shapes_type",
        "test_ridge_vs_lstsq",
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run all of them in one process: it takes longer to begin than to do."""
    asked = [f"{file}::{test}" for file, tests in QUICK.items() for test in tests]
    return sklearn_tests.run("quick", list(DROP_INS), tmp_path_factory.mktemp("outcomes"), asked)


@pytest.mark.parametrize("file", QUICK)
def test_what_fails_is_on_the_page(file, outcomes):
    found = {}
    for test, outcome in outcomes.items():
        there, _, function = test.partition("[")[0].partition("::")
        if there.endswith(file):
            found.setdefault(function, []).append(outcome)
    assert set(found) == set(QUICK[file])
    assert all(any(outcome["constructed"] for outcome in ran) for ran in found.values())
    failed = {function for function, ran in found.items() if "failed" in {one["outcome"] for one in ran}}
    assert failed == sklearn_tests.documented_failures()[file] & set(found)
