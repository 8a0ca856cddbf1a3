"""What `vendor/` holds, read offline: locks, who requires whom, and whether all of it fits together."""
