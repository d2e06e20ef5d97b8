"""Modes of merging against an independent model of what they mean."""
