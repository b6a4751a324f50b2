// Adding, verifying and imitating BiomedParse's family.
#include <algorithm>
#include <fstream>

#include "catalog/install.h"
#include "catalog/parse_scene.h"
#include "catalog/segmentation_model.h"
#include "catalog/verify.h"

namespace vesalius::catalog {
namespace {

class ParseModels : public ParseScene {
 protected:
  static const Check& find(const Verification& verified, const std::string& what) {
    const auto found = std::ranges::find(verified.checks, what, &Check::what);
    if (found == verified.checks.end()) throw std::runtime_error("no check " + what);
    return *found;
  }
};

TEST_F(ParseModels, AddedTheyOpenByNameAndVerify) {
  for (const char* model :
       {"biomedparse-v1", "biomedparse-v2", "medimageparse", "medimageparse3d"}) {
    SCOPED_TRACE(model);
    const auto made = make(model);
    int64_t told = 0;
    const auto added =
        install_package("mine", tiny, {.advance = [&](int64_t bytes) { told += bytes; }});
    EXPECT_EQ(told, install_work(find_package(tiny)));
    EXPECT_EQ(added.weights_sha256, made.sha256);
    EXPECT_TRUE(mentions(added.remark, "seeded"));
    EXPECT_EQ(open_segmentation_model("mine")->weights_sha256(), made.sha256);
    const auto verified = verify_model("mine");
    EXPECT_TRUE(verified.passed());
    const bool second = std::string(model) != "biomedparse-v1";
    EXPECT_EQ(verified.checks.size(), 2U + 1U + (second ? 6U : 3U));
    EXPECT_LT(find(verified, "mask 'liver'").difference, 1e-4);
    remove_package("mine");
    fs::remove_all(tiny);
  }
}

// make_parse_golden.py stored what the published code gives for these very packages.
TEST_F(ParseModels, SeededOnesAreComparedWithThePublishedCode) {
  for (const char* model :
       {"biomedparse-v1", "biomedparse-v2", "medimageparse", "medimageparse3d"}) {
    SCOPED_TRACE(model);
    make(model);
    const auto verified = verify_model(tiny.string());
    EXPECT_TRUE(mentions(verified.reference, "the published code of BiomedParse"));
    EXPECT_TRUE(verified.passed());
    for (const auto& check : verified.checks) EXPECT_LT(check.difference, 2e-5) << check.what;
    fs::remove_all(tiny);
  }
}

TEST_F(ParseModels, OutputsThatChangedAreSeen) {
  make("biomedparse-v2", 8);  // of which nothing is stored in the catalog
  install_package("mine", tiny);
  const fs::path file = home() / "models/mine/golden.json";
  Json golden = read_json(file);
  auto& rows = golden["prompts"];
  Json& value = rows[0]["mask"]["values"][5];
  value = value.get<double>() + 0.02 * rows[0]["mask"]["largest"].get<double>();
  rows[1]["existence"] = rows[1]["existence"].get<double>() + 0.1;
  rows[1]["ids"][1] = 0;
  rows[2]["existence"] = nullptr;  // what a NaN is stored as
  write_file(file, dump_json(golden));
  const auto verified = verify_model("mine");
  EXPECT_FALSE(find(verified, "mask 'liver'").passed);
  EXPECT_TRUE(find(verified, "existence 'liver'").passed);
  EXPECT_FALSE(find(verified, "existence 'left kidney'").passed);
  EXPECT_FALSE(find(verified, "tokens").passed);
  EXPECT_FALSE(find(verified, "existence 'enhancing tumor in brain MRI'").passed);
}

TEST_F(ParseModels, OneFlippedBitIsSeen) {
  for (const char* model : {"biomedparse-v1", "biomedparse-v2", "medimageparse"}) {
    const auto made = make(model);
    EXPECT_TRUE(find(verify_model(tiny.string()), "seeded values").passed) << model;
    {
      std::fstream file(made.weights, std::ios::in | std::ios::out | std::ios::binary);
      const auto at = static_cast<std::streamoff>(made.bytes / 2);
      file.seekg(at);
      const char byte = static_cast<char>(file.get() ^ 1);
      file.seekp(at);
      file.put(byte);
    }
    const auto verified = verify_model(tiny.string());
    EXPECT_FALSE(find(verified, "weights hash").passed) << model;
    EXPECT_FALSE(find(verified, "seeded values").passed) << model;
    fs::remove_all(tiny);
  }
}

TEST_F(ParseModels, AnotherSeedIsAnotherFileAndTheSameIsTheSame) {
  const auto first = make("biomedparse-v1").sha256;
  EXPECT_EQ(make("biomedparse-v1").sha256, first);
  EXPECT_NE(make("biomedparse-v1", 8).sha256, first);
}

TEST_F(ParseModels, DefinitionsAreKeptWhateverTheSeed) {
  const auto v2 = read_weights(make("biomedparse-v2").weights);
  EXPECT_TRUE(at::equal(v2.at("pixel_mean"), at::full({1, 3, 1, 1}, 114.495F)));
  EXPECT_TRUE(at::equal(v2.at("pixel_std"), at::full({1, 3, 1, 1}, 57.63F)));
  fs::remove_all(tiny);
  const auto v1 = read_weights(make("biomedparse-v1").weights);
  EXPECT_TRUE(at::equal(v1.at("dilation_kernel"), at::ones({1, 1, 3, 3})));
}

TEST_F(ParseModels, SizesAreCheckedBeforeAnythingIsWritten) {
  refusal(ErrorCode::kUsage, [&] { write_seeded_package("biomedparse-v1", "huge", {}, tiny); });
  EXPECT_FALSE(fs::exists(tiny));
  EXPECT_LT(seeded_work("tiny", "biomedparse-v2"), 60'000'000);
  EXPECT_EQ(seeded_work("full", "biomedparse-v2"), 2 * 4 * int64_t{371'798'784});
}

}  // namespace
}  // namespace vesalius::catalog
