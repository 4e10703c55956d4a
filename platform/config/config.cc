// The settings of a process: text file, strictly read, paths resolved.
#include "platform/config/config.h"

#include <filesystem>
#include <set>
#include <string>

#include "platform/config/address.h"
#include "platform/config/textproto.h"
#include "taizhang/config/v1/config.pb.h"

namespace taizhang {
namespace {

absl::Status check_address(const std::string& path, const char* setting, const std::string& text) {
  const auto address = loopback_address(text);
  if (address.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(path + ": " + setting + ": " +
                                    std::string(address.status().message()));
}

absl::Status check_readers(const std::string& path, const config::v1::Readers& readers) {
  std::set<std::string> names;
  for (const auto& reader : readers.reader()) {
    if (!names.insert(reader.name()).second) {
      return absl::InvalidArgumentError(path + ": readers.reader.name: \"" + reader.name() +
                                        "\" stands twice");
    }
    if (auto good = check_address(path, "readers.reader.address", reader.address()); !good.ok())
      return good;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status load_config(const std::string& path, config::v1::Config& config) {
  if (auto read = load_textproto(path, config); !read.ok()) return read;
  if (auto good = check_address(path, "listen", config.listen()); !good.ok()) return good;
  if (auto good = check_address(path, "admin_listen", config.admin_listen()); !good.ok())
    return good;
  if (auto good = check_readers(path, config.readers()); !good.ok()) return good;
  const auto folder = std::filesystem::absolute(path).parent_path();
  config.set_data_dir((folder / config.data_dir()).lexically_normal());
  config.set_keys_dir(config.keys_dir().empty()
                          ? config.data_dir()
                          : (folder / config.keys_dir()).lexically_normal().string());
  config.set_token_file((folder / config.token_file()).lexically_normal());
  return absl::OkStatus();
}

}  // namespace taizhang
