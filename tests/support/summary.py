"""Adds up the test cases of all result files and prints "N passed, N failed"; exits with 1 when anything failed.

usage: summary.py RESULTS_FOLDER CTEST_STATUS
"""

import pathlib
import sys
import xml.etree.ElementTree as xml


def cases_of(path):
    """(passed, failed, skipped) of one gtest or pytest result file."""
    passed = failed = skipped = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun" or case.get("result") == "skipped":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main():
    folder, ctest_status = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    passed = failed = skipped = 0
    for path in sorted(folder.glob("*.xml")):
        try:
            counts = cases_of(path)
        except xml.ParseError:
            counts = (0, 1, 0)  # the test binary died while it wrote
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    # A binary that crashed leaves no result file of its own: ctest knows.
    if ctest_status != 0 and failed == 0:
        failed = 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed or passed == 0 else 0)


if __name__ == "__main__":
    main()
