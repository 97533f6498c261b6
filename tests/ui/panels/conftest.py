from __future__ import annotations

from tests.ui.shell.conftest import english

__all__ = ["english"]
