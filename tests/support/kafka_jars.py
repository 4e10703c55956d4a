"""The jars of a pinned Kafka, fetched once from Maven Central into a cache folder outside the tree.

The folder is $XDG_CACHE_HOME/taizhang/kafka/<version> (without XDG_CACHE_HOME: ~/.cache/…). It appears by one rename
and carries what was asked of Maven and the SHA-256 of every jar. Every use checks both: a damaged folder, or one of
another list of jars, is fetched again.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

DEFAULT_VERSION = "4.1.2"
# Beside kafka_2.13: the logging jar of each version's own log4j (without one the broker's errors are silent), and for the
# version that deploy/kafka is tried with, the command lines.
MORE_JARS = {
    "4.1.2": ("org.apache.logging.log4j:log4j-slf4j-impl:2.25.3", "org.apache.kafka:kafka-tools:4.1.2"),
    "4.4.0": ("org.apache.logging.log4j:log4j-slf4j-impl:2.25.5",),
}
FETCH_S_MAX = 300
SUMS = "SHA256SUMS"

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>taizhang</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""


def _pom(version):
    lines = [f"    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>"
             f"<version>{version}</version></dependency>"]
    for jar in MORE_JARS[version]:
        group, artifact, jar_version = jar.split(":")
        # Alone: what these need is in the closure of the broker; the rest is for Kafka Connect.
        lines.append(f"    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
                     f"<version>{jar_version}</version><exclusions><exclusion><groupId>*</groupId>"
                     "<artifactId>*</artifactId></exclusion></exclusions></dependency>")
    return POM.format(dependencies="\n".join(lines))


def cache():
    home = os.environ.get("XDG_CACHE_HOME")
    return (pathlib.Path(home) if home else pathlib.Path.home() / ".cache") / "taizhang/kafka"


def jars(version=DEFAULT_VERSION):
    """The folder with the jars of `version`, fetched if it is not there. ValueError for a version that is not pinned."""
    if version not in MORE_JARS:
        raise ValueError(f"Kafka {version} is not pinned here; pinned are {', '.join(sorted(MORE_JARS))}")
    folder = cache() / version
    pom = _pom(version)
    if _complete(folder, pom):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Runs that start together wait for one fetch instead of making it several times.
    with open(folder.parent / f"{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(folder, pom):
            _fetch(version, folder, pom)
    return folder


def _fetch(version, folder, pom):
    for program, package in (("mvn", "maven"), ("java", "default-jre-headless")):
        if not shutil.which(program):
            raise RuntimeError(f"{program} is missing (Debian package {package}); run "
                               "deploy/install_packages.sh deploy/packages_kafka.txt")
    with tempfile.TemporaryDirectory(prefix=f"{version}.part-", dir=folder.parent) as part:
        part = pathlib.Path(part)
        (part / "pom.xml").write_text(pom)
        made = subprocess.run(
            ["mvn", "-B", "-q", "-C", "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={part / 'lib'}"],
            cwd=part, timeout=FETCH_S_MAX, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(f"Maven could not fetch Kafka {version}:\n{(made.stdout + made.stderr)[-2000:]}")
        (part / "lib" / SUMS).write_text(
            "".join(f"{_sum(jar)}  {jar.name}\n" for jar in sorted((part / "lib").glob("*.jar"))))
        os.rename(part / "pom.xml", part / "lib/pom.xml")
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(part / "lib", folder)


def _complete(folder, pom):
    try:
        lines = (folder / SUMS).read_text().splitlines()
        sums = [line.split("  ") for line in lines]
        return (folder / "pom.xml").read_text() == pom and bool(sums) and all(
            _sum(folder / name) == expected for expected, name in sums)
    except FileNotFoundError:
        return False


def _sum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
