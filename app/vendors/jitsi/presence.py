"""Our own presence. A MUC keeps only the last one, so each carries everything (jitsi.md 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.disco import caps_element, caps_ver
from app.protocols.xmpp.stanza import presence
from app.protocols.xmpp.xml import el
from app.vendors.jitsi.state import Context
from app.vendors.jitsi.wire import SourceState, build_source_info

BATCH_MS = 100
"""Changes within this time go out in one stanza: servers limit presence to four a second."""


class LocalPresence:
    """Collects what we announce and sends it, batched."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.commands: dict[str, Element] = {}
        self.properties: dict[str, str] = {}
        self.features: set[str] = set()
        self.start_muted: tuple[bool, bool] | None = None
        self._scheduled = False
        self._announced: dict[str, SourceState] = {}

    @property
    def stale(self) -> bool:
        """Whether our mute state has changed since it was last sent."""
        return self._announced != self.source_info()

    def source_info(self) -> dict[str, SourceState]:
        """Mute state of the microphone and camera always; of the screen while it exists."""
        local, ctx = self._ctx.local, self._ctx
        info = {
            ctx.source_name("a"): SourceState(local.microphone_muted),
            ctx.source_name("v"): SourceState(local.camera_muted),
        }
        if local.sharing:
            info[ctx.source_name("v", 1)] = SourceState(False, "desktop")
        return info

    def join(self, password: str | None, *, http_request: bool) -> Element:
        """The first presence, which enters the room."""
        x = el("x", ns.MUC)
        if password:
            x.append(el("password", ns.MUC, text=password))
        if http_request:
            x.append(el("billingid", ns.MUC, text=self._ctx.options.machine_uid))
        return presence(self._ctx.occupant(self._ctx.nick), x, *self._children())

    def update(self, *, once: Iterable[Element] = (), now: bool = False) -> None:
        """Sends all again: at once, or together with other changes within :data:`BATCH_MS`."""
        if not self._ctx.local.joined:
            return
        if now or once:
            self._send(tuple(once))
        elif not self._scheduled:
            self._scheduled = True
            self._ctx.after(BATCH_MS, self._flush)

    def reset(self) -> None:
        self._scheduled = False

    def _flush(self) -> None:
        self._scheduled = False
        if self._ctx.local.joined:
            self._send(())

    def _send(self, once: tuple[Element, ...]) -> None:
        self._ctx.send(presence(self._ctx.occupant(self._ctx.nick), *self._children(), *once))

    def _children(self) -> list[Element]:
        ctx, options = self._ctx, self._ctx.options
        children = []
        if options.stats_id:
            children.append(el("stats-id", ns.CLIENT, text=options.stats_id))
        children.append(caps_element(options.client_node, caps_ver(options.features | self.features)))
        if self.features:
            entries = (el("feature", ns.CLIENT, {"var": f}) for f in sorted(self.features))
            children.append(el("features", ns.CLIENT, None, *entries))
        self._announced = self.source_info()
        children.append(el("SourceInfo", ns.CLIENT, text=build_source_info(self._announced)))
        codecs = ",".join(c.lower() for c in options.video_codecs)
        children.append(el("jitsi_participant_codecList", ns.CLIENT, text=codecs))
        if options.video_codecs:
            children.append(el("jitsi_participant_codecType", ns.CLIENT, text=options.video_codecs[0].lower()))
        if options.region:
            children.append(el("jitsi_participant_region", ns.CLIENT, text=options.region))
        if ctx.local.display_name:
            children.append(el("nick", ns.NICK, text=ctx.local.display_name))
        children += self._person(options.email, options.avatar_url)
        if options.start_silent:
            children.append(el("silent", ns.SILENT))
        if self.start_muted is not None:
            audio, video = (str(v).lower() for v in self.start_muted)
            children.append(el("startmuted", ns.START_MUTED, {"audio": audio, "video": video}))
        children += [el(f"jitsi_participant_{k}", ns.CLIENT, text=v) for k, v in self.properties.items()]
        children += self.commands.values()
        return children

    def _person(self, email: str, avatar_url: str) -> list[Element]:
        values: Mapping[str, str] = {"email": email, "avatar-url": avatar_url}
        return [el(k, ns.CLIENT, text=v) for k, v in values.items() if v and k not in self.commands]
