"""The window: renders state, sends actions."""
