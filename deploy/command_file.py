"""What the scripts that make command files share: fixed ids, dates, and one JSON line per command."""

import json
import uuid

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://taizhang.example/command-files")


def fixed_id(name):
    """The UUID of a stable name: the same in every run, on every machine."""
    return str(uuid.uuid5(_NAMESPACE, name))


def date(text):
    """"2017-06-01" as a Date message."""
    year, month, day = (int(part) for part in text.split("-"))
    return {"year": year, "month": month, "day": day}


def fen(amount):
    """int64 is a string in protobuf's JSON."""
    return str(amount)


class CommandFile:
    """Collects commands; each request id is that of the command's stable name, which stands only once."""

    def __init__(self, book):
        self._book = book
        self._names = set()
        self._lines = []

    def add(self, profile, method, name, request, source, effective=None, reason=None):
        if name in self._names:
            raise ValueError("the name of a command stands twice: " + name)
        self._names.add(name)
        context = {"request_id": fixed_id(f"{self._book}: request: {name}")}
        if effective:
            context["effective_date"] = date(effective)
        context["source"] = source
        if reason:
            context["reason"] = reason
        body = {"context": context, "ledger": "${LEDGER}"}
        body.update(request)
        self._lines.append({"as": profile, "method": method, "request": body})

    def text(self):
        return "".join(json.dumps(line, ensure_ascii=False, separators=(", ", ": ")) + "\n" for line in self._lines)

    def write(self, path):
        with open(path, "w", encoding="utf-8", newline="\n") as out:
            out.write(self.text())
        print(f"{path}: {len(self._lines)} commands")
