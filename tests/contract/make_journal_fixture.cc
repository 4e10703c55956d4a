// Writes the fixture of the journal's format: make_journal_fixture FOLDER (an empty one). Once a
// format: what is stored is kept for ever.
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/contract/journal_fixture.h"

namespace {

int fail(const std::string& why) {
  std::cerr << "make_journal_fixture: " << why << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  if (argc != 2) return fail("give the empty folder to write to");
  const fs::path folder = argv[1];
  if (!fs::is_directory(folder) || !fs::is_empty(folder))
    return fail(folder.string() + " is no empty folder");
  const auto files = taizhang::journal::made_fixture();
  if (!files.ok()) return fail(files.status().ToString());
  for (const auto& [name, content] : *files) {
    std::ofstream out(folder / name, std::ios::binary);
    out << content;
    if (!out.flush()) return fail("cannot write " + (folder / name).string());
  }
  return 0;
}
