"""Wazo Platform: accounts over its REST services and event socket, calls over SIP on WebSocket."""
