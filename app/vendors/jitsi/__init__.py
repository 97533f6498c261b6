"""Jitsi Meet: XMPP, Jingle with jicofo, colibri bridge channel."""
