from __future__ import annotations

import io
from pathlib import Path

import pytest

from app import __version__
from app.__main__ import main
from app.cli import parser


@pytest.mark.parametrize(
    "arguments",
    [
        ["join"],
        ["sing"],
        ["join", "room", "--duration", "soon"],
        ["join", "room", "--duration", "-1"],
        ["join", "room", "--duration", "nan"],
        ["join", "room", "--report", "/nowhere/at/all/r.json"],
        ["join", "room", "--report", "/tmp"],
        ["join", "room", "--headless", "--screenshot", "x.png"],
        ["demo", "--vendor", "acme"],
        ["sandbox", "acme"],
        ["sandbox", "jitsi", "--port", "70000"],
        ["sandbox", "jitsi", "--bots", "1000"],
        ["--log-level", "loud"],
    ],
)
def test_bad_usage_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"Parley {__version__}\n"


def test_the_log_level_may_stand_before_or_after_the_command() -> None:
    assert parser.parse(["--log-level", "debug", "join", "room"]).log_level == "debug"
    assert parser.parse(["join", "room", "--log-level", "debug"]).log_level == "debug"
    assert parser.parse(["join", "room"]).log_level is None
    assert parser.parse([]).command is None


def test_all_options_of_join(tmp_path: Path) -> None:
    options = parser.parse(
        ["join", "https://host/room", "--name", "N", "--headless", "--duration", "2.5", "--report"]
        + [str(tmp_path / "r.json"), "--video", "test", "--audio", "none", "--record", str(tmp_path / "m.mkv")]
        + ["--password", "p", "--jwt", "t"]
    )
    assert (options.url, options.name, options.headless, options.duration) == ("https://host/room", "N", True, 2.5)
    assert (options.video, options.audio, options.password, options.jwt) == ("test", "none", "p", "t")


def test_secrets_need_not_stand_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_JWT", "from the environment")
    monkeypatch.setattr("sys.stdin", io.StringIO("from standard input\nrest\n"))
    options = parser.parse(["join", "room", "--password", "-"])
    assert (options.password, options.jwt) == ("from standard input", "from the environment")


def test_a_clicked_link_needs_no_command() -> None:
    options = parser.parse(["jitsi-meet://host/room"])
    assert (options.command, options.url) == ("join", "jitsi-meet://host/room")
