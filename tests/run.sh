#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. The last line is "N passed, N failed".
#   tests/run.sh [--preset dev|ci] [--only NAME]   NAME: part of a test's name in ctest
set -euo pipefail
cd "$(dirname "$0")/.."

preset=dev
only=
while [ $# -gt 0 ]; do
  case $1 in
    --preset) preset=$2; shift 2 ;;
    --only) only=$2; shift 2 ;;
    -h|--help) sed -n '2,3s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown argument $1; see --help" >&2; exit 2 ;;
  esac
done

deploy/install_packages.sh deploy/packages_kafka.txt deploy/packages_tests.txt
export CCACHE_DIR=${CCACHE_DIR:-$PWD/.cache/ccache}
cmake --preset "$preset" >"/tmp/taizhang-configure.$$" 2>&1 || { cat "/tmp/taizhang-configure.$$"; exit 1; }
rm -f "/tmp/taizhang-configure.$$"
started=$SECONDS
echo "building ($preset, $(nproc) cores)"
ninja -C "build/$preset" --quiet
echo "built in $((SECONDS - started)) s"

# Python: a client generated from the protos alone, and the acceptance tests.
python=.cache/python
if ! cmp -s tests/requirements.txt $python/requirements.txt; then
  python3 -m venv $python
  $python/bin/pip install -q --disable-pip-version-check -r tests/requirements.txt
  cp tests/requirements.txt $python/requirements.txt
fi

results=build/$preset/results
rm -rf "$results" && mkdir -p "$results"
export GTEST_OUTPUT="xml:$PWD/$results/" TAIZHANG_BUILD="$PWD/build/$preset" TAIZHANG_RESULTS="$PWD/$results"
status=0
# One broker for all tests that want one; with --only each of them starts its own.
broker=(python3 tests/support/kafka_broker.py run --)
[ -z "$only" ] || broker=()
${broker[@]+"${broker[@]}"} ctest --test-dir "build/$preset" --output-on-failure --no-tests=error ${only:+-R "$only"} \
  --output-junit "$PWD/$results/ctest.junit" || status=$?
python3 tests/support/summary.py "$results" "$status"
