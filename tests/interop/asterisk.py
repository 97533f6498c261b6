"""Checks of our phone against a real Asterisk, by name: ``python -m tests.interop.asterisk`` as root, on Debian.

Debian's bootstrap program makes a small Debian sid with Asterisk's package in a cache folder once (about 500 MB). Then
everything runs in a network namespace of its own in which only the loopback device exists, with a second address for
media, because neither Asterisk nor an ICE agent offers 127.0.0.1. Needs a network only for the first run.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from app.calls import actions as ac
from app.calls import events as ev
from app.calls import phone as ph
from app.protocols.sip import events as sip
from app.protocols.sip.core import METHODS
from tests.interop.sip.browser import cache
from tests.interop.sip.phone import Call, Phone

MEDIA_ADDRESS = "10.99.0.1"
"""Exists in the namespace only."""
PORT = 5039
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
CHECK_TIMEOUT_S = 90.0
REFRESH_TIMEOUT_S = 75.0
"""The server refreshes after half of the 90 s, which are the least that RFC 4028 allows."""
DOMAIN = "pbx.test"
WITHOUT_UPDATE = tuple(method for method in METHODS if method != "UPDATE")
"""As the official client, whose sessions are refreshed by re-INVITE."""
PEOPLE = {"alice": ("1001", 440.0), "bob": ("1002", 1000.0), "carol": ("1003", 2000.0), "dave": ("1004", 700.0)}
PEOPLE["erin"] = ("1005", 850.0)
MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_http_websocket res_crypto res_srtp res_rtp_asterisk
res_timing_timerfd res_pjproject res_pjsip res_pjsip_session res_pjsip_sdp_rtp res_pjsip_authenticator_digest
res_pjsip_endpoint_identifier_user res_pjsip_registrar res_pjsip_transport_websocket res_pjsip_nat res_pjsip_logger
res_pjsip_caller_id res_pjsip_rfc3326 res_pjsip_dtmf_info res_pjsip_messaging res_pjsip_pubsub res_pjsip_refer
res_pjsip_header_funcs res_pjsip_path res_pjsip_diversion res_format_attr_opus res_format_attr_h264 res_format_attr_vp8
chan_pjsip chan_bridge_media bridge_simple bridge_softmix bridge_native_rtp bridge_holding bridge_builtin_features
codec_ulaw codec_alaw codec_a_mu codec_g722 codec_resample codec_opus_open_source format_pcm format_wav format_sln
pbx_config app_dial app_echo app_playback app_confbridge app_verbose app_stack app_read app_senddtmf func_callerid
func_channel func_logic func_strings func_dialplan
"""
EMPTY = (
    *(
        "sorcery",
        "pjproject",
        "stasis",
        "features",
        "musiconhold",
        "cdr",
        "cel",
        "acl",
        "codecs",
        "udptl",
        "indications",
    ),
)
FILES = {
    "manager.conf": "[general]\nenabled = no\n",
    "http.conf": f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {PORT}\nsessionlimit = 100\n",
    "rtp.conf": "[general]\nrtpstart = 20000\nrtpend = 20400\nicesupport = yes\nstrictrtp = yes\n",
    "logger.conf": "[logfiles]\nmessages = notice,warning,error\n",
    "extensions.conf": """
[lab]
exten => 600,1,Answer()
 same => n,Echo()
exten => 601,1,Progress()
 same => n,Wait(2)
 same => n,Answer()
 same => n,Echo()
exten => 602,1,Busy(5)
exten => 603,1,Hangup(21)
exten => 620,1,Answer()
 same => n,Read(KEYS,,3,,1,10)
 same => n,SendDTMF(${KEYS},250,200)
 same => n,Wait(5)
 same => n,Hangup()
exten => 700,1,Answer()
 same => n,Set(CONFBRIDGE(bridge,template)=lab-bridge)
 same => n,Set(CONFBRIDGE(user,template)=lab-user)
 same => n,ConfBridge(lab-room)
exten => 1001,1,Dial(PJSIP/alice,30)
 same => n,Hangup(${HANGUPCAUSE})
exten => 1002,1,Dial(PJSIP/bob,30)
 same => n,Hangup(${HANGUPCAUSE})
exten => 1003,1,Dial(PJSIP/carol,30)
 same => n,Hangup(${HANGUPCAUSE})
exten => 1004,1,Dial(PJSIP/dave,30)
 same => n,Hangup(${HANGUPCAUSE})
exten => 1005,1,Dial(PJSIP/erin,30)
 same => n,Hangup(${HANGUPCAUSE})
""",
    "confbridge.conf": """
[general]
[lab-bridge]
type = bridge
max_members = 25
video_mode = sfu
enable_events = yes
remb_send_interval = 1000
remb_behavior = lowest_all
[lab-user]
type = user
quiet = yes
dsp_drop_silence = yes
talk_detection_events = yes
send_events = yes
echo_events = yes
""",
}
PJSIP = f"""
[global]
type = global
user_agent = lab
[transport-ws]
type = transport
protocol = ws
bind = 127.0.0.1
[phone](!)
type = endpoint
context = lab
transport = transport-ws
webrtc = yes
dtls_auto_generate_cert = yes
disallow = all
allow = opus,g722,alaw,ulaw,vp8,h264
max_audio_streams = 1
max_video_streams = 25
direct_media = no
dtmf_mode = rfc4733
timers = always
timers_sess_expires = 90
timers_min_se = 90
media_address = {MEDIA_ADDRESS}
bind_rtp_to_media_address = yes
[aor](!)
type = aor
max_contacts = 10
remove_existing = no
minimum_expiration = 60
maximum_expiration = 3600
qualify_frequency = 60
[auth](!)
type = auth
auth_type = userpass
"""


# ---------------------------------------------------------------- a Debian with Asterisk


def bootstrap() -> Path:
    """The folder of the small Debian; made when it is not there yet."""
    root = cache() / "asterisk"
    ready = root / ".ready"
    if ready.exists():
        return root
    if os.geteuid() != 0:
        raise SystemExit("making a small Debian with Asterisk needs root")
    program = shutil.which("debootstrap", path="/usr/sbin:/usr/bin")
    if program is None:
        raise SystemExit("debootstrap is not installed: apt-get install debootstrap")
    root.parent.mkdir(parents=True, exist_ok=True)
    if not (root / "etc" / "debian_version").exists():
        subprocess.run([program, "--variant=minbase", "sid", str(root)], check=True)
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        "apt-get -o Acquire::Check-Valid-Until=false update -q",
        "apt-get install -q -y --no-install-recommends asterisk asterisk-modules",
    ):
        subprocess.run(["chroot", str(root), *command.split()], check=True, env=environment)
    ready.touch()
    return root


class Asterisk:
    """A running server inside *root*, configured for these checks."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: asyncio.subprocess.Process | None = None
        self.inside = f"/parley-{os.getpid()}"
        self.folder = root / self.inside[1:]

    def _write(self) -> None:
        places = {"astetcdir": "etc", "astdbdir": "db", "astkeydir": "keys", "astdatadir": "data", "astagidir": "agi"}
        places |= {"astspooldir": "spool", "astrundir": "run", "astlogdir": "log", "astvarlibdir": "data"}
        for name in {*places.values()}:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "data" / "documentation").symlink_to("/usr/share/asterisk/documentation")
        modules = next((self._root / "usr/lib").glob("*/asterisk/modules"))
        lines = [f"{key} => {self.inside}/{name}" for key, name in places.items()]
        lines.append(f"astmoddir => /{modules.relative_to(self._root)}")
        etc = self.folder / "etc"
        (etc / "asterisk.conf").write_text(
            "[directories]\n" + "\n".join(lines) + "\n[options]\nlive_dangerously = no\n"
        )
        loads = "".join(f"load = {name}.so\n" for name in MODULES.split())
        (etc / "modules.conf").write_text(f"[modules]\nautoload = no\n{loads}")
        text = PJSIP
        for name, (number, _) in PEOPLE.items():
            text += f'[{name}](phone)\nauth = {name}\naors = {name}\ncallerid = "{name.capitalize()}" <{number}>\n'
            text += f"[{name}](aor)\n[{name}](auth)\nusername = {name}\npassword = {name}-secret\n"
        (etc / "pjsip.conf").write_text(text)
        for name, content in (*FILES.items(), *((f"{empty}.conf", "") for empty in EMPTY)):
            (etc / name).write_text(content)

    async def __aenter__(self) -> Asterisk:
        self._write()
        self._process = await asyncio.create_subprocess_exec(
            *("chroot", str(self._root), "asterisk", "-C", f"{self.inside}/etc/asterisk.conf", "-f"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                if self._process.returncode is not None:
                    raise SystemExit(f"Asterisk ended: {self.log()}")
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", PORT)
                    writer.close()
                    if "System has been fully booted" not in await self.tell("core waitfullybooted"):
                        await asyncio.sleep(0.1)
                    return self
                await asyncio.sleep(0.1)

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def tell(self, command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *("chroot", str(self._root), "asterisk", "-C", f"{self.inside}/etc/asterisk.conf", "-rx", command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return output.decode(errors="replace").strip()

    def log(self) -> str:
        path = self.folder / "log" / "messages"
        return path.read_text(errors="replace")[-4000:] if path.exists() else "(no log)"


# ---------------------------------------------------------------- checks


def phone(name: str, password: str = "", **options: Any) -> Phone:
    number, tone = PEOPLE[name]
    url = f"ws://127.0.0.1:{PORT}/ws"
    return Phone(url, name, password or f"{name}-secret", domain=DOMAIN, tone_hz=tone, addresses=None, **options)


async def talk(caller: Phone, callee: Phone, *, video: bool = False) -> tuple[Call, Call]:
    out = await caller.call(PEOPLE[callee.name][0], video=video)
    into = await callee.ringing()
    await into.answer(video=video)
    await out.until_active()
    await caller.until(lambda: caller.hears(callee.tone_hz))
    await callee.until(lambda: callee.hears(caller.tone_hz))
    return out, into


async def hang_up(call: Call, *others: Call) -> None:
    await call.perform(ac.Leave())
    for one in (call, *others):
        assert await one.until_over() == "normal", one.info


async def check_registration() -> str:
    wrong = phone("alice", "wrong")
    try:
        await wrong.__aenter__()
    except AssertionError as refusal:
        assert "sip_credentials" in str(refusal), refusal
    else:
        raise AssertionError("the wrong password was taken")
    async with phone("alice") as alice:
        alice.phone.do(lambda a, now: a.register(now))
        key = alice.phone.do(lambda a, now: a.options(now))
        await alice.until(lambda: any(isinstance(e, sip.RequestAnswered) and e.id == key for e in alice.sip))
        assert alice.phone.registered
    return "wrong password refused; registered, again, OPTIONS answered, unregistered"


async def check_echo() -> str:
    async with phone("alice") as alice:
        started = time.monotonic()
        call = await alice.call("600", video=True)
        await call.until_active()
        await alice.until(lambda: alice.hears(alice.tone_hz))
        heard = time.monotonic() - started
        await call.sees(15)
        stamps = call.stamps()
        ages = sorted(stamp.age_ms(at) for stamp, at in stamps[-10:])
        await call.perform(ph.SetHold(True))
        await alice.until(alice.silent)
        before = len(call.stamps())
        await asyncio.sleep(1.0)
        assert len(call.stamps()) - before <= 2, "pictures while on hold"
        await call.perform(ph.SetHold(False))
        await alice.until(lambda: alice.hears(alice.tone_hz))
        await call.sees(5)
        await hang_up(call)
    age = ages[len(ages) // 2]
    return f"own tone {heard:.1f} s after dialling, own stamps {age:.0f} ms old; silent on hold, back after"


async def check_refusals() -> str:
    async with phone("alice") as alice:
        found = [await (await alice.call(number)).until_over() for number in ("602", "603", "999")]
        early = await alice.call("601")
        await early.until(lambda: early.info.early_media)
        await early.until_active()
        await hang_up(early)
    assert found == ["busy", "declined", "not_found"], found
    return "busy, declined, not found; early media (183) becomes a call"


async def check_keys() -> str:
    async with phone("alice") as alice:
        for way in ("rfc4733", "info"):
            alice.keys.clear()
            call = await alice.call("620")
            await call.until_active()
            await alice.until(lambda: alice.silent())
            if way == "rfc4733":
                await call.perform(ac.SendDtmf("47#"[:2] + "1", 150, 100))
            else:
                for key in "471":
                    alice.phone.do(lambda a, now, key=key, call=call: a.dtmf(call.session.sip_key, key, now))
            await alice.until(lambda: "".join(alice.keys) == "471")
            await hang_up(call)
    return "three keys by RFC 4733 and by INFO, read by the dialplan and sent back as telephone events"


async def check_call_of_two() -> str:
    async with phone("alice") as alice, phone("bob") as bob:
        out, into = await talk(alice, bob, video=True)
        assert into.info.remote_number == "1001" and into.info.remote_name == "Alice", into.info
        await asyncio.gather(out.sees(of="bob"), into.sees(of="alice"))
        await into.perform(ph.SetHold(True))
        await bob.until(bob.silent)
        await into.perform(ph.SetHold(False))
        await bob.until(lambda: bob.hears(alice.tone_hz))
        await out.perform(ac.SendMessage("hello"))
        await into.until(lambda: [e.message.text for e in into.of(ev.MessageReceived)] == ["hello"])
        await hang_up(into, out)
        late, ringing = await alice.call("1002"), await bob.ringing()
        await late.perform(ac.Leave())
        assert await ringing.until_over() == "cancelled"
        await late.until_over()
        busy, ringing = await alice.call("1002"), await bob.ringing()
        await ringing.perform(ph.Decline())
        cause = await busy.until_over()
        # The dialplan hangs up with the cause that the dialled phone's refusal was mapped to.
        assert cause in ("declined", "busy"), busy.info
    return "sound and picture both ways, caller's name, hold, MESSAGE relayed, cancel, decline"


async def check_upgrade() -> str:
    async with phone("alice") as alice, phone("bob") as bob:
        out, into = await talk(alice, bob)
        await out.perform(ph.SetVideo(True))
        await into.until(lambda: into.videos())
        await into.sees(of="alice")
        await out.perform(ph.SetVideo(False))
        await into.until(lambda: not into.videos())
        await alice.until(lambda: alice.hears(bob.tone_hz))
        await hang_up(out, into)
    return "video added to a call of sound, its stamps at the other end, and taken away"


async def check_blind_transfer() -> str:
    async with phone("alice") as alice, phone("bob") as bob, phone("carol") as carol:
        out, into = await talk(alice, bob)
        moving = asyncio.create_task(out.perform(ph.TransferTo("1003")))
        final = await carol.ringing()
        await final.answer()
        await moving
        assert await out.until_over() == "normal"
        await bob.until(lambda: bob.hears(carol.tone_hz) and not bob.hears(alice.tone_hz))
        await carol.until(lambda: carol.hears(bob.tone_hz))
        await hang_up(into, final)
    return "REFER: bob and carol hear each other, alice is out"


async def check_attended_transfer() -> str:
    async with phone("alice") as alice, phone("bob") as bob, phone("carol") as carol:
        out, into = await talk(alice, bob)
        await out.perform(ph.SetHold(True))
        consult, final = await talk(alice, carol)
        await out.perform(ph.TransferTo(call_id=consult.session.call_id))
        assert [await one.until_over() for one in (out, consult)] == ["normal", "normal"]
        await bob.until(lambda: bob.hears(carol.tone_hz) and not bob.hears(alice.tone_hz))
        await carol.until(lambda: carol.hears(bob.tone_hz) and not carol.hears(alice.tone_hz))
        await hang_up(into, final)
    return "REFER with Replaces: bob and carol hear each other, alice is out"


async def _sees_exactly(call: Call, others: set[str]) -> None:
    """The pictures of *others*, each under the name that the roster has for its label."""
    await call.until(lambda: len(call.videos()) == len(others) and _roster(call) == {o.capitalize() for o in others})
    members = call.session.roster.members  # type: ignore[attr-defined]
    for name, source in call.videos().items():
        await call.sees(4, name, of=members[source.participant_id].name.lower())


def _roster(call: Call) -> set[str]:
    room = call.session.roster  # type: ignore[attr-defined]
    return {member.name for member in room.members.values()}


async def check_room() -> str:
    names = ("alice", "bob", "carol")
    async with contextlib.AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(phone(name)) for name in names]
        calls = [await one.call("700", video=True, room=True) for one in phones]
        for call in calls:
            await call.until_active()
        for call, own in zip(calls, names, strict=True):
            await _sees_exactly(call, {*names} - {own})
        for one in phones:
            others_hz = [other.tone_hz for other in phones if other is not one]
            await one.until(lambda one=one, hz=others_hz: all(one.hears(each) for each in hz))
        await calls[0].perform(ac.SendMessage("to all"))
        for call in calls[1:]:
            await call.until(lambda call=call: "to all" in [e.message.text for e in call.of(ev.MessageReceived)])
        lines = len(calls[0].session.media.negotiation.lines)  # type: ignore[union-attr]
        await calls[2].perform(ac.Leave())
        await calls[2].until_over()
        await _sees_exactly(calls[0], {"bob"})
        await _sees_exactly(calls[1], {"alice"})
        again = await phones[2].call("700", video=True, room=True)
        await again.until_active()
        calls[2] = again
        for call, own in zip(calls, names, strict=True):
            await _sees_exactly(call, {*names} - {own})
        assert len(calls[0].session.media.negotiation.lines) == lines, "the line was not used again"  # type: ignore[union-attr]
        for call in calls:
            await call.perform(ac.Leave())
            await call.until_over()
    return f"three members: names, each picture by its label, sound, chat; left and came back, still {lines} lines"


class LongCall:
    """An echo that goes on beside the other checks, until the server has refreshed the session (RFC 4028)."""

    def __init__(self, name: str, **config: Any) -> None:
        self.phone = phone(name, config=config)
        self.requests: list[str] = []
        """Methods of what came from the server."""
        receive = self.phone.phone.agent.receive

        def note(data: str | bytes, now: float) -> list[sip.Event]:
            self.requests.append(str(data).partition(" ")[0])
            return receive(data, now)

        self.phone.phone.agent.receive = note  # type: ignore[method-assign]

    async def start(self) -> None:
        self.call = await self.phone.call("600")
        await self.call.until_active()

    async def refreshed(self, method: str) -> str:
        one, call = self.phone, self.call
        await one.until(lambda: method in self.requests, REFRESH_TIMEOUT_S)
        await asyncio.sleep(0.5)
        assert not call.over, call.info
        one.ear._blocks.clear()
        await one.until(lambda: one.hears(one.tone_hz))
        await hang_up(call)
        return f"the server's {method} was answered and the echo goes on"


CHECKS: dict[str, Callable[[], Awaitable[str]]] = {
    "registration": check_registration,
    "echo": check_echo,
    "refusals": check_refusals,
    "keys": check_keys,
    "two": check_call_of_two,
    "upgrade": check_upgrade,
    "blind": check_blind_transfer,
    "attended": check_attended_transfer,
    "room": check_room,
}


async def run(root: Path, wanted: list[str]) -> int:
    failed = 0

    async def one(name: str, work: Awaitable[str]) -> None:
        nonlocal failed
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                print(f"pass  {name}: {await work}", flush=True)
        except Exception as error:
            # Whatever goes wrong in one check must not hide the results of the others.
            failed += 1
            import traceback

            traceback.print_exc()
            print(f"FAIL  {name}: {type(error).__name__}: {error}", flush=True)

    async with Asterisk(root) as server:
        print(await server.tell("core show version"), flush=True)
        long = {"UPDATE": LongCall("dave"), "INVITE": LongCall("erin", allow=WITHOUT_UPDATE)}
        async with contextlib.AsyncExitStack() as stack:
            refresh = not wanted or "refresh" in wanted
            if refresh:
                for one_call in long.values():
                    await stack.enter_async_context(one_call.phone)
                    await one_call.start()
            for name, check in CHECKS.items():
                if not wanted or name in wanted:
                    await one(name, check())
            if refresh:
                for method, one_call in long.items():
                    await one(f"refresh by {method}", one_call.refreshed(method))
        if failed:
            print(server.log())
    return 1 if failed else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--inside", default="", help=argparse.SUPPRESS)
    parser.add_argument("checks", nargs="*", help=f"default: all of {', '.join(CHECKS)}, refresh")
    options = parser.parse_args()
    if not options.inside:
        root = bootstrap()
        command = [sys.executable, "-m", "tests.interop.asterisk", "--inside", str(root), *options.checks]
        return subprocess.run(["unshare", "--net", *command], check=False).returncode
    for command in (("link", "set", "lo", "up"), ("addr", "add", f"{MEDIA_ADDRESS}/32", "dev", "lo")):
        subprocess.run(["ip", *command], check=True)
    return asyncio.run(run(Path(options.inside), options.checks))


if __name__ == "__main__":
    sys.exit(main())
