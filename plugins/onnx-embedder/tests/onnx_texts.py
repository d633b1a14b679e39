"""What is embedded: short and long, of many scripts, of nothing."""

TEXTS = [
    "",
    " ",
    "word",
    "How does a host stop a plugin that hangs?",
    "Pears ripen in September. " * 100,
    "No spaces " + "antidisestablishmentarianism" * 40,
    "ÜNÏCÖDÉ, 日本語のテキスト, Ελληνικά, עברית, 👩‍👩‍👧",
    "def f(x: int) -> int:\n\treturn x * 2  # twice\n",
    "\x00\x07 control \u200b characters \ufeff",
    *(f"A sentence with {number} words more or less: " + "so " * number for number in range(1, 40)),
]
PROMPT = "query: "
