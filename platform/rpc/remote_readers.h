// Connections to the readers of other installations.
#pragma once

#include <memory>

namespace taizhang {

namespace config::v1 {
class Readers;
}
namespace lists {
class ReaderDirectory;
}

// Null: there are none. Connects when somebody is asked, and again by itself. Its end cancels the
// calls that run and waits for them.
std::unique_ptr<lists::ReaderDirectory> connect_readers(const config::v1::Readers& settings);

}  // namespace taizhang
