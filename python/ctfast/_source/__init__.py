"""Where files come from: addresses, sources of keys, and why a source gives nothing."""
