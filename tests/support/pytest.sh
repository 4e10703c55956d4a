#!/usr/bin/env bash
# Runs Python tests with the environment that tests/run.sh makes.  pytest.sh NAME FILE [pytest arguments]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
name=$1
shift
python=$root/.cache/python/bin/python
[ -x "$python" ] || { echo "run tests/run.sh once: it makes the Python environment" >&2; exit 1; }
results=${TAIZHANG_RESULTS:-$root/build/results}
mkdir -p "$results"
export TAIZHANG_BUILD=${TAIZHANG_BUILD:-$root/build/dev}
exec "$python" -m pytest -q -p no:cacheprovider --junitxml="$results/$name.xml" "$@"
