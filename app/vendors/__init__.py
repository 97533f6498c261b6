"""One package a vendor, with the same file names inside each: wire, events, state, client, capabilities, errors."""
