"""The jars of a pinned Kafka, fetched once from Maven Central into a cache folder outside the tree.

The folder is $XDG_CACHE_HOME/taizhang/kafka/<version> (without XDG_CACHE_HOME: ~/.cache/…). It appears by one rename
and carries the SHA-256 of every jar, which every use checks: a torn or damaged folder is fetched again.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

DEFAULT_VERSION = "4.1.2"
# The logging jar of each version's own log4j: without one the broker's errors are silent.
LOGGING_JARS = {"4.1.2": "2.25.3", "4.4.0": "2.25.5"}
FETCH_S_MAX = 300
SUMS = "SHA256SUMS"

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>taizhang</groupId><artifactId>broker</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{kafka}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{logging}</version>
    </dependency>
  </dependencies>
</project>
"""


def cache():
    home = os.environ.get("XDG_CACHE_HOME")
    return (pathlib.Path(home) if home else pathlib.Path.home() / ".cache") / "taizhang/kafka"


def jars(version=DEFAULT_VERSION):
    """The folder with the jars of `version`, fetched if it is not there. ValueError for a version that is not pinned."""
    if version not in LOGGING_JARS:
        raise ValueError(f"Kafka {version} is not pinned here; pinned are {', '.join(sorted(LOGGING_JARS))}")
    folder = cache() / version
    if _complete(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Runs that start together wait for one fetch instead of making it several times.
    with open(folder.parent / f"{version}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete(folder):
            _fetch(version, folder)
    return folder


def _fetch(version, folder):
    for program, package in (("mvn", "maven"), ("java", "default-jre-headless")):
        if not shutil.which(program):
            raise RuntimeError(f"{program} is missing (Debian package {package}); run "
                               "deploy/install_packages.sh deploy/packages_kafka.txt")
    with tempfile.TemporaryDirectory(prefix=f"{version}.part-", dir=folder.parent) as part:
        part = pathlib.Path(part)
        (part / "pom.xml").write_text(POM.format(kafka=version, logging=LOGGING_JARS[version]))
        made = subprocess.run(
            ["mvn", "-B", "-q", "-C", "dependency:copy-dependencies", "-DincludeScope=runtime",
             f"-DoutputDirectory={part / 'lib'}"],
            cwd=part, timeout=FETCH_S_MAX, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if made.returncode:
            raise RuntimeError(f"Maven could not fetch Kafka {version}:\n{(made.stdout + made.stderr)[-2000:]}")
        (part / "lib" / SUMS).write_text(
            "".join(f"{_sum(jar)}  {jar.name}\n" for jar in sorted((part / "lib").glob("*.jar"))))
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(part / "lib", folder)


def _complete(folder):
    try:
        lines = (folder / SUMS).read_text().splitlines()
        return bool(lines) and all(_sum(folder / name) == expected
                                   for expected, name in (line.split("  ") for line in lines))
    except FileNotFoundError:
        return False


def _sum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
