#!/usr/bin/env bash
# Builds the gRPC-free unit, contract, fault and simulation tests with a sanitizer and runs them.
#   tests/sanitize.sh asan|tsan [test names]
# Debian's gRPC, Abseil and RocksDB are not instrumented, so tests that need gRPC stay out, and the thread sanitizer takes
# the journal, its owner and the writer only. protobuf stays uninstrumented in every build.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=${1:-}
case $preset in
  asan) tests=(base_test journal_test journal_segments_test contract_test segment_faults_test state_test domain_test rules_test
               registry_test assistance_test funds_test assets_test integration_test simulation_test) ;;
  tsan) tests=(base_test journal_test journal_segments_test contract_test) ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
shift
[ $# -eq 0 ] || tests=("$@")

deploy/install_packages.sh
export CCACHE_DIR=${CCACHE_DIR:-$PWD/.cache/ccache}
cmake --preset "$preset" >/dev/null
ninja -C "build/$preset" --quiet "${tests[@]}"
failed=0
for name in "${tests[@]}"; do
  binary=$(find "build/$preset" -type f -perm -u+x -name "$name" | head -n 1)
  ASAN_OPTIONS=detect_leaks=0 "$binary" --gtest_brief=1 || { failed=$((failed + 1)); echo "FAILED: $name"; }
done
echo "$((${#tests[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
