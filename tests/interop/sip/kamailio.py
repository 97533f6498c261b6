"""The Kamailio of the system's packages as an ordinary process: registrar and proxy for SIP over WebSocket.

The configuration is written for these tests: digest authentication of a list of users, locations in memory, parallel
forking, aliases for contacts behind WebSockets (RFC 7118), loose routing and CANCEL. It listens on one loopback port.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Self

from tests.interop.prosody import free_port

DOMAIN = "pbx.test"
START_TIMEOUT_S = 20.0
"""Kamailio listens within half a second; a loaded machine may need much longer."""
STOP_TIMEOUT_S = 5.0
POLL_S = 0.02
MODULES = (
    *("kex", "corex", "tm", "sl", "rr", "pv", "maxfwd", "textops", "siputils", "xhttp", "websocket", "nathelper"),
    *("usrloc", "registrar", "auth", "htable"),
)
PROGRAMS = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"

CONFIGURATION = """
debug=2
log_stderror=yes
fork=yes
children=1
socket_workers=2
tcp_children=2
listen=tcp:127.0.0.1:{port}
alias="{domain}"
auto_aliases=no
dns=no
rev_dns=no
tcp_accept_no_cl=yes
tcp_connection_lifetime=600
tcp_rd_buf_size=65535
{modules}
modparam("usrloc", "db_mode", 0)
modparam("registrar", "received_avp", "$avp(RECEIVED)")
modparam("registrar", "max_contacts", 10)
modparam("registrar", "max_expires", 600)
modparam("nathelper", "received_avp", "$avp(RECEIVED)")
modparam("htable", "htable", "users=>size=4;")
modparam("rr", "enable_full_lr", 1)
modparam("auth", "qop", "auth")

event_route[htable:mod-init] {{
{users}
}}

event_route[xhttp:request] {{
    set_reply_close();
    set_reply_no_connect();
    if ($hdr(Upgrade) =~ "websocket" && $hdr(Connection) =~ "Upgrade" && $rm == "GET") {{
        if (ws_handle_handshake()) exit;
    }}
    xhttp_reply("404", "Not Found", "", "");
}}

request_route {{
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    force_rport();
    if (is_method("REGISTER")) fix_nated_register();
    else add_contact_alias();
    if (has_totag()) {{
        if (loose_route()) {{
            if ($du == "") handle_ruri_alias();
            if (!t_relay()) sl_reply_error();
        }} else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }} else {{
            sl_send_reply("404", "Not here");
        }}
        exit;
    }}
    t_check_trans();
    if (is_method("ACK")) exit;
    if (is_method("OPTIONS") && uri == myself && $rU == $null) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    if (is_method("REGISTER")) {{
        if (!is_present_hf("Authorization") || !pv_www_authenticate("$td", "$sht(users=>$au)", "0")) {{
            www_challenge("$td", "1");
            exit;
        }}
        if (!save("location")) sl_reply_error();
        exit;
    }}
    if (!is_present_hf("Proxy-Authorization") || !pv_proxy_authenticate("$fd", "$sht(users=>$au)", "0")) {{
        proxy_challenge("$fd", "1");
        exit;
    }}
    consume_credentials();
    remove_hf("Route");
    if (is_method("INVITE")) record_route();
    if (uri != myself && handle_ruri_alias() == 1) {{
        # The very contact of a dialog: where a transferred party is sent with Replaces.
        if (!t_relay()) sl_reply_error();
        exit;
    }}
    if (!lookup("location")) {{
        sl_send_reply("404", "Not Found");
        exit;
    }}
    if (!t_relay()) sl_reply_error();
}}

onreply_route {{
    if (status =~ "[12][0-9][0-9]") add_contact_alias();
}}
"""


def _modules() -> Path | None:
    places = [*Path("/usr/lib").glob("*/kamailio/modules"), Path("/usr/lib/kamailio/modules")]
    return next((place for place in places if (place / "websocket.so").exists()), None)


class KamailioMissing(Exception):
    """Kamailio is not installed or does not start; the text says what to do or what it said."""


class Kamailio:
    """A running server for *users* (name to password) of :data:`DOMAIN`."""

    def __init__(self, folder: Path, users: dict[str, str]) -> None:
        self._folder = folder
        self._users = users
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._log = folder / "kamailio.log"

    def url(self, port: int | None = None) -> str:
        """Of the WebSocket; *port* when the way there leads through a wire that can be cut."""
        return f"ws://127.0.0.1:{port or self.port}/ws"

    async def __aenter__(self) -> Self:
        program, place = shutil.which("kamailio", path=PROGRAMS), _modules()
        if program is None or place is None:
            raise KamailioMissing(
                "not installed; as an administrator: apt-get install kamailio kamailio-websocket-modules"
            )
        users = "\n".join(f'    $sht(users=>{name}) = "{password}";' for name, password in self._users.items())
        modules = f'mpath="{place}/"\n' + "\n".join(f'loadmodule "{name}.so"' for name in MODULES)
        configuration = self._folder / "kamailio.cfg"
        configuration.write_text(
            CONFIGURATION.format(port=self.port, domain=DOMAIN, modules=modules, users=users), encoding="utf-8"
        )
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(program, "-DD", "-E", "-f", str(configuration), "-Y", str(self._folder), "-m", "32", "-M", "8"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self._until_listening(self._process)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _until_listening(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while True:
                    if process.returncode is not None:
                        raise KamailioMissing(f"it ended with {process.returncode}: {self.log()}")
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    except OSError:
                        await asyncio.sleep(POLL_S)
                        continue
                    writer.close()
                    return
        except TimeoutError as error:
            raise KamailioMissing(f"it does not listen: {self.log()}") from error

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-4000:] if self._log.exists() else "(no log)"
