"""The version of the distribution: of both packages and of the compiled libraries."""

__version__ = "0.2.0"
