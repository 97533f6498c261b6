"""What holds for every test: no display is needed, nothing of the person's own settings is touched, and warnings of
our own parts that a test does not expect fail it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("QT_LOGGING_RULES", "qt.multimedia.*=false;qt.qpa.*=false")

from hypothesis import settings as hypothesis_settings  # noqa: E402

from tests.seed_coverage import SeedCoverage  # noqa: E402

hypothesis_settings.register_profile("parley", deadline=None)
hypothesis_settings.load_profile("parley")

OURS = ("app", "ui")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "logs_errors: the test provokes errors that are logged; they do not fail it")
    config.pluginmanager.register(SeedCoverage(config), "seed-coverage")


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings, history and logs of the test, away from the person's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PARLEY_HOME", str(home))
    for secret in ("PARLEY_PASSWORD", "PARLEY_JWT"):
        monkeypatch.delenv(secret, raising=False)
    return home


class _Unexpected(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in OURS:
            self.records.append(f"{record.levelname} {record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def no_unexpected_errors(request: pytest.FixtureRequest) -> Iterator[None]:
    """An error in the log of our own parts fails the test, unless it is marked ``logs_errors`` or reads ``caplog``."""
    if request.node.get_closest_marker("logs_errors") or "caplog" in request.fixturenames:
        yield
        return
    handler = _Unexpected()
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
    assert not handler.records, "unexpected errors in the log:\n" + "\n".join(handler.records)
