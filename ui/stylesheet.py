"""The look of Qt's own controls, made from the theme's tokens."""

from __future__ import annotations

from ui.theme import DARK, DISABLED_OPACITY, Palette, Radius, Size, Space, Type, blend


def stylesheet(p: Palette) -> str:
    """Style sheet of the whole application for palette *p*."""
    return "\n".join((_text(p), _buttons(p), _fields(p), _popups(p), _lists(p), _bars(p)))


def _faded(value: str, under: str) -> str:
    return blend(value, under, DISABLED_OPACITY)


def _text(p: Palette) -> str:
    return f"""
QLabel {{ background: transparent; color: {p.text}; }}
QLabel:disabled {{ color: {_faded(p.text, p.surface)}; }}
QLabel[look="muted"] {{ color: {p.muted}; }}
QLabel[look="caption"] {{ color: {p.muted}; font-size: {Type.CAPTION}px; }}
QLabel[look="emphasis"] {{ font-size: {Type.EMPHASIS}px; font-weight: 600; }}
QLabel[look="title"] {{ font-size: {Type.TITLE}px; font-weight: 600; }}
QLabel[look="display"] {{ font-size: {Type.DISPLAY}px; font-weight: 600; }}
QLabel[look="good"] {{ color: {p.good}; }}
QLabel[look="warn"] {{ color: {p.warn}; }}
QLabel[look="bad"] {{ color: {p.bad}; }}
QLabel[look="stage"] {{ color: {DARK.text}; }}
QLabel[look="stage-muted"] {{ color: {DARK.muted}; }}
QLabel[look="stage-title"] {{ color: {DARK.text}; font-size: {Type.TITLE}px; font-weight: 600; }}
QLabel[look="stage-emphasis"] {{ color: {DARK.text}; font-size: {Type.EMPHASIS}px; font-weight: 600; }}
QFrame[look="card"] {{ background: {p.surface}; border: {Size.LINE}px solid {p.line}; border-radius: {Radius.CARD}px; }}
QFrame[look="surface"], QWidget[look="surface"] {{ background: {p.surface}; }}
QFrame[look="canvas"], QWidget[look="canvas"] {{ background: {p.canvas}; }}
QFrame[look="line"] {{ background: {p.line}; border: none; }}
QDialog {{ background: {p.surface}; }}
"""


def _buttons(p: Palette) -> str:
    return f"""
QPushButton {{
  min-height: {Size.BUTTON - 2}px; padding: 0 {Space.L}px; border-radius: {Radius.SMALL}px;
  border: {Size.LINE}px solid {p.line}; background: {p.surface}; color: {p.text}; font-weight: 600;
}}
QPushButton:hover {{ background: {p.hover}; }}
QPushButton:pressed, QPushButton:checked {{ background: {p.pressed}; }}
QPushButton:disabled {{ color: {_faded(p.text, p.surface)}; border-color: {_faded(p.line, p.surface)}; }}
QPushButton[kind="primary"] {{ background: {p.accent}; border-color: {p.accent}; color: {p.on_accent}; }}
QPushButton[kind="primary"]:hover {{ background: {p.accent_hover}; border-color: {p.accent_hover}; }}
QPushButton[kind="primary"]:pressed {{ background: {p.accent_pressed}; border-color: {p.accent_pressed}; }}
QPushButton[kind="primary"]:disabled {{
  background: {_faded(p.accent, p.surface)}; border-color: transparent; color: {p.surface};
}}
QPushButton[kind="danger"] {{ background: {p.danger}; border-color: {p.danger}; color: {p.on_danger}; }}
QPushButton[kind="danger"]:hover {{ background: {p.danger_hover}; }}
QPushButton[kind="danger"]:pressed {{ background: {p.danger_pressed}; }}
QPushButton[kind="danger"]:disabled {{
  background: {_faded(p.danger, p.surface)}; border-color: transparent; color: {p.surface};
}}
QPushButton[kind="quiet"] {{ background: transparent; border-color: transparent; color: {p.accent}; }}
QPushButton[kind="quiet"]:hover {{ background: {p.hover}; }}
QPushButton[kind="quiet"]:pressed {{ background: {p.pressed}; }}
QPushButton[kind="quiet"]:disabled {{ color: {_faded(p.accent, p.surface)}; }}
QPushButton[kind="link"] {{ background: transparent; border: none; padding: 0; min-height: {Space.XL}px;
  color: {p.accent}; text-align: left; }}
QPushButton[kind="link"]:hover {{ text-decoration: underline; }}
QPushButton[kind="link"]:disabled {{ color: {_faded(p.accent, p.surface)}; }}
QPushButton[large="true"] {{ min-height: {Size.CALL_BUTTON - 2}px; font-size: {Type.EMPHASIS}px; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QCheckBox, QRadioButton {{ spacing: {Space.S}px; background: transparent; }}
"""


def _fields(p: Palette) -> str:
    fields = "QLineEdit, QPlainTextEdit, QTextEdit, QTextBrowser, QSpinBox, QDoubleSpinBox, QComboBox"
    focused = ", ".join(f"{name.strip()}:focus" for name in fields.split(","))
    disabled = ", ".join(f"{name.strip()}:disabled" for name in fields.split(","))
    return f"""
{fields} {{
  background: {p.surface}; color: {p.text}; border: {Size.LINE}px solid {p.line}; border-radius: {Radius.SMALL}px;
  padding: 0 {Space.S}px; selection-background-color: {p.accent}; selection-color: {p.on_accent};
}}
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ min-height: {Size.FIELD - 2}px; }}
QPlainTextEdit, QTextEdit, QTextBrowser {{ padding: {Space.XS}px; }}
QLineEdit[large="true"] {{
  min-height: {Size.CALL_BUTTON + 2}px; font-size: {Type.EMPHASIS}px; padding: 0 {Space.M}px;
}}
QLineEdit, QPlainTextEdit, QTextEdit {{ placeholder-text-color: {p.muted}; }}
QLineEdit:hover, QComboBox:hover {{ border-color: {p.muted}; }}
{focused} {{ border-color: {p.accent}; }}
QLineEdit[invalid="true"] {{ border-color: {p.bad}; }}
{disabled} {{ color: {_faded(p.text, p.surface)}; }}
QComboBox {{ padding-right: {Space.XL}px; }}
QComboBox::drop-down {{ border: none; width: {Space.XL}px; }}
QComboBox::down-arrow {{ image: none; width: 0; height: 0; }}
QComboBox QAbstractItemView {{
  background: {p.raised}; border: {Size.LINE}px solid {p.line}; padding: {Space.XS}px; outline: none;
  selection-background-color: {p.raised_hover}; selection-color: {p.text};
}}
"""


def _popups(p: Palette) -> str:
    return f"""
QMenu {{ background: {p.raised}; color: {p.text}; border: {Size.LINE}px solid {p.line}; border-radius: {Radius.CARD}px;
  padding: {Space.XS}px; }}
QMenu::item {{ padding: {Space.S}px {Space.XL}px {Space.S}px {Space.S}px; border-radius: {Radius.SMALL}px;
  background: transparent; }}
QMenu::icon {{ padding-left: {Space.S}px; }}
QMenu::item:selected {{ background: {p.raised_hover}; color: {p.text}; }}
QMenu::item:disabled {{ color: {_faded(p.text, p.raised)}; }}
QMenu::separator {{ height: {Size.LINE}px; background: {p.line}; margin: {Space.XS}px {Space.S}px; }}
QToolTip {{ background: {p.raised}; color: {p.text}; border: {Size.LINE}px solid {p.line}; padding: {Space.XS}px; }}
"""


def _lists(p: Palette) -> str:
    return f"""
QAbstractItemView {{ background: {p.surface}; color: {p.text}; border: none; outline: none; }}
QListView::item, QTreeView::item {{ padding: {Space.XS}px {Space.S}px; border-radius: {Radius.SMALL}px; }}
QListView::item:hover, QTreeView::item:hover {{ background: {p.hover}; }}
QListView::item:selected, QTreeView::item:selected {{ background: {p.selected}; color: {p.text}; }}
QHeaderView::section {{ background: {p.surface}; color: {p.muted}; border: none; padding: {Space.XS}px {Space.S}px; }}
QScrollArea {{ background: transparent; border: none; }}
QTabBar::tab {{ padding: {Space.S}px {Space.M}px; color: {p.muted}; border: none; }}
QTabBar::tab:selected {{ color: {p.text}; border-bottom: {Size.FOCUS_WIDTH}px solid {p.accent}; }}
QTabWidget::pane {{ border: none; }}
"""


def _bars(p: Palette) -> str:
    return f"""
QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: {Size.SCROLLBAR}px; }}
QScrollBar:horizontal {{ height: {Size.SCROLLBAR}px; }}
QScrollBar::handle {{ background: {blend(p.muted, p.surface, 0.5)}; border-radius: 3px; margin: 2px; }}
QScrollBar::handle:vertical {{ min-height: {Space.XXL}px; }}
QScrollBar::handle:horizontal {{ min-width: {Space.XXL}px; }}
QScrollBar::handle:hover {{ background: {p.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSlider::groove:horizontal {{ height: 4px; background: {p.line}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {p.accent}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: {Space.L}px; height: {Space.L}px; margin: -6px 0; border-radius: {Space.S}px;
  background: {p.accent}; }}
QSlider::handle:horizontal:hover {{ background: {p.accent_hover}; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{
  background: {_faded(p.accent, p.surface)};
}}
QSlider:horizontal {{ min-height: {Space.XL}px; }}
QProgressBar {{ height: 6px; border: none; border-radius: 3px; background: {p.line}; text-align: center; }}
QProgressBar::chunk {{ background: {p.accent}; border-radius: 3px; }}
QSplitter::handle {{ background: {p.line}; }}
"""
