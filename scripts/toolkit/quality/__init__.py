"""A project's own tests and linters, offline."""
