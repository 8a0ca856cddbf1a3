"""What a project's people wrote: packages, settings, patches, debian/."""
