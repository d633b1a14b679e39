"""ReAct: think, act, observe, until the answer is known (Yao et al., 2022)."""
