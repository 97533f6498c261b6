"""Languages of the window: loading translations, plural forms, and sentences that come from below the window.

Widgets mark their texts with ``self.tr("...")``, modules without a widget with :func:`translate`.
``resources/translations`` holds ``parley_<language>.ts`` and the compiled ``.qm``;
``python -m resources.translations.build`` makes both.

``qps-plocm`` is a pseudo-language for checks: English in Hebrew letters, a third longer, laid out right to left.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

log = logging.getLogger(__name__)

TRANSLATIONS = Path(__file__).resolve().parent.parent / "resources" / "translations"
LANGUAGES: tuple[tuple[str, str], ...] = (("en", "English"), ("fr", "Français"))
"""Code and own name of each language that is complete."""
PSEUDO_RTL = "qps-plocm"

_installed: list[QTranslator] = []
_current = "en"


def translate(context: str, text: str) -> str:
    """*text* in the language of the window. The name is the one that the extraction tool looks for."""
    return QCoreApplication.translate(context, text)


def current_language() -> str:
    return _current


def locale() -> QLocale:
    """For dates, times and numbers: the system's conventions when its language is the window's, else the language's."""
    system = QLocale.system()
    return system if system.name().split("_")[0] == _current else QLocale(_current)


def pick_language(wanted: str = "") -> str:
    """*wanted* when it is known; with ``""`` or ``"system"`` the first of the system's languages that we have."""
    known = {code for code, _name in LANGUAGES} | {PSEUDO_RTL}
    if wanted in known:
        return wanted
    for name in QLocale.system().uiLanguages():
        code = name.replace("_", "-").split("-")[0].lower()
        if code in known:
            return code
    return "en"


def install(app: QCoreApplication, wanted: str = "") -> str:
    """Load the translators for *wanted* (see :func:`pick_language`) and set the direction; returns what was chosen."""
    global _current
    while _installed:
        app.removeTranslator(_installed.pop())
    language = pick_language(wanted)
    _current = language
    if language == PSEUDO_RTL:
        pseudo = _PseudoTranslator(app)
        app.installTranslator(pseudo)
        _installed.append(pseudo)
    else:
        qt_folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        _load(app, f"qtbase_{language}", qt_folder)
        _load(app, f"parley_{language}", str(TRANSLATIONS))
    if isinstance(app, QApplication):
        right_to_left = language == PSEUDO_RTL or QLocale(language).textDirection() == Qt.LayoutDirection.RightToLeft
        app.setLayoutDirection(Qt.LayoutDirection.RightToLeft if right_to_left else Qt.LayoutDirection.LeftToRight)
    return language


def _load(app: QCoreApplication, name: str, folder: str) -> None:
    translator = QTranslator(app)
    if translator.load(name, folder):
        app.installTranslator(translator)
        _installed.append(translator)
    elif not name.endswith("_en"):
        log.warning("translation %s not found", name)


# ---------------------------------------------------------------- pseudo-language

_HEBREW = dict(zip("abcdefghijklmnopqrstuvwxyz", "אבצדעפגהיטקלמנופקרסתוושחיז", strict=True))
_KEEP = re.compile(r"(\{[^}]*\}|%n|&|<[^>]*>|https?://\S+)")


def pseudo(text: str) -> str:
    """*text* in Hebrew letters and a third longer; placeholders, links and tags stay as they are."""
    parts = _KEEP.split(text)
    out = "".join(p if i % 2 else "".join(_HEBREW.get(c.lower(), c) for c in p) for i, p in enumerate(parts))
    return out + "ם" * (len(text) // 3) if text.strip() else out


class _PseudoTranslator(QTranslator):
    def isEmpty(self) -> bool:
        return False

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        text = source if isinstance(source, str) else bytes(source).decode()
        return pseudo(text)


# ---------------------------------------------------------------- sentences from below the window


@lru_cache(maxsize=1)
def _templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    from ui.messages import TEMPLATES

    compiled = []
    for template in TEMPLATES:
        parts = re.split(r"\{(\w+)\}", template)
        pattern = "".join(f"(?P<{p}>.*?)" if i % 2 else re.escape(p) for i, p in enumerate(parts))
        compiled.append((re.compile(pattern, re.DOTALL), template))
    return tuple(compiled)


MAX_SENTENCE = 1000
"""Characters of a sentence from below that are shown; servers may put their own words into one."""


def sentence(text: str) -> str:
    """A sentence from the controller, a session or the engine in the language of the window.

    Those parts know nothing of Qt and speak English; :mod:`ui.messages` lists what they say. A sentence that is not
    listed is shown as it is.
    """
    text = text[:MAX_SENTENCE]
    if _current == "en" or not text:
        return text
    whole = QCoreApplication.translate("messages", text)
    if whole != text:
        return whole
    for pattern, template in _templates():
        match = pattern.fullmatch(text)
        if match:
            return QCoreApplication.translate("messages", template).format(**match.groupdict())
    return text
