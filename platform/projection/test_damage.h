// Damage of a view's files, for tests.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

namespace taizhang::testing {

// Printable, the same for the same number, and cannot be packed into a few bytes.
inline std::string incompressible_text(unsigned number, size_t bytes) {
  std::mt19937 random(number);
  std::string text(bytes, '0');
  for (char& one : text) one = static_cast<char>('!' + random() % 90);
  return text;
}

// Flips a bit in the middle of the largest table file below the directory: among the rows.
inline void flip_a_byte(const std::string& directory) {
  std::filesystem::path largest;
  uintmax_t size = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(directory)) {
    if (file.path().extension() != ".sst" || file.file_size() <= size) continue;
    largest = file.path();
    size = file.file_size();
  }
  ASSERT_GT(size, 100'000U) << "the rows stand in one file, which is mostly rows";
  std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
  const auto at = static_cast<std::streamoff>(size / 2);
  file.seekg(at);
  const char byte = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 0x10));
}

}  // namespace taizhang::testing
