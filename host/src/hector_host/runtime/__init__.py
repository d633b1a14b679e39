"""Runs agents: a run is a journal, written before it is told of.

The loop (`loop`) asks the strategy, journals the effects that it wants, performs them (`effects`), journals their
outcomes, and asks again. What a run is after any crash follows from its journal (`journal`, `sqlite`) alone. Doors see
its events (`events`).
"""
