"""Any language model behind an OpenAI-compatible endpoint, as a Hector plugin.

`chat` writes what the endpoint is asked, `reply` reads what it says, `failures` names what went wrong; `provider` is
the contract's RPCs in these terms. The `openai` library is imported only once the plugin listens: it takes a second.
"""
