"""SIP without I/O, for every vendor that speaks it. Entry point: :class:`app.protocols.sip.user_agent.UserAgent`."""
