"""A certificate authority of one test, and the certificates it issues, made by openssl."""

import pathlib
import subprocess

_NEW_KEY = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*words):
    made = subprocess.run(["openssl", *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    if made.returncode:
        raise RuntimeError(f"openssl {words[0]}: {made.stderr[-1000:]}")


class Authority:
    """ca.pem in `folder`, and one <name>.pem for each certificate: private key and certificate, mode 0600."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        _openssl(*_NEW_KEY, "-x509", "-days", "30", "-subj", "/CN=Taizhang test CA",
                 "-keyout", self.folder / "ca.key", "-out", self.ca, "-addext", "basicConstraints=critical,CA:TRUE")
        (self.folder / "ca.key").chmod(0o600)

    def issue(self, name, common_name):
        """For a node or a client; valid for localhost and 127.0.0.1. Returns the path of <name>.pem."""
        key, request, extensions, certificate, both = (self.folder / f"{name}.{end}"
                                                       for end in ("key", "csr", "ext", "crt", "pem"))
        _openssl(*_NEW_KEY, "-subj", f"/CN={common_name}", "-keyout", key, "-out", request)
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                 "-days", "30", "-extfile", extensions, "-out", certificate)
        both.touch(mode=0o600)
        both.write_text(key.read_text() + certificate.read_text())
        key.unlink()
        return both
