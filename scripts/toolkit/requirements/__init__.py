"""What packages require: files of requirements, pyproject.toml, setup.cfg, and all of it that a lock is made from."""
