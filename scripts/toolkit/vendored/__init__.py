"""What vendor/ holds, read offline: locks, archives, metadata."""
