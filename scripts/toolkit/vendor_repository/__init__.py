"""The git history of vendor/: committed, and trimmed."""
