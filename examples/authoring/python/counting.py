"""A Hector plugin: tools that count."""

from collections import Counter

from hector_sdk import Failure, Tools, serve, tool


@tool(read_only=True, local=True)
def count_words(text: str) -> int:
    """Count the words of a text.

    Args:
        text: Words are what stands between spaces and line ends.
    """
    return len(text.split())


@tool(read_only=True, local=True)
def most_frequent(text: str, minimum: int = 2) -> str:
    """Find the word that a text uses most.

    Args:
        text: Where to look; capitals do not count.
        minimum: How often it has to be there.
    """
    word, times = max(Counter(text.lower().split()).items(), key=lambda item: item[1], default=("", 0))
    if times < minimum:
        raise Failure(f"no word is there {minimum} times")
    return word


if __name__ == "__main__":
    serve(Tools(count_words, most_frequent), name="counting", version="0.1.0", description="Counts words.")
