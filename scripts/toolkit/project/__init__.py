"""What a project's people wrote: packages, requirements, settings, debian/."""
