"""What to say when a device cannot be used, and what the button beside it offers."""

from __future__ import annotations

from app.media.api import InputFailed, InputLimited
from ui import i18n


def missing_sentence(kind: str) -> str:
    """For a kind of device of which there is none (``audioinput``, ``audiooutput``, ``videoinput``)."""
    return {
        "audioinput": i18n.translate("Devices", "No microphone found. Plug one in, or join to listen."),
        "audiooutput": i18n.translate(
            "Devices", "No loudspeaker or headphones found. Plug some in to hear the meeting."
        ),
        "videoinput": i18n.translate("Devices", "No camera found. Others will see your initials."),
    }[kind]


def failure_sentence(event: InputFailed) -> str:
    """One sentence for a device that could not be opened or went away."""
    what = {
        "microphone": i18n.translate("Devices", "microphone"),
        "camera": i18n.translate("Devices", "camera"),
        "screen": i18n.translate("Devices", "screen"),
        "speaker": i18n.translate("Devices", "speaker"),
    }.get(event.what, event.what)
    sentences = {
        "not_found": i18n.translate(
            "Devices", "The {what} is not there any more. Plug it in again or choose another one."
        ),
        "permission_denied": i18n.translate(
            "Devices", "Parley may not use the {what}. Allow it in the system's privacy settings, then try again."
        ),
        "busy": i18n.translate("Devices", "Another program uses the {what}. Close it, then try again."),
        "unsupported_resolution": i18n.translate(
            "Devices", "The {what} does not offer the chosen picture size. Choose another size in the settings."
        ),
        "constraint_failed": i18n.translate(
            "Devices", "The {what} cannot do what the settings ask of it. Change them, then try again."
        ),
        "cancelled": i18n.translate("Devices", "The {what} was not started."),
    }
    general = i18n.translate("Devices", "The {what} did not start. Try again or choose another one.")
    return sentences.get(event.code, general).format(what=what)


def limit_sentence(event: InputLimited) -> str:
    """One sentence for a camera that gives less than the settings ask for."""
    if event.code == "constraint_failed":
        words = i18n.translate(
            "Devices", "The camera gives {fps} pictures a second, fewer than the minimum frame rate of the settings."
        )
        return words.format(fps=round(event.fps))
    words = i18n.translate("Devices", "The camera gives {width} × {height} at most, less than the settings ask for.")
    return words.format(width=event.width, height=event.height)


def slow_sentence(what: str) -> str:
    """For a device that takes unusually long to open."""
    if what == "camera":
        return i18n.translate("Devices", "The camera is still starting…")
    return i18n.translate("Devices", "The device is still starting…")
