// Places.
#include "projections/common/place.h"

#include "domain/region.h"

namespace taizhang {
namespace {

constexpr size_t kTownshipDigits = 9;
constexpr size_t kVillageDigits = 12;

}  // namespace

bool Place::is_within(std::string_view region) const {
  if (region.empty()) return true;
  return region_within(village.empty() ? township : village, region);
}

Place place_of(std::string_view region) {
  Place place;
  if (region.size() >= kTownshipDigits) place.township = region.substr(0, kTownshipDigits);
  if (region.size() >= kVillageDigits) place.village = region.substr(0, kVillageDigits);
  return place;
}

}  // namespace taizhang
