"""Runs `taizhang` as a person would, and knows its exit codes."""

import json
import os
import subprocess

from taizhang_client import BUILD, PATIENCE_S, token_of

OK, REFUSED, USAGE, UNAVAILABLE, NOT_FOUND, DAMAGED, FAILED = range(7)


class Cli:
    """Runs `taizhang` with a settings file of its own."""

    def __init__(self, server):
        self.server = server
        self.config = server.folder / "client.textproto"
        self.config.write_text(
            f'address: "{server.address}"\nadmin_address: "{server.admin_address}"\nledger: "990101"\ndefault_profile: "maker"\n'
            + "".join(f'profiles {{ name: "{name}" token: "{token_of(name)}" }}\n' for name in server.profiles))
        self.config.chmod(0o600)

    def run(self, *words, stdin=None, **environment):
        return subprocess.run(
            [BUILD / "apps/taizhang/taizhang", *map(str, words)], input=stdin, capture_output=True, text=True,
            timeout=2 * PATIENCE_S, env=os.environ | {"TAIZHANG_CONFIG": str(self.config)} | environment)

    def ok(self, *words, **more):
        done = self.run(*words, **more)
        assert done.returncode == OK, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.ok(*words, "--json", **more))
