"""Archives opened without trust in what they hold: one strict reader for each format, and its limits."""
