// Lists of assets.
#include "projections/asset_register/list.h"

#include "domain/region.h"
#include "projections/asset_register/life.h"

namespace taizhang::asset_register {
namespace {

using state::v1::Asset;
using state::v1::AssetByHolder;

bool fits(const Snapshot& snapshot, const AssetFilter& filter, const Asset& asset) {
  return on_record(asset, snapshot.effective_day()) &&
         (filter.region.empty() || region_within(asset.region(), filter.region)) &&
         (filter.asset_class == assets::v1::ASSET_CLASS_UNSPECIFIED ||
          asset.asset_class() == filter.asset_class);
}

// visit(key, asset) -> false stops. `after`: a key of this list; empty: from the first.
template <class Visit>
void walk(const Snapshot& snapshot, const AssetFilter& filter, std::string_view after,
          const Visit& visit) {
  if (filter.holder.kind() != common::v1::SUBJECT_KIND_UNSPECIFIED) {
    snapshot.scan_after<AssetByHolder>(
        after,
        [&](const AssetByHolder& held) {
          return visit(row_type<AssetByHolder>().key_of(held),
                       snapshot.get<Asset>(held.region(), held.asset_id()));
        },
        static_cast<int32_t>(filter.holder.kind()), filter.holder.id());
    return;
  }
  // Keys begin with the digits of the region, so those of a region and of all in it stand together.
  // Behind every key that begins with the region's digits less one, the scan is at the first of
  // them.
  std::string from(after);
  if (from.empty() && !filter.region.empty()) {
    from = filter.region;
    --from.back();
  }
  snapshot.scan_after<Asset>(from, [&](const Asset& asset) {
    if (!filter.region.empty() && !region_within(asset.region(), filter.region)) return false;
    return visit(row_type<Asset>().key_of(asset), asset);
  });
}

}  // namespace

void each_asset(const Snapshot& snapshot, const AssetFilter& filter,
                const std::function<void(const Asset&)>& visit) {
  walk(snapshot, filter, {}, [&](const std::string&, const Asset& asset) {
    if (fits(snapshot, filter, asset)) visit(asset);
    return true;
  });
}

void page_assets(const Snapshot& snapshot, const AssetFilter& filter,
                 const std::function<bool(const Asset&)>& visit) {
  int taken = 0;
  int read = 0;
  std::string last;
  walk(snapshot, filter, snapshot.page().after(), [&](const std::string& key, const Asset& asset) {
    if (taken == snapshot.page().size() || read == Snapshot::kPageRowsReadMax) {
      snapshot.page().next_after(last);
      return false;
    }
    ++read;
    last = key;
    if (fits(snapshot, filter, asset) && visit(asset)) {
      snapshot.page().place(nullptr, key);
      ++taken;
    }
    return true;
  });
}

}  // namespace taizhang::asset_register
