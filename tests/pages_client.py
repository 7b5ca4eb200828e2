"""A browser without a window for tests of the pages: asks the server's code directly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from konvergensi.app.server import make_app

HOME = "http://127.0.0.1:8080"


def client(folder: Path, lang: Any = "en") -> TestClient:
    return TestClient(make_app(folder, lang), base_url=HOME)
