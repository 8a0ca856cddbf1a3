"""New projects and services, and what newer templates have for them."""
