"""Settings, credentials, history."""
