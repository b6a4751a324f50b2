#include <gtest/gtest.h>

#include <cstring>

#include "checkpoint/safetensors.h"
#include "results/csv.h"
#include "results/json_line.h"
#include "results/vectors.h"
#include "tasks/manifest.h"
#include "tasks/scratch.h"

namespace vesalius::results {
namespace {

using testing::error_of;
using testing::Scratch;

const Json kProvenance = {{"model", "fake"}, {"recipe", "vesalius@1"}};

std::vector<tasks::Record> two_records() {
  return {
      {{{"input", "a,b.png"}, {"kind", "image"}, {"label", "CT \"x\""}},
       at::tensor({0.1F, -2.0F, 1e-7F})},
      {{{"input", "c.png"}, {"kind", "image"}, {"label", "MR"}}, at::tensor({0.3F, 0.0F, 1.0F})}};
}

void write(const fs::path& path, const std::vector<tasks::Record>& records) {
  const auto file = open_vector_file(path, kProvenance);
  for (const auto& record : records) file->add(record);
  file->finish();
}

TEST(JsonLine, KeysInOrderAndFloatsThatReadBackEqual) {
  const auto record = two_records()[0];
  const auto line = json_line(record.head, record.features, kProvenance);
  EXPECT_EQ(line,
            "{\"input\":\"a,b.png\",\"kind\":\"image\",\"label\":\"CT "
            "\\\"x\\\"\",\"features\":[0.1,-2,1e-07],"
            "\"model\":\"fake\",\"recipe\":\"vesalius@1\"}");
  const auto parsed = Json::parse(line);
  for (int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(parsed["features"][static_cast<size_t>(i)].get<float>(),
              record.features[i].item<float>());
}

TEST(JsonLine, EmptyPartsLeaveNoComma) {
  EXPECT_EQ(json_line(Json::object(), Json::object()), "{}");
  EXPECT_EQ(json_line(Json{{"a", 1}}, Json::object()), "{\"a\":1}");
  EXPECT_EQ(json_line(Json::object(), at::empty({0}), Json::object()), "{\"features\":[]}");
}

TEST(Csv, QuotesWhatMustBe) {
  EXPECT_EQ(csv_text("plain"), "plain");
  EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_text("say \"no\"\n"), "\"say \"\"no\"\"\n\"");
  EXPECT_EQ(csv_text(3), "3");
  EXPECT_EQ(csv_field({{"a", nullptr}}, "a"), "");
  EXPECT_EQ(csv_field({{"a", 1}}, "b"), "");
}

TEST(VectorFile, JsonLinesAndCsvReadBack) {
  const Scratch scratch;
  write(scratch / "v.jsonl", two_records());
  write(scratch / "v.csv", two_records());
  const auto lines = tasks::read_manifest(scratch / "v.jsonl");
  const auto rows = tasks::read_manifest(scratch / "v.csv");
  ASSERT_EQ(lines.size(), 2U);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(lines[1]["label"], "MR");
  EXPECT_EQ(rows[0]["input"], "a,b.png");
  EXPECT_EQ(rows[0]["label"], "CT \"x\"");
  EXPECT_EQ(rows[0]["recipe"], "vesalius@1");
  EXPECT_EQ(rows[0]["f1"], "-2");
  EXPECT_EQ(rows[1]["f2"], "1");
}

TEST(VectorFile, CsvKeepsColumnsThatOnlyLaterRecordsHave) {
  const Scratch scratch;
  auto records = two_records();
  records[0].head["note"] = "first, only";
  records[1].head["sop_instance_uid"] = "1.2.3";
  records[1].head["warnings"] = {"constant image"};
  records.push_back({{{"study", "a\nb"}, {"input", "d.png"}}, at::tensor({5.0F, 6.0F, 7.0F})});
  write(scratch / "v.csv", records);
  const auto rows = tasks::read_manifest(scratch / "v.csv");
  ASSERT_EQ(rows.size(), 3U);
  const std::vector<std::vector<std::pair<const char*, const char*>>> expected{
      {{"input", "a,b.png"}, {"note", "first, only"}, {"sop_instance_uid", ""}, {"study", ""}},
      {{"input", "c.png"}, {"note", ""}, {"sop_instance_uid", "1.2.3"}, {"study", ""}},
      {{"input", "d.png"}, {"kind", ""}, {"warnings", ""}, {"study", "a\nb"}, {"f2", "7"}}};
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const auto& [name, value] : expected[i]) EXPECT_EQ(rows[i][name], value) << i << name;
    EXPECT_EQ(rows[i]["model"], "fake");
    EXPECT_EQ(rows[i].size(), rows[0].size());
  }
  EXPECT_EQ(rows[1]["warnings"], R"(["constant image"])");
}

TEST(VectorFile, WithoutRecordsThereIsNothingInIt) {
  const Scratch scratch;
  for (const char* name : {"v.jsonl", "v.csv"}) {
    write(scratch / name, {});
    EXPECT_EQ(read_text(scratch / name), "") << name;
  }
  write(scratch / "v.npy", {});
  EXPECT_NE(read_text(scratch / "v.npy").find("'shape': (0, 0)"), std::string::npos);
  EXPECT_EQ(read_json(scratch / "v.npy.json")["records"], Json::array());
}

TEST(VectorFile, NpyIsWhatNumpyReads) {
  const Scratch scratch;
  write(scratch / "v.npy", two_records());
  const auto bytes = read_text(scratch / "v.npy");
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  EXPECT_NE(bytes.find("'shape': (2, 3)"), std::string::npos);
  const size_t data = bytes.size() - 6 * sizeof(float);
  EXPECT_EQ(data % 64, 0U);
  EXPECT_EQ(bytes[data - 1], '\n');
  float second = 0;
  std::memcpy(&second, bytes.data() + data + sizeof(float), sizeof(float));
  EXPECT_EQ(second, -2.0F);
  const auto beside = read_json(scratch / "v.npy.json");
  EXPECT_EQ(beside["records"][1]["input"], "c.png");
  EXPECT_EQ(beside["provenance"]["model"], "fake");
}

TEST(VectorFile, SafetensorsHoldMatrixAndMetadata) {
  const Scratch scratch;
  write(scratch / "v.safetensors", two_records());
  const auto tensors = read_safetensors(scratch / "v.safetensors");
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_TRUE(at::equal(tensors.at("features")[1], two_records()[1].features));
  const auto bytes = read_text(scratch / "v.safetensors");
  uint64_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  const auto header = Json::parse(bytes.substr(8, size));
  const auto records = Json::parse(header["__metadata__"]["records"].get<std::string>());
  EXPECT_EQ(records[0]["label"], "CT \"x\"");
}

TEST(VectorFile, UnequalLengthsAreRefusedWhereTheFormatNeedsThem) {
  const Scratch scratch;
  auto records = two_records();
  records[1].features = at::zeros({7});
  write(scratch / "v.jsonl", records);
  for (const char* name : {"v.npy", "v.safetensors", "v.csv"}) {
    error_of(ErrorCode::kUsage, [&] { write(scratch / name, records); });
    EXPECT_FALSE(fs::exists(scratch / name)) << name;
  }
}

TEST(VectorFile, NothingStandsThereBeforeTheEnd) {
  const Scratch scratch;
  for (const char* name : {"v.jsonl", "v.csv", "v.npy", "v.safetensors"}) {
    {
      const auto file = open_vector_file(scratch / name, kProvenance);
      file->add(two_records()[0]);
      EXPECT_FALSE(fs::exists(scratch / name)) << name;
    }
    EXPECT_TRUE(fs::is_empty(scratch.path())) << name;
  }
}

TEST(VectorFile, OtherExtensionsAndPlacesAreRefused) {
  const Scratch scratch;
  error_of(ErrorCode::kUsage, [&] { open_vector_file(scratch / "v.parquet", kProvenance); });
  error_of(ErrorCode::kUsage, [&] { open_vector_file(scratch / "v", kProvenance); });
  error_of(ErrorCode::kFailed, [] { open_vector_file("/proc/none/v.jsonl", kProvenance); });
}

}  // namespace
}  // namespace vesalius::results
