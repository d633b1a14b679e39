"""What a container may do, as the engine tells it and not as compose.yaml promises it."""

from typing import Any


def flaws(inspected: dict[str, Any]) -> list[str]:
    """What is not as it must be; empty when all is well."""
    host, config, state = inspected["HostConfig"], inspected["Config"], inspected["State"]
    networks = inspected["NetworkSettings"]["Networks"]
    rules = {
        "its user is root": config["User"].split(":")[0] in ("", "0", "root"),
        "its root file system is writable": not host["ReadonlyRootfs"],
        "it has capabilities": host["CapDrop"] != ["ALL"] or bool(host["CapAdd"]) or host["Privileged"],
        "it may gain privileges": "no-new-privileges:true" not in (host["SecurityOpt"] or []),
        "it may start any number of processes": not host["PidsLimit"],
        "it publishes a port": bool(host["PortBindings"]),
        "it is in another network than the plugins'": [name.split("_")[-1] for name in networks] != ["plugins"],
        "a folder of this machine is writable": any(
            mount["Type"] == "bind" and mount["RW"] for mount in inspected["Mounts"]
        ),
    }
    if state["Status"] == "running":
        rules["it is not healthy"] = state.get("Health", {}).get("Status") != "healthy"
        rules["it ran anew before anything was done to it"] = inspected["RestartCount"] > 0
    return [f"{inspected['Name']}: {flaw}" for flaw, found in rules.items() if found]
