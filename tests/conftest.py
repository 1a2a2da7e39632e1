"""Locally a test that lacks data or a tool is skipped with its reason; under CI=true (.ci/run) that is a failure.

What a machine cannot have is said with one of ABSENT_HARDWARE in the reason and stays a skip.
"""

import os

import pytest

ABSENT_HARDWARE = ("this CPU", "no GPU", "needs a GPU", "not on this system")
IN_CI = os.environ.get("CI") == "true"

os.environ.setdefault("OMP_NUM_THREADS", "1" if os.environ.get("PYTEST_XDIST_WORKER") else str(os.cpu_count() or 1))


def _skip_is_failure(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not (IN_CI and report.skipped) or hasattr(report, "wasxfail"):
        return
    reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if any(words in reason for words in ABSENT_HARDWARE):
        return
    report.outcome = "failed"
    report.longrepr = f"skipped under CI=true, where .ci/run must provide what is missing: {reason}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    _skip_is_failure(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    _skip_is_failure(outcome.get_result())
