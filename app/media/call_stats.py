"""Statistics of one call as :class:`app.media.api.TransportStats`, gathered once a second on the engine's loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app.calls.model import MediaKind
from app.media.api import TrackStats, TransportStats

if TYPE_CHECKING:
    from app.media.call_media import CallMedia, Local, Remote
    from app.media.stats import Rates


def transport_stats(media: CallMedia, rates: Rates) -> TransportStats:
    """Rates need this to be called about once a second."""
    transport, session = media.transport, media.transport.session
    now_s = time.monotonic()
    outbound = [_outbound(media, local, rates, now_s) for local in media.locals.values()]
    inbound = [_inbound(media, remote, rates, now_s) for remote in media.remotes.values()]
    reported = [s.loss for s in session.streams.values() if s.packets]
    local_candidate, remote_candidate = transport.candidate_pair
    return TransportStats(
        rtt_ms=session.round_trip_ms,
        bytes_sent=transport.bytes_sent,
        bytes_received=transport.bytes_received,
        send_bitrate_bps=8 * rates.update("sent", now_s, transport.bytes_sent),
        receive_bitrate_bps=8 * rates.update("received", now_s, transport.bytes_received),
        available_send_bps=session.send_estimator.bps if session.send_estimator.informed else None,
        estimated_receive_bps=session.estimator.bps if session.reception else None,
        loss_received=session.loss_received,
        loss_sent=max(reported) if reported else None,
        local_candidate=local_candidate,
        remote_candidate=remote_candidate,
        transport="relay" if local_candidate.startswith("relay") else "udp",
        dtls_cipher=transport.dtls_cipher,
        srtp_profile=transport.srtp_profile,
        tracks=(*outbound, *inbound),
    )


def _outbound(media: CallMedia, local: Local, rates: Rates, now_s: float) -> TrackStats:
    source, sender = local.source, local.sender.stats()
    stream = media.transport.session.streams.get(source.ssrc)
    size = stream.bytes if stream else 0
    clock = (stream.clock_rates.get(stream.last_payload_type) if stream else None) or 90000
    video = source.kind is MediaKind.VIDEO
    return TrackStats(
        source=source.name,
        participant_id="",
        direction="outbound",
        kind=source.kind,
        content=source.content,
        ssrc=source.ssrc,
        codec=sender.codec if video else local.sender.codec.name,
        fps=sender.fps if video else None,
        width=sender.width if video else None,
        height=sender.height if video else None,
        bitrate_bps=8 * rates.update(("out", source.ssrc), now_s, size),
        packets=stream.packets if stream else 0,
        packets_lost=stream.lost if stream else None,
        loss_fraction=stream.loss if stream else None,
        jitter_ms=stream.jitter * 1000 / clock if stream else None,
        audio_level_dbov=None if video else sender.level_dbov,
        frames=sender.frames if video else None,
        nacks=stream.nacks if stream else 0,
        plis=stream.plis if stream else 0,
        target_bitrate_bps=local.target_bps or None,
    )


def _inbound(media: CallMedia, remote: Remote, rates: Rates, now_s: float) -> TrackStats:
    source = remote.source
    reception = media.transport.session.reception.get(remote.ssrc)
    receiver = remote.stats()
    video = source.kind is MediaKind.VIDEO
    jitter = None if video or receiver is None else receiver.jitter
    return TrackStats(
        source=source.name,
        participant_id=source.participant_id,
        direction="inbound",
        kind=source.kind,
        content=source.content,
        ssrc=remote.ssrc,
        codec=receiver.codec if receiver else None,
        fps=receiver.fps if video and receiver else None,
        width=receiver.width if video and receiver else None,
        height=receiver.height if video and receiver else None,
        bitrate_bps=8 * rates.update(("in", remote.ssrc), now_s, reception.bytes) if reception else 0.0,
        packets=reception.packets if reception else 0,
        packets_lost=reception.lost if reception else None,
        loss_fraction=reception.loss_fraction if reception else None,
        jitter_ms=reception.jitter_ms if reception else None,
        freezes=receiver.freezes if video and receiver else None,
        audio_level_dbov=None if video or receiver is None else receiver.level_dbov,
        buffer_ms=jitter.buffer_ms if jitter else None,
        concealed_ms=jitter.concealed_ms if jitter else None,
        frames=receiver.frames if video and receiver else None,
        nacks=reception.nacks if reception else 0,
        plis=reception.plis if reception else 0,
    )
