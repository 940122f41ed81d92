"""Python environments of the peers: each has its own, made once, remade when its file asks for other packages."""
import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).resolve().parent / "peers"
CONSTANTS = {"REQUIREMENTS": [], "BUILD_FROM_SOURCE": [], "BUILD_ENVIRONMENT": {}}


def constants_of(name):
    """What a peer's file says of its packages, read without running it: they are not there yet.

    REQUIREMENTS: as pip takes them; BUILD_FROM_SOURCE: packages whose wheels are not taken;
    BUILD_ENVIRONMENT: variables of the build.
    """
    file = PEERS / f"{name}.py"
    if not file.exists():
        known = sorted(path.stem for path in PEERS.glob("*.py") if path.stem != "serve")
        raise SystemExit(f"error: there is no peer '{name}': the peers are {', '.join(known)}")
    found = dict(CONSTANTS)
    for statement in ast.parse(file.read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            if statement.targets[0].id in CONSTANTS:
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
    return found


def python_for(name, folder):
    """The interpreter that runs a peer; installs its packages under `folder` first."""
    wanted = constants_of(name)
    if not wanted["REQUIREMENTS"]:
        return sys.executable
    place = Path(folder) / name
    stamp = place / "packages"
    state = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != state:
        packages = ", ".join(wanted["REQUIREMENTS"])
        print(f"== installing {packages} into {place} (compiling takes some minutes)", flush=True)
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "-q", "--clear", place], check=True)
        sources = [word for package in wanted["BUILD_FROM_SOURCE"] for word in ("--no-binary", package)]
        install = [uv, "pip", "install", "-q", "--python", place / "bin/python", *sources, *wanted["REQUIREMENTS"]]
        subprocess.run(install, check=True, env=os.environ | wanted["BUILD_ENVIRONMENT"])
        stamp.write_text(state)
    return str(place / "bin/python")
