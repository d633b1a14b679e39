"""Embedders for Hector: any sentence-transformers model, in a process of its own."""
