"""Questions whose answers' places are known: of this project's own documents, and of Django's.

`project.jsonl` and `django.jsonl` have a question on each line, in the form of `hector search --eval`, with more that
is told of it: `passages`, a quotation for each source, where the answer stands there; `no_shared_words`, whether the
question is in other words than its answer, which `passages.py` checks; and `held_out`, whether it is out of sight of
whoever tunes a search. They were written before anything was tuned. Held out is the third whose questions have the
lowest SHA-256, of each file and of either kind.
"""
