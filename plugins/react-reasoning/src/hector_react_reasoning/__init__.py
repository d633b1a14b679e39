"""ReAct: think, act, observe, until the answer is known.

After S. Yao et al., "ReAct: Synergizing Reasoning and Acting in Language Models", arXiv:2210.03629, 2022.
"""
