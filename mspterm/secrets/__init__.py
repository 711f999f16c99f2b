"""Where credentials come from: the environment, then the OS keyring. Never a plain file."""
