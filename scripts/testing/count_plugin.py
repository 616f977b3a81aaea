"""Counts a run of pytest as `count-reporter.ts` counts one of node:test: `NEXTSCALE_COUNTS` names the file."""

import json
import os

import pytest



class Counts:
    def __init__(self) -> None:
        self.failures: dict[str, str] = {}
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # A test has passed when its call has, unless setting up or clearing away fails; `xfail` counts as skipped.
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
            self.failures[report.nodeid] = f"{report.nodeid} ({report.when})"
        elif report.skipped or (report.when == "call" and report.nodeid not in self.failures):
            self.outcomes[report.nodeid] = report.outcome

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.outcomes[report.nodeid] = "failed"
            self.failures[report.nodeid] = f"{report.nodeid} (cannot be loaded)"

    def pytest_sessionfinish(self) -> None:
        found = list(self.outcomes.values())
        counts = {name: found.count(name) for name in ("passed", "failed", "skipped")}
        with open(os.environ["NEXTSCALE_COUNTS"], "w") as file:
            json.dump({**counts, "failures": list(self.failures.values())}, file)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Counts())
