"""Document stores: files become chunks, chunks become vectors, and agents get the tool `search` over them.

    files.find ── reading ── split ── plan ── embedder ── database ── ledger, keywords
      Found      Document    Chunk    Item     vectors      rows       what is so now

`files`, `reading`, `split` and `plan` know nothing of plugins; `ledger` remembers what was indexed, and has the
`keywords` in the same file. `index` is one run, `pipeline` keeps its stages busy, `writer` calls the database with the
ledger told before and after. `search` asks the embedder, the database and the keywords of a `store`.
"""
