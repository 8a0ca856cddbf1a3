"""What the verbs in scripts/ share, one job a module."""
