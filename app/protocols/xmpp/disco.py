"""Service discovery (XEP-0030), entity capabilities (XEP-0115) and external services (XEP-0215)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from app.protocols.xmpp import ns
from app.protocols.xmpp.dataforms import parse_form
from app.protocols.xmpp.xml import el, find, find_all

MAX_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class Identity:
    category: str
    type: str
    name: str = ""
    lang: str = ""


@dataclass(frozen=True, slots=True)
class DiscoInfo:
    identities: tuple[Identity, ...] = ()
    features: frozenset[str] = frozenset()
    form: dict[str, tuple[str, ...]] = field(default_factory=dict)
    node: str = ""


@dataclass(frozen=True, slots=True)
class ExternalService:
    """A STUN or TURN server or another service outside XMPP (XEP-0215)."""

    type: str
    host: str
    port: int
    transport: str = "udp"
    username: str = ""
    password: str = field(default="", repr=False)
    restricted: bool = False


def caps_ver(features: Iterable[str], identities: Iterable[Identity] = ()) -> str:
    """The verification string of XEP-0115 section 5.1 with SHA-1, for entities without extended forms."""
    parts = sorted(f"{i.category}/{i.type}/{i.lang}/{i.name}<" for i in identities)
    parts += [f + "<" for f in sorted(set(features))]
    return base64.b64encode(hashlib.sha1("".join(parts).encode(), usedforsecurity=False).digest()).decode()


def caps_element(node: str, ver: str) -> Element:
    return el("c", ns.CAPS, {"hash": "sha-1", "node": node, "ver": ver})


def info_query(node: str | None = None) -> Element:
    return el("query", ns.DISCO_INFO, {"node": node})


def info_result(
    features: Iterable[str], identities: Iterable[Identity] = (), node: str | None = None, form: Element | None = None
) -> Element:
    query = el("query", ns.DISCO_INFO, {"node": node})
    for i in identities:
        attributes = {"category": i.category, "type": i.type, "name": i.name or None}
        query.append(el("identity", ns.DISCO_INFO, attributes))
    query.extend(el("feature", ns.DISCO_INFO, {"var": f}) for f in sorted(set(features)))
    if form is not None:
        query.append(form)
    return query


def parse_info(parent: Element) -> DiscoInfo | None:
    """The ``disco#info`` query inside a stanza; ``None`` without one."""
    query = find(parent, "query", ns.DISCO_INFO)
    if query is None:
        return None
    identities = tuple(
        Identity(i.get("category", ""), i.get("type", ""), i.get("name", ""), i.get(f"{{{ns.XML}}}lang", ""))
        for i in find_all(query, "identity")
    )
    features = frozenset(f.get("var", "") for f in find_all(query, "feature"))
    if len(features) > MAX_ENTRIES or len(identities) > MAX_ENTRIES:
        return DiscoInfo()
    return DiscoInfo(identities, features, parse_form(query), query.get("node", ""))


def services_query(version: int = 2) -> Element:
    return el("services", ns.EXTDISCO2 if version == 2 else ns.EXTDISCO1)


def services_result(services: Iterable[ExternalService], version: int = 2) -> Element:
    namespace = ns.EXTDISCO2 if version == 2 else ns.EXTDISCO1
    result = el("services", namespace)
    for s in services:
        attributes = {
            "type": s.type,
            "host": s.host,
            "port": s.port,
            "transport": s.transport,
            "username": s.username or None,
            "password": s.password or None,
            "restricted": "1" if s.restricted else None,
        }
        result.append(el("service", namespace, attributes))
    return result


def parse_services(parent: Element) -> tuple[ExternalService, ...] | None:
    """The ``<services>`` of either version inside a stanza; ``None`` without them."""
    services = find(parent, "services", ns.EXTDISCO2)
    if services is None:
        services = find(parent, "services", ns.EXTDISCO1)
    if services is None:
        return None
    found: list[ExternalService] = []
    for s in find_all(services, "service"):
        default_port = 5349 if s.get("type") in ("turns", "stuns") else 3478
        try:
            port = int(s.get("port") or default_port)
        except ValueError:
            continue
        host = s.get("host", "")
        if not host or not 0 < port < 65536 or len(found) >= MAX_ENTRIES:
            continue
        found.append(
            ExternalService(
                s.get("type", ""),
                host,
                port,
                s.get("transport") or "udp",
                s.get("username", ""),
                s.get("password", ""),
                s.get("restricted") in ("1", "true"),
            )
        )
    return tuple(found)
