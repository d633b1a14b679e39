from hector_sdk import docstrings


def test_sections_other_than_args_and_nested_lines():
    def tool() -> None:
        """Do it
        well.

        More.

        Args:
            plain: One
                and more: still one.
            *words: Two.
            typed (list[int], optional): Three.

        Returns:
            plain: not a parameter
        """

    assert docstrings.description(tool) == "Do it well."
    assert docstrings.parameters(tool) == {"plain": "One and more: still one.", "words": "Two.", "typed": "Three."}


def test_nothing_is_nothing():
    def tool() -> None: ...

    assert docstrings.description(tool) == ""
    assert docstrings.parameters(tool) == {}
