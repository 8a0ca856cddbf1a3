"""Wheels become the tree of a service, with what a package says of its contents."""
