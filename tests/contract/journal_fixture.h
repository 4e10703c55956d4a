// The journal of the fixture as today's program writes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "platform/journal/segments/segment_log.h"
#include "platform/journal/testing/history.h"
#include "platform/journal/testing/simulated_disk.h"

namespace taizhang::journal {

inline constexpr const char* kFixtureDirectory = "/journal";  // on the simulated disk

segments::SegmentOptions fixture_options(testing::SimulatedDisk& disk,
                                         testing::SeededRandom& random);

// By name: the segments, expected.txt with what reads back (one line a record, hexadecimal) and
// head.txt with the head after the last.
absl::StatusOr<std::map<std::string, std::string>> made_fixture();

}  // namespace taizhang::journal
