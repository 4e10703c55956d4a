"""A certificate authority of one test, and the certificate of a broker on loopback, made by openssl."""

import pathlib
import subprocess


def _openssl(*words):
    made = subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    if made.returncode:
        raise RuntimeError(f"openssl {words[0]}: {made.stderr[-1000:]}")


def make(folder):
    """Writes ca.pem, and broker.pem with key and chain as Kafka's PEM key store wants them; names localhost and 127.0.0.1."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    _openssl(*new, "-x509", "-days", "30", "-subj", "/CN=Taizhang test CA", "-keyout", folder / "ca.key",
             "-out", folder / "ca.pem", "-addext", "basicConstraints=critical,CA:TRUE")
    _openssl(*new, "-subj", "/CN=localhost", "-keyout", folder / "broker.key", "-out", folder / "broker.csr")
    (folder / "broker.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    _openssl("x509", "-req", "-in", folder / "broker.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
             "-CAcreateserial", "-days", "30", "-extfile", folder / "broker.ext", "-out", folder / "broker.crt")
    (folder / "broker.pem").write_text((folder / "broker.key").read_text() + (folder / "broker.crt").read_text())
    for secret in ("ca.key", "broker.key", "broker.pem"):
        (folder / secret).chmod(0o600)
    return folder
