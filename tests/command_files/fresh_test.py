"""The committed command files are what their scripts write."""

import os
import sys

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy")
sys.dont_write_bytecode = True
sys.path.insert(0, DEPLOY)

import make_reference  # noqa: E402
import make_sample  # noqa: E402


def main():
    stale = []
    for name, script in (("reference.jsonl", make_reference), ("sample.jsonl", make_sample)):
        with open(os.path.join(DEPLOY, name), encoding="utf-8") as committed:
            if committed.read() != script.make().text():
                stale.append(name)
    if stale:
        sys.exit("not what its script writes: " + ", ".join(stale))


if __name__ == "__main__":
    main()
