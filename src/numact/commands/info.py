"""The command ``python -m numact info``: version, dispatch targets, threads and compiler."""

import json

from numact._kernels.config import show_config


def run(as_json: bool) -> int:
    """Print the configuration as lines or as JSON; the exit code is 0."""
    config = show_config(mode="dicts")
    rows = {
        "version": config["version"],
        "level": config["level"],
        "levels": list(config["levels"]),
        "threads": config["threads"],
        "compiler": config["compiler"],
        "numpy": config["numpy"],
        "subnormals": config["subnormals"],
    }
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        for name, value in rows.items():
            print(f"{name:<12}{', '.join(value) if isinstance(value, list) else value}")
    return 0
