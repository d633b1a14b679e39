"""What embedders have in common: finding a model, batching calls, remembering vectors, answering the RPCs.

numpy and huggingface-hub come with the extra `hector-sdk[embedding]`, and are imported when they are first used.
"""
