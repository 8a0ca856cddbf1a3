"""What is locked, and why: chains, pictures, newer releases, reports."""
