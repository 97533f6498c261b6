"""What a person can do, mapped onto the session of the call."""
