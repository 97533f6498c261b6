"""The media engine: transport, receive, send, audio, video, devices, screen, record, stats.

Runs in a thread and event loop of its own. Vendors and the window speak to it through :mod:`app.media.api` only.
"""
