"""An installed Chromium for the tests that look at pages, and what is done where there is none."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next((found for name in NAMES if (found := shutil.which(name))), None)
IN_CI = bool(os.environ.get("CI"))  # .ci/run installs a browser: without one, something is wrong


def needs_chromium(what: str) -> pytest.MarkDecorator:
    """Skip, and say that `what` was not looked at; in CI the test runs all the same, and fails."""
    reason = f"no Chromium here, so {what} NOT looked at in a browser; install one, or name it in CHROMIUM"
    return pytest.mark.skipif(CHROMIUM is None and not IN_CI, reason=reason)


def chromium_path() -> str:
    """Where it is. Fails the test where there is none."""
    assert CHROMIUM is not None, "no Chromium here: .ci/run installs one, or name it in CHROMIUM"
    return CHROMIUM
