"""Tests a plugin of Hector, in any language, through its public face alone: its launch and its gRPC services."""
