"""Embedders for Hector: sentence-transformers models as ONNX files, in a process of its own."""
