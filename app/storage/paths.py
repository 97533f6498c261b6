"""Where things are kept on this computer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

HOME_VARIABLE = "PARLEY_HOME"
"""Environment variable that moves everything below one folder: for tests, portable use and second profiles."""

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Paths:
    config: Path
    data: Path
    logs: Path

    @property
    def settings(self) -> Path:
        return self.config / "settings.json"

    @property
    def history(self) -> Path:
        return self.data / "history.sqlite3"

    @property
    def accounts(self) -> Path:
        return self.config / "accounts.json"

    @property
    def account_cache(self) -> Path:
        return self.data / "accounts.sqlite3"

    @property
    def crashes(self) -> Path:
        return self.data / "crashes"


def user_paths() -> Paths:
    """Folders by the habits of the system (XDG, Application Support, AppData), or all below ``$PARLEY_HOME``."""
    override = os.environ.get(HOME_VARIABLE)
    if override:
        root = Path(override).expanduser()
        return Paths(root / "config", root / "data", root / "logs")
    import platformdirs

    dirs = platformdirs.PlatformDirs("parley", appauthor=False)
    return Paths(Path(dirs.user_config_dir), Path(dirs.user_data_dir), Path(dirs.user_log_dir))


def make_private_folder(folder: Path) -> None:
    """Make *folder* and its missing parents for this user alone; existing ones keep their rights."""
    missing = []
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)


def set_aside(path: Path) -> Path:
    """Rename a damaged file so that it can be looked at and is not overwritten; returns its new path."""
    number = 1
    while True:
        aside = path.with_name(f"{path.name}.broken-{number}")
        if not aside.exists():
            path.replace(aside)
            return aside
        number += 1
