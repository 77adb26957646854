"""Shared by the demonstrations: the command line, the digits, the times of an epoch."""
