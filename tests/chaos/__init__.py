"""Random faults over all reference plugins while callers run: nothing may be lost, wrong, unnamed or left behind.

    driver.py ── starts ──> host.py (callers.py in it) ── starts ──> the plugins
        │                       │                                      ▲
        │                       └── tells what happens, as JSON lines  │
        │                               ▼                              │
        │                       oracle.py judges it                    │
        └── faults.py: kill, stop, socket, garbage, flood ─────────────┘

Whatever is random follows from one seed (plan.py); what the machine makes of it does not.
"""
