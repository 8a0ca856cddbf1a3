"""One wheel: its metadata, its files as they are installed, and the store that keeps it."""
