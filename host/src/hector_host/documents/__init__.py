"""Document stores: files become chunks, chunks become vectors, and agents get the tool `search` over them.

`files` and `split` know nothing of plugins; `ledger` remembers what was indexed; `index` and `search` call the embedder
and the database of a `store`.
"""
