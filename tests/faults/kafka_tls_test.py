"""A broker that wants TLS and a password: what a server and an operator need, what each mistake says, and that the
password stands nowhere but in its file."""

import pathlib
import subprocess

import pytest
from kafka_broker import Kafka
from kafka_province import PATIENCE_S, Province, end, goes_on, start_patient
from kafka_tls import Authority
from taizhang_client import BUILD

WRONG_PASSWORD = "0123456789abcdef"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory):
    with Kafka(tmp_path_factory.mktemp("kafka"), tls=True) as kafka:
        yield kafka


def secret(path, text, mode=0o600):
    path.touch(mode=mode)
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


def province_of(kafka, folder, ca=None, password=None, request_ms=10_000):
    """`ca`: another certificate authority than the broker's; `password`: a file with another than its user's;
    `request_ms`: who is not let in tries for as long."""
    folder.mkdir(exist_ok=True)
    settings = {"security.protocol": ("value", "SASL_SSL"), "ssl.ca.location": ("value", ca or kafka.ca_file),
                "sasl.mechanisms": ("value", "PLAIN"), "sasl.username": ("value", kafka.user),
                "sasl.password": ("value_file", password or secret(folder / "password", kafka.password)),
                "broker.address.family": ("value", "v4")}
    return Province(kafka.bootstrap, folder, properties=f"request_ms_max: {request_ms} " + " ".join(
        f'properties {{ name: "{name}" {kind}: "{value}" }}' for name, (kind, value) in settings.items()))


def said_by(process):
    """Everything the process was started with."""
    return b"".join(pathlib.Path(f"/proc/{process.pid}/{part}").read_bytes() for part in ("cmdline", "environ"))


def refused_start(kafka, server):
    """The last thing that a server says which ends at once."""
    started = subprocess.run([BUILD / "apps/taizhangd/taizhangd", "--config", server.config], capture_output=True,
                             text=True, timeout=PATIENCE_S)
    assert started.returncode in (1, 2), started.stderr
    last = started.stderr.splitlines()[-1]
    print(last)
    assert last.startswith("taizhangd: ") and kafka.password not in started.stderr
    return last


def test_a_book_behind_tls(kafka, tmp_path):
    with province_of(kafka, tmp_path, request_ms=60_000) as province:
        server, client, book = province.opened()
        assert province.journal("check", server)[0] == 0
        running, stop = start_patient(book, [(1, server.address)], seed=10, count=8)
        goes_on(book, running)
        end(running, stop)
        province.compare_with_replay(client, book)
        assert kafka.password.encode() not in said_by(server.process)
        assert server.stop() == 0
        texts = [file.read_text(errors="replace") for file in tmp_path.rglob("*") if file.suffix in (".log", ".textproto")]
        assert len(texts) >= 4 and not any(kafka.password in text for text in texts)


def test_a_certificate_of_another_authority(kafka, tmp_path):
    other = Authority(tmp_path / "other")
    with province_of(kafka, tmp_path / "processes", ca=other.ca) as province:
        server = province.process("one")
        said = refused_start(kafka, server)
        assert "certificate" in said
        code, checked = province.journal("check", server)
        assert code not in (0, 1) and "certificate" in checked and kafka.password not in checked


def test_a_wrong_password(kafka, tmp_path):
    with province_of(kafka, tmp_path, password=secret(tmp_path / "guess", WRONG_PASSWORD)) as province:
        server = province.process("one")
        said = refused_start(kafka, server)
        assert "uthentication" in said and WRONG_PASSWORD not in said
        code, checked = province.journal("check", server)
        assert code not in (0, 1) and "uthentication" in checked and WRONG_PASSWORD not in checked


def test_a_password_that_others_may_read(kafka, tmp_path):
    with province_of(kafka, tmp_path, password=secret(tmp_path / "open", kafka.password, 0o644)) as province:
        said = refused_start(kafka, province.process("one"))
        assert "sasl.password" in said and "0600" in said


def test_a_password_in_the_settings(kafka, tmp_path):
    with province_of(kafka, tmp_path) as province:
        server = province.process("one")
        text = server.config.read_text()
        server.config.write_text(text.replace(f'value_file: "{tmp_path}/password"', f'value: "{kafka.password}"'))
        assert server.config.read_text() != text
        said = refused_start(kafka, server)
        assert "sasl.password" in said and "value_file" in said
