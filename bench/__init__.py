"""Measured claims: each is a ratio of two things that were run side by side, in one run, on one machine."""
