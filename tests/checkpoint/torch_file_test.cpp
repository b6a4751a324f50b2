#include "checkpoint/torch_file.h"

#include <gtest/gtest.h>

#include "base/archive_files.h"
#include "base/zip_writer.h"
#include "checkpoint/torch_writer.h"

using namespace vesalius;

namespace {

using namespace std::string_literals;

TEST(TorchFile, WhatIsWrittenComesBack) {
  const std::map<std::string, at::Tensor> tensors{{"a", at::arange(12.F).view({3, 4}).t()},
                                                  {"b", at::arange(5).gt(2)},
                                                  {"c", at::empty({0, 2})}};
  write_torch_file(scratch("a.pt"), tensors, {.key = "state_dict", .prefix = "model."});
  const auto read = read_torch_file(scratch("a.pt"), {.prefix = "model."});
  ASSERT_EQ(read.size(), 3U);
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
  EXPECT_THROW(write_torch_file(scratch("z.pt"), {{"z", at::zeros({2}, at::kComplexFloat)}}),
               Error);
  EXPECT_FALSE(fs::exists(scratch("z.pt")));
}

TEST(TorchFile, TensorsOutliveTheMapAndTheFile) {
  write_torch_file(scratch("kept.pt"), {{"x", at::arange(1000.F)}});
  const at::Tensor kept = read_torch_file(scratch("kept.pt")).at("x");
  fs::remove(scratch("kept.pt"));
  EXPECT_EQ(kept.sum().item<float>(), 499500.F);
}

/// A file around this pickle, with a storage 0 of 300 floats (0x3f3f3f3f each).
fs::path around(const std::string& pickle) {
  ZipWriter zip(scratch("around.pt"));
  zip.add("a/data.pkl", pickle);
  zip.add("a/data/0", std::string(1200, '\x3f'));
  zip.commit();
  return scratch("around.pt");
}

std::string tensor_pickle(const std::string& type, const std::string& count) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((X" + le32(7) + "storagectorch\n" + type + "\nX" +
         le32(1) + "0X" + le32(3) + "cpu" + count + "tQK\0("s + count + "t(K\x01t\x89}t" + "R";
}

TEST(TorchFile, OneNameTwiceIsRefused) {
  const std::string entry = "X" + le32(1) + "w" + tensor_pickle("FloatStorage", "K\x05");
  EXPECT_EQ(read_torch_file(around("\x80\x02}(" + entry + "u.")).at("w").numel(), 5);
  const auto path = around("\x80\x02}(" + entry + entry + "u.");
  EXPECT_NE(refusal(path.string(), [&] { read_torch_file(path); }).find("names 'w' twice"),
            std::string::npos);
}

TEST(TorchFile, TruthValuesOfAnyByteAreTrue) {
  const auto path =
      around("\x80\x02}X" + le32(1) + "w" + tensor_pickle("BoolStorage", "K\x05") + "s.");
  EXPECT_EQ(read_torch_file(path).at("w").sum().item<int64_t>(), 5);
}

/// Has the header of data/0 give a byte of its padding to the content, which moves by one.
void unalign(const fs::path& path) {
  std::string file = content_of(path);
  const size_t header = file.find("PK\x03\x04", 1);
  uint16_t extra = 0;
  std::memcpy(&extra, file.data() + header + 28, sizeof extra);
  put<uint16_t>(file, header + 28, extra - 1);
  std::ofstream(path, std::ios::binary) << file;
}

TEST(TorchFile, UnalignedValuesAreRead) {
  const auto path =
      around("\x80\x02}X" + le32(1) + "w" + tensor_pickle("FloatStorage", "K\x05") + "s.");
  unalign(path);
  const auto words = read_torch_file(path).at("w").view(at::kInt);
  EXPECT_EQ(words[0].item<int>(), 0x3F3F3F5A);  // 'Z', of the padding
  EXPECT_EQ(words[1].item<int>(), 0x3F3F3F3F);
}

TEST(TorchFile, TensorsOfOneStorageShareItAlsoWhereItIsCopied) {
  for (const char* type : {"FloatStorage", "BoolStorage"}) {
    const auto tensor = tensor_pickle(type, "K\x05");
    const auto path =
        around("\x80\x02}(X" + le32(1) + "v" + tensor + "X" + le32(1) + "w" + tensor + "u.");
    for (const bool aligned : {true, false}) {
      if (!aligned) unalign(path);
      const auto read = read_torch_file(path);
      EXPECT_EQ(read.at("v").const_data_ptr(), read.at("w").const_data_ptr()) << type << aligned;
    }
  }
}

/// Where the records of a small archive of two entries stand.
struct Layout {
  size_t descriptor, directory, second, end64, locator;
};

/// Moves all behind the content of the first entry, which is empty, `hole` bytes on: its size and
/// the second entry's offset move into 64-bit fields. Returns what follows the hole.
std::string moved_on(const std::string& file, const Layout& at, uint64_t hole) {
  std::string first = file.substr(at.directory, at.second - at.directory),
              second = file.substr(at.second, at.end64 - at.second), tail = file.substr(at.end64);
  uint32_t offset = 0;
  std::memcpy(&offset, second.data() + 42, 4);
  put(first, 20, ~uint64_t{0});  // both sizes
  put<uint16_t>(first, 30, 20);
  first += "\x01\0\x10\0"s + le64(hole) + le64(hole);
  put(second, 42, ~uint32_t{0});
  put<uint16_t>(second, 30, 12);
  second += "\x01\0\x08\0"s + le64(offset + hole);
  put(tail, 40, uint64_t{first.size() + second.size()});
  put(tail, 48, at.directory + hole);
  put(tail, at.locator - at.end64 + 8, at.directory + hole + first.size() + second.size());
  put(tail, tail.size() - 10, ~uint64_t{0});
  return file.substr(at.descriptor, at.directory - at.descriptor) + first + second + tail;
}

TEST(TorchFile, FilesBeyondFourGigabytes) {
  constexpr uint64_t kHole = uint64_t{5} << 30;  // takes no disk
  const auto path = scratch("large.pt");
  ZipWriter zip(path);
  zip.add("a/data/0", "");
  const std::string count = "\x8a\x05\0\0\0\x50\0"s;  // 5 GB of float32
  zip.add("a/data.pkl", "\x80\x02}X" + le32(1) + "w" + tensor_pickle("FloatStorage", count) + "s.");
  zip.commit();
  const std::string file = content_of(path);
  const Layout at{file.find("PK\x07\x08"), file.find("PK\x01\x02"), file.rfind("PK\x01\x02"),
                  file.rfind("PK\x06\x06"), file.rfind("PK\x06\x07")};
  std::ofstream out(path, std::ios::binary);
  out << file.substr(0, at.descriptor);
  out.seekp(static_cast<std::streamoff>(at.descriptor + kHole));
  out << moved_on(file, at, kHole);
  out.close();
  const auto tensor = read_torch_file(path).at("w");
  fs::remove(path);
  EXPECT_EQ(tensor.numel(), int64_t{5} << 28);
  EXPECT_EQ(tensor[-1].item<float>(), 0.F);
}

}  // namespace
