"""Proof that packages are right: lintian, a life cycle, their own tests, a second build."""
