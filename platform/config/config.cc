// The settings of a process: text file, strictly read, paths resolved.
#include "platform/config/config.h"

#include <filesystem>

#include "platform/config/address.h"
#include "platform/config/textproto.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {

absl::Status load_config(const std::string& path, config::v1::Config& config) {
  if (auto read = load_textproto(path, config); !read.ok()) return read;
  if (const auto address = loopback_address(config.listen()); !address.ok()) {
    return absl::InvalidArgumentError(path +
                                      ": listen: " + std::string(address.status().message()));
  }
  const auto folder = std::filesystem::absolute(path).parent_path();
  config.set_data_dir((folder / config.data_dir()).lexically_normal());
  config.set_token_file((folder / config.token_file()).lexically_normal());
  return absl::OkStatus();
}

}  // namespace taizhang
