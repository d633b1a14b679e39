"""Runs AI agents over plugins."""
