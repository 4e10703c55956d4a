"""Rules of the tree that a compiler does not see: directions of includes, vendor headers, targets, names of places."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = (".cc", ".h")


def tracked():
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [name for name in names if name and (ROOT / name).is_file()]


FILES = tracked()
CODE = [name for name in FILES if name.endswith(SOURCE)]
TEXT = {name: (ROOT / name).read_text(errors="replace") for name in FILES
        if name.endswith(SOURCE + (".proto", ".md", ".txt", ".sh", ".py", ".json", ".jsonl", ".cmake", ".yaml"))}


def includes(name):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', TEXT[name], re.M)


def folder(name):
    """"services/funds" of services/funds/line.cc."""
    return "/".join(name.split("/")[:2])


def test_layers_include_downwards_only():
    """apps -> {services, projections} -> {domain, platform} -> platform/base; client sees proto and platform/base."""
    allowed = {
        "domain": ("domain", "platform/base"),
        "platform": ("platform",),
        "client": ("client", "platform/base"),
        "services": ("services", "domain", "platform"),
        "projections": ("projections", "domain", "platform"),
    }
    wrong = []
    for name in CODE:
        top = name.split("/")[0]
        if top not in allowed:
            continue
        for header in includes(name):
            if "/" not in header or header.split("/")[0] not in (*allowed, "apps", "tests"):
                continue
            if header.endswith(".pb.h") or (name.endswith("_test.cc") and header.startswith("tests/support/")):
                continue
            if not any(header.startswith(prefix + "/") for prefix in allowed[top]):
                wrong.append(f"{name} includes {header}")
    assert not wrong


def test_a_context_never_includes_another():
    wrong = []
    for name in CODE:
        if not name.startswith(("services/", "projections/")) or name.count("/") < 2 or name.endswith("_test.cc"):
            continue
        for header in includes(name):
            same = folder(header) == folder(name)
            if header.startswith(("services/", "projections/")) and not same and folder(header) not in ("services/common", "projections/common"):
                wrong.append(f"{name} includes {header}")
    assert not wrong


def test_a_context_writes_only_its_own_protos():
    """Of another context only the published state is read; events of others are for projections."""
    wrong = []
    for name in CODE:
        if not name.startswith("services/") or name.count("/") < 2 or name.endswith("_test.cc"):
            continue
        own = name.split("/")[1]
        for header in includes(name):
            found = re.match(r"taizhang/(\w+)/(state/)?v1/", header)
            if not found or own == "common" or found.group(1) in (own, "common"):
                continue
            if not found.group(2):
                wrong.append(f"{name} includes {header}")
    assert not wrong


def test_vendor_headers_stay_behind_the_platform():
    wrong = []
    for name in CODE:
        for header in includes(name):
            if header.startswith("rocksdb/") or header.endswith("rdkafka.h"):
                if not (name.startswith("platform/") and name.endswith(".cc")):
                    wrong.append(f"{name} includes {header}")
            if header.startswith("prometheus/") and not (name.startswith("platform/rpc/") and name.endswith(".cc")):
                wrong.append(f"{name} includes {header}")
    assert not wrong


def test_grpc_stands_in_at_most_ten_files():
    users = [name for name in CODE if any(h.startswith(("grpcpp/", "grpc/")) for h in includes(name))]
    product = [name for name in users if not name.startswith("tests/") and not name.endswith("_test.cc")]
    assert len(product) <= 10, product
    assert all(name.startswith(("platform/rpc/", "client/", "apps/")) for name in product), product


def test_platform_headers_that_others_include_do_not_carry_generated_ones():
    users = {}
    for name in CODE:
        for header in includes(name):
            users.setdefault(header, set()).add(folder(name))
    wrong = [name for name in CODE if name.startswith("platform/") and name.endswith(".h")
             and any(header.endswith(".pb.h") for header in includes(name))
             and users.get(name, set()) - {folder(name)}
             and not name.endswith("_fixture.h") and not name.rsplit("/", 1)[-1].startswith("test_")]
    assert not wrong


def test_every_source_is_in_a_target():
    lists = "\n".join((ROOT / name).read_text() for name in FILES if name.endswith("CMakeLists.txt"))
    listed = set(re.findall(r"[\w/.]+\.cc", lists))
    lost = []
    for name in CODE:
        if not name.endswith(".cc"):
            continue
        parts = name.split("/")
        if not any("/".join(parts[i:]) in listed for i in range(len(parts))):
            lost.append(name)
    assert not lost


def test_every_header_is_included():
    used = {header for name in CODE for header in includes(name)}
    assert not [name for name in CODE if name.endswith(".h") and name not in used]


def test_every_file_opens_with_what_it_is():
    wrong = [name for name in CODE if not TEXT[name].startswith("//")]
    wrong += [name for name in FILES if name.endswith(".proto") and name.startswith("proto/taizhang")
              and not TEXT[name].startswith("//")]
    assert not wrong


def test_refusals_have_a_code_and_a_chinese_text():
    wrong = []
    for name in FILES:
        if not re.search(r"proto/taizhang/.*/errors\.proto$", name):
            continue
        for value, number, rest in re.findall(r"^\s+([A-Z0-9_]+) = (\d+)([^;]*);", TEXT[name], re.M):
            if int(number) != 0 and not ("(code)" in rest and re.search(r'\(zh\)\s*=\s*"[^"]*[\u4e00-\u9fff]', rest)):
                wrong.append(f"{name}: {value}")
    assert not wrong


def test_nothing_names_a_machine_or_is_unfinished():
    wrong = []
    for name, text in TEXT.items():
        if name == "tests/tidy/tidy_test.py":
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if re.search(r"(^|[^\w.])/(root|home|work)/\w", line):
                wrong.append(f"{name}:{number}: machine path")
            if name.endswith(SOURCE + (".proto", ".sh", ".py")) and re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                wrong.append(f"{name}:{number}: unfinished")
    assert not wrong


def test_the_readme_lists_the_folders():
    readme = (ROOT / "README.md").read_text()
    tops = {name.split("/")[0] for name in FILES if "/" in name and not name.startswith(".")}
    assert not [top for top in sorted(tops) if f"`{top}/`" not in readme]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".sh") or name == ".ci/run"])
def test_scripts_have_the_run_bit(name):
    assert (ROOT / name).stat().st_mode & 0o111
