"""Local stand-in servers with synthetic participants: demo and tests. Loopback only."""
