#include "checkpoint/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>

#include "base/error.h"
#include "checkpoint/safetensors_header.h"

using namespace vesalius;

namespace {

fs::path scratch(const std::string& name) {
  const auto folder =
      fs::temp_directory_path() / ("vesalius-checkpoint-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  return folder / name;
}

std::string file_of(const std::string& header, size_t data, uint64_t claimed = ~uint64_t{0}) {
  const uint64_t length = claimed == ~uint64_t{0} ? header.size() : claimed;
  return std::string(reinterpret_cast<const char*>(&length), 8) + header + std::string(data, '\1');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors_header(Bytes(reinterpret_cast<const uint8_t*>(file.data()), file.size()),
                                  "bad.pt");
}

struct Hostile {
  const char* what;
  std::string file;
  const char* says;  // part of the message
};

std::string nested(size_t depth) {
  return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
}

std::string one(const std::string& type, const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

const std::vector<Hostile> kHostile{
    {"nothing", "", "only 0 bytes"},
    {"seven bytes", "1234567", "only 7 bytes"},
    {"header longer than the file", file_of("{}", 0, 3), "claims 3 bytes"},
    {"header of 2^64 - 1 bytes", file_of("{}", 0, ~uint64_t{0} - 1), "claims"},
    {"header of 1 GB", file_of("{}", 0, 1 << 30), "claims"},
    {"header is no JSON", file_of("{\"a\":", 0), "not JSON"},
    {"a zip file", "PK\x03\x04" + std::string(100, '\0'), "claims"},
    {"header is a list", file_of("[]", 0), "not an object"},
    {"deep nesting", file_of(nested(1000000), 0), "wrong kind"},
    {"invalid UTF-8", file_of("{\"\xff\":{}}", 0), "not JSON"},
    {"entry is a number", file_of(R"({"a":1})", 0), "wrong kind"},
    {"no dtype", file_of(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4), "lacks"},
    {"unknown dtype", file_of(one("F8_E4M3", "[4]", "[0,4]"), 4), "unknown type 'F8_E4M3'"},
    {"dtype is a number", file_of(R"({"a":{"dtype":5,"shape":[1],"data_offsets":[0,4]}})", 4),
     "for dtype"},
    {"negative side", file_of(one("F32", "[-1]", "[0,4]"), 4), "for shape"},
    {"side is a fraction", file_of(one("F32", "[1.5]", "[0,4]"), 4), "for shape"},
    {"product overflows", file_of(one("F32", "[4294967296,4294967296]", "[0,4]"), 4), "larger"},
    {"an empty tensor with a stride past 2^63",
     file_of(one("F32", "[0,70368744177664,70368744177664]", "[0,0]"), 0), "larger"},
    {"an empty tensor, its zero last",
     file_of(one("F32", "[70368744177664,70368744177664,0]", "[0,0]"), 0), "larger"},
    {"side of 2^63", file_of(one("F32", "[9223372036854775808]", "[0,4]"), 4), "larger"},
    {"seventeen sides", file_of(one("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), 4),
     "for shape"},
    {"shape is text", file_of(one("F32", "\"1\"", "[0,4]"), 4), "for shape"},
    {"three offsets", file_of(one("F32", "[1]", "[0,4,8]"), 4), "data_offsets"},
    {"negative offset", file_of(one("F32", "[1]", "[-4,0]"), 4), "data_offsets"},
    {"offsets reversed", file_of(one("F32", "[1]", "[4,0]"), 4), "another number"},
    {"offsets of another size", file_of(one("F32", "[2]", "[0,4]"), 4), "another number"},
    {"offset past the end", file_of(one("F32", "[1]", "[0,4]"), 3), "3 are there"},
    {"offset near 2^64",
     file_of(one("F32", "[1]", "[18446744073709551612,18446744073709551615]"), 4),
     "another number"},
    {"data after the last tensor", file_of(one("F32", "[1]", "[0,4]"), 5), "5 are there"},
    {"gap at the start", file_of(one("F32", "[1]", "[4,8]"), 8), "overlap or gap"},
    {"overlap",
     file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
             8),
     "overlap or gap"},
    {"same bytes twice",
     file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
             4),
     "overlap or gap"},
    {"duplicate name",
     file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
             R"("a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
             8),
     "'a' twice"},
    {"metadata is a list", file_of(R"({"__metadata__":[1]})", 0), "__metadata__"},
    {"metadata is no text", file_of(R"({"__metadata__":{"a":1}})", 0), "for a"},
    {"an object in an entry", file_of(R"({"a":{"dtype":{}}})", 0), "for dtype"},
    {"an object in a shape", file_of(R"({"a":{"shape":[{}]}})", 0), "for shape"},
    {"an unknown field", file_of(R"({"a":{"stride":[1]}})", 0), "for stride"},
    {"two objects", file_of("{}{}", 0), "not JSON"},
    {"null", file_of("null", 0), "not an object"},
};

TEST(SafetensorsHeader, RefusesHostileFiles) {
  for (const Hostile& hostile : kHostile) {
    try {
      parse(hostile.file);
      ADD_FAILURE() << hostile.what << " was taken";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.code(), ErrorCode::kModel) << hostile.what;
      EXPECT_TRUE(message.starts_with("bad.pt: ")) << message;
      EXPECT_NE(message.find(hostile.says), std::string::npos) << hostile.what << ": " << message;
    }
  }
}

TEST(SafetensorsHeader, ManyNamesTakeNoLongTime) {
  std::string header = "{";
  for (int i = 0; i < 200000; ++i) header += fmt::format("\"n{}\":{{}},", i);
  header.back() = '}';
  EXPECT_THROW(parse(file_of(header, 0)), Error);  // in time, not in the square of it
}

TEST(SafetensorsHeader, TakesWhatIsSound) {
  EXPECT_TRUE(parse(file_of("{}", 0)).tensors.empty());
  EXPECT_TRUE(parse(file_of("{}      ", 0)).tensors.empty());
  const auto scalar = parse(file_of(one("F64", "[]", "[0,8]"), 8));
  EXPECT_EQ(scalar.tensors.at(0).count(), 1);
  const auto empty = parse(file_of(one("F32", "[0,5]", "[0,0]"), 0));
  EXPECT_EQ(empty.tensors.at(0).count(), 0);
  const auto meta = parse(file_of(R"({"__metadata__":{"format":"pt"}})", 0));
  EXPECT_EQ(meta.metadata.at("format"), "pt");
}

TEST(SafetensorsHeader, IsWrittenAsPublished) {
  std::vector<TensorEntry> tensors{{"b", TensorType::kU8, {3}, 0, 0},
                                   {"c", TensorType::kF32, {1, 2}, 0, 0},
                                   {"a", TensorType::kF16, {}, 0, 0}};
  const std::string header = make_safetensors_header(tensors);
  EXPECT_EQ(header.substr(8), R"({"c":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                              R"("a":{"dtype":"F16","shape":[],"data_offsets":[8,10]},)"
                              R"("b":{"dtype":"U8","shape":[3],"data_offsets":[10,13]}})"
                              "     ");
  EXPECT_EQ(header.size() % 8, 0U);
}

TEST(Safetensors, EveryTypeComesBack) {
  const auto path = scratch("types.safetensors");
  std::map<std::string, at::Tensor> written{{"scalar", at::scalar_tensor(1.5F)},
                                            {"none", at::empty({0, 3}, at::kFloat)},
                                            {"strided", at::arange(12.F).view({3, 4}).t()},
                                            {"bool", at::arange(5).gt(2)}};
  for (const auto type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte})
    written[std::string("x.") + at::toString(type)] = at::arange(7).to(type);
  write_safetensors(path, written, {{"format", "pt"}});
  const auto read = read_safetensors(path);
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, tensor] : written) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
  }
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Random shapes of up to four sides, some of them zero, some of them strided.
at::Tensor any_tensor(std::mt19937_64& random, at::ScalarType type) {
  std::vector<int64_t> shape(random() % 5);
  for (int64_t& side : shape) side = static_cast<int64_t>(random() % 6);
  int64_t count = 1;
  for (const int64_t side : shape) count *= side;
  const auto tensor = (at::arange(count) * 7 % 101).to(type).view(shape);
  return random() % 2 == 0 || shape.size() < 2 ? tensor : tensor.transpose(0, -1);
}

TEST(Safetensors, AnySetOfTensorsComesBackAndIsWrittenTheSameAgain) {
  constexpr at::ScalarType kAll[] = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                     at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};
  const auto path = scratch("any.safetensors"), again = scratch("again.safetensors");
  std::mt19937_64 random(3);
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, at::Tensor> written;
    for (size_t i = random() % 9; i > 0; --i) {
      const auto name = fmt::format("blocks.{}.\"w\"/ü", random() % 1000);
      written[name] = any_tensor(random, kAll[random() % 10]);
    }
    write_safetensors(path, written, {{"note", "a \"b\"\n"}});
    const auto read = read_safetensors(path);
    ASSERT_EQ(read.size(), written.size());
    for (const auto& [name, tensor] : written) {
      EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type());
      EXPECT_TRUE(at::equal(read.at(name), tensor)) << name;
    }
    write_safetensors(again, read, {{"note", "a \"b\"\n"}});
    const auto file = bytes_of(path);
    EXPECT_EQ(file, bytes_of(again));
    const auto header = parse(file);
    EXPECT_EQ(header.metadata.at("note"), "a \"b\"\n");
    for (const auto& entry : header.tensors)  // so that nothing has to be copied when it is read
      EXPECT_EQ((header.data_start + entry.begin) % static_cast<uint64_t>(type_bytes(entry.type)),
                0U);
  }
}

TEST(Safetensors, PlacesDecideNotTheOrderOfNames) {
  const auto path = scratch("order.safetensors");
  std::ofstream(path, std::ios::binary)
      << file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},)"
                 R"("none":{"dtype":"F64","shape":[0],"data_offsets":[1,1]},)"
                 R"("z":{"dtype":"I8","shape":[1,1],"data_offsets":[0,1]}})",
                 0)
      << "\x09\x05\x06";
  const auto read = read_safetensors(path);
  EXPECT_EQ(read.at("z").item<int>(), 9);
  EXPECT_EQ(read.at("a")[0].item<int>() * 10 + read.at("a")[1].item<int>(), 56);
  EXPECT_EQ(read.at("none").sizes(), std::vector<int64_t>{0});
}

TEST(Safetensors, TensorsOutliveTheMapAndTheFile) {
  const auto path = scratch("kept.safetensors");
  write_safetensors(path, {{"x", at::arange(1000.F)}});
  at::Tensor kept = read_safetensors(path).at("x");
  fs::remove(path);
  EXPECT_EQ(kept.sum().item<float>(), 499500.F);
}

TEST(Safetensors, UnalignedValuesAreRead) {
  const auto path = scratch("unaligned.safetensors");
  std::ofstream(path, std::ios::binary) << file_of(one("F32", "[1]", "[0,4]") + " ", 4);
  EXPECT_EQ(read_safetensors(path).at("a").view(at::kInt).item<int>(), 0x01010101);
}

TEST(Safetensors, TruthValuesOfAnyByteAreTrue) {
  const auto path = scratch("bool.safetensors");
  std::string file = file_of(one("BOOL", "[3]", "[0,3]"), 3);
  file[file.size() - 1] = '\0';
  file[file.size() - 2] = '\x7f';
  std::ofstream(path, std::ios::binary) << file;
  EXPECT_EQ(read_safetensors(path).at("a").sum().item<int64_t>(), 2);
}

TEST(Safetensors, ErrorsNameTheFile) {
  const auto path = scratch("cut.safetensors");
  write_safetensors(path, {{"x", at::arange(1000.F)}});
  fs::resize_file(path, fs::file_size(path) - 1);
  for (const auto& bad : {path, scratch("absent.safetensors"), path.parent_path()}) {
    try {
      read_safetensors(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(bad.string()), std::string::npos) << error.what();
    }
  }
}

TEST(Safetensors, RefusesTypesThatTheFormatLacks) {
  EXPECT_THROW(
      write_safetensors(scratch("complex.safetensors"), {{"z", at::zeros({2}, at::kComplexFloat)}}),
      Error);
  EXPECT_FALSE(fs::exists(scratch("complex.safetensors")));
}

TEST(Safetensors, AFullDiskLeavesNothingBehind) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  // The writer's hidden file is led to the device that is always full.
  const auto path = scratch("full.safetensors");
  auto hidden = path;
  hidden.replace_filename("." + path.filename().string() + "." + std::to_string(::getpid()) +
                          ".part");
  fs::create_symlink("/dev/full", hidden);
  EXPECT_THROW(write_safetensors(path, {{"x", at::zeros({1 << 20})}}), Error);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(fs::is_symlink(hidden));
}

}  // namespace
