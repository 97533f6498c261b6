"""The arguments of ``parley``."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__
from app.logs import LEVELS

PASSWORD_VARIABLE = "PARLEY_PASSWORD"
TOKEN_VARIABLE = "PARLEY_JWT"
MAX_DURATION_S = 7 * 24 * 3600
"""A week; longer is a typing mistake."""
MAX_BOTS = 49
MAX_SECRET = 10_000
"""Characters read from standard input as a password."""

_SECRETS = f"""\
Passwords and tokens on a command line can be read by other users of this computer. Give "-" to be asked (or to have
the first line of standard input taken), or set {PASSWORD_VARIABLE} or {TOKEN_VARIABLE}.
"""
_SOURCES = """\
SOURCE is the name of a device, "test" (a moving test card with a machine-readable stamp; a tone) or "none".
Without --headless the devices chosen in the settings are used; with it, "test".
"""
_CODES = "Exit codes: 0 good, 2 bad usage, 3 could not join, 4 media never came."


def build() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--log-level",
        choices=[name.lower() for name in LEVELS],
        default=argparse.SUPPRESS,
        help="how much is written to the log (and, with this option, to standard error)",
    )
    parser = argparse.ArgumentParser(
        prog="parley", description="Video meetings in one window.", parents=[common], epilog=_CODES
    )
    parser.add_argument("--version", action="version", version=f"Parley {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, help: str, epilog: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=help,
            description=help,
            epilog=epilog,
            parents=[common],
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    join = command("join", "open the window on a meeting, or join it without one", f"{_SOURCES}\n{_SECRETS}\n{_CODES}")
    join.add_argument("url", metavar="URL", help="link of a meeting, or a room name")
    _add_meeting_options(join)
    demo = command(
        "demo", "a local meeting with synthetic participants, or a local phone system", f"{_SOURCES}\n{_CODES}"
    )
    demo.add_argument("--vendor", choices=["jitsi", "wazo"], default="jitsi", help="whose kind of meeting or phone")
    _add_meeting_options(demo)
    sandbox = command("sandbox", "run a local stand-in server until Ctrl-C")
    sandbox.add_argument("vendor", choices=["jitsi", "wazo"])
    sandbox.add_argument("--port", type=_port, default=0, help="TCP port on loopback; 0 takes a free one")
    sandbox.add_argument("--bots", type=_bots, default=3, help="how many synthetic participants (default 3)")
    sandbox.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    command("doctor", "check what Parley needs on this computer")
    return parser


def _add_meeting_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="your name in the meeting")
    parser.add_argument("--headless", action="store_true", help="no window; joins, sends and receives all the same")
    parser.add_argument("--duration", type=_duration, metavar="S", help="leave after so many seconds in the meeting")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a report as JSON")
    parser.add_argument("--video", metavar="SOURCE", help="what to send as picture")
    parser.add_argument("--audio", metavar="SOURCE", help="what to send as sound")
    parser.add_argument("--record", type=Path, metavar="FILE", help="record the meeting into a Matroska file")
    parser.add_argument("--password", metavar="P", help='password of the meeting; "-" asks for it')
    parser.add_argument("--jwt", metavar="T", help='token for the meeting; "-" asks for it')
    parser.add_argument("--screenshot", type=Path, help=argparse.SUPPRESS)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parsed and checked arguments; ends the process with 2 and a sentence when they do not fit."""
    parser = build()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and "/" in given[0] and not given[0].startswith("-"):
        # A link that was clicked: the system starts programs with nothing but the link.
        given.insert(0, "join")
    options = parser.parse_args(given)
    if not hasattr(options, "log_level"):
        options.log_level = None
    if options.command in ("join", "demo"):
        _check_meeting(parser, options)
    return options


def _check_meeting(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    for name in ("report", "record", "screenshot"):
        path: Path | None = getattr(options, name)
        if path is not None and not path.resolve().parent.is_dir():
            parser.error(f"the folder for --{name} does not exist: {path.resolve().parent}")
        if path is not None and path.is_dir():
            parser.error(f"--{name} needs the name of a file, not of a folder: {path}")
    if options.screenshot is not None and options.headless:
        parser.error("without a window there is nothing to take a picture of")
    options.password = _secret(options.password, PASSWORD_VARIABLE, "Password of the meeting: ")
    options.jwt = _secret(options.jwt, TOKEN_VARIABLE, "Token for the meeting: ")


def _secret(given: str | None, variable: str, prompt: str) -> str | None:
    if given is None:
        return os.environ.get(variable) or None
    if given != "-":
        return given
    if sys.stdin.isatty():
        return getpass.getpass(prompt)[:MAX_SECRET]
    return sys.stdin.readline(MAX_SECRET).rstrip("\r\n")


def _number(text: str, kind: str, lowest: float, highest: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{kind} must be a number, not {text!r}") from None
    if not lowest <= value <= highest:
        raise argparse.ArgumentTypeError(f"{kind} must be between {lowest:g} and {highest:g}")
    return value


def _duration(text: str) -> float:
    return _number(text, "the duration", 0.1, MAX_DURATION_S)


def _port(text: str) -> int:
    return int(_number(text, "the port", 0, 65_535))


def _bots(text: str) -> int:
    return int(_number(text, "the number of bots", 0, MAX_BOTS))
