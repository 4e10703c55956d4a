"""Units, compose file, settings: what systemd's checker and our protos say, and that the parts name each other rightly."""

import pathlib
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from google.protobuf import text_format

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import kafka_jars  # noqa: E402
import taizhang_client  # noqa: E402

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROFILE = DEPLOY / "kafka"


def test_there_is_a_unit_for_each_process():
    assert [unit.name for unit in UNITS] == ["kafka-broker.service", "kafka-controller.service",
                                             "taizhang-reader@.service", "taizhang-writer.service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_knows_every_line_of(unit, tmp_path):
    # The programs are not installed here, which is the one thing the checker may complain about.
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.M))
    checked = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0 and not checked.stderr, checked.stderr
    exposure = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", copy],
                              capture_output=True, text=True, timeout=30)
    assert exposure.returncode == 0, exposure.stdout


@pytest.mark.parametrize("role", ["broker", "controller"])
def test_node_env_has_everything_the_properties_ask_for(role):
    asked = set(re.findall(r"\$\{env:(\w+)\}", (PROFILE / f"{role}.properties").read_text()))
    given = set(re.findall(r"^(\w+)=", (PROFILE / "node.env").read_text(), re.M))
    assert asked and asked <= given


def test_compose_shares_one_network_namespace():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"broker", "topics", "writer", "reader"}
    for name, service in services.items():
        assert "ports" not in service
        assert (service.get("network_mode") == "service:broker") == (name != "broker")
    assert services["broker"]["image"] == f"apache/kafka:{kafka_jars.DEFAULT_VERSION}"
    dockerfile = DEPLOY / services["topics"]["build"]["context"] / services["topics"]["build"]["dockerfile"]
    for line in dockerfile.read_text().splitlines():
        for source in re.findall(r"deploy/\S+", line):
            assert (ROOT / source).exists(), source


def test_writer_and_reader_share_a_journal_and_no_port(protos):
    settings = {role: read_settings(DEPLOY / f"compose/{role}.textproto", protos) for role in ("writer", "reader")}
    assert settings["writer"].journal == settings["reader"].journal
    assert settings["writer"].keys_dir == settings["reader"].keys_dir != ""
    ports = [port for one in settings.values() for port in (one.listen, one.admin_listen, one.metrics_port)]
    assert len(set(ports)) == 6


@pytest.mark.parametrize("role", ["writer", "reader-1"])
def test_the_settings_of_the_units_are_settings(role, protos):
    settings = read_settings(DEPLOY / f"systemd/{role}.textproto", protos)
    unit = DEPLOY / "systemd" / ("taizhang-writer.service" if role == "writer" else "taizhang-reader@.service")
    states = re.search(r"^StateDirectory=(.*)$", unit.read_text(), re.M).group(1).replace("%i", "1").split()
    assert settings.data_dir in [f"/var/lib/{state}" for state in states]
    assert settings.journal.kafka.replication_factor == 3


def test_the_image_has_the_libraries_the_programs_are_linked_to():
    listed = {line for line in (DEPLOY / "packages_runtime.txt").read_text().splitlines() if not line.startswith("#")}
    programs = [taizhang_client.BUILD / f"apps/{name}/{name}" for name in ("taizhangd", "taizhang")]
    linked = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True, timeout=30).stdout
    libraries = {pathlib.Path(path).resolve().name for path in re.findall(r"=> (/\S+)", linked)}
    owners = subprocess.run(["dpkg-query", "-S", *(f"*/{name}" for name in libraries)], capture_output=True, text=True,
                            timeout=60).stdout
    for library in libraries:
        packages = set(re.findall(rf"^([^:\n]+):\S* \S*/{re.escape(library)}$", owners, re.M))
        assert packages & listed, f"{library} of {packages}"


@pytest.fixture(scope="module")
def protos(tmp_path_factory):
    taizhang_client.generate(tmp_path_factory.mktemp("generated"))
    from taizhang.config.v1 import config_pb2

    return config_pb2


def read_settings(path, protos):
    """Settings that the server takes."""
    checked = subprocess.run([taizhang_client.BUILD / "apps/taizhangd/taizhangd", "--config", path, "--check"],
                             capture_output=True, text=True, timeout=30)
    assert checked.returncode == 0, checked.stderr
    return text_format.Parse(path.read_text(), protos.Config())

