"""Files as documents: what each kind of file says, and where in it.

`reader` is what indexing uses; `plain` reads what is text anyhow. PDF, DOCX and HTML are formats in which a file can
cost more than it is worth: `parser` has a child process parse them (`child`, `formats`), which has limits and may die.
"""
