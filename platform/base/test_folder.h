// For tests: an empty folder of its own, gone with all that is in it when the test ends. Whatever
// keeps files open in it is declared behind it.
#pragma once

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>

namespace taizhang::testing {

class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / "taizhang-test-XXXXXX") {
    if (mkdtemp(path_.data())) return;
    perror(path_.c_str());  // no test that uses it can go on
    abort();
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace taizhang::testing
