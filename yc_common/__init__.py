"""What services share at run time. Works without any configuration."""

__version__ = "1.0.0"
