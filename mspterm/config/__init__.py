"""Where things are and what the user configured: XDG paths and the checked TOML file."""
