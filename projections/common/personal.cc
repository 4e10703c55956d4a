// Opening sealed content.
#include "projections/common/personal.h"

#include "taizhang/common/v1/values.pb.h"

namespace taizhang {

bool open_personal(const Snapshot& snapshot, const common::v1::Sealed& sealed,
                   google::protobuf::Message& message) {
  constexpr uint32_t kPlain = 0;
  if (!snapshot.may_see_personal() || sealed.scheme() != kPlain) return false;
  if (message.ParseFromString(sealed.bytes())) return true;
  message.Clear();
  return false;
}

}  // namespace taizhang
