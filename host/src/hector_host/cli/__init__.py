"""The command `hector`: one module per verb.

A verb loads the configuration, asks the runtime and prints. Only here errors become exit codes.
"""
