#include "catalog/verify.h"

#include <algorithm>
#include <fstream>

#include "catalog/install.h"
#include "catalog/scene.h"

namespace vesalius::catalog {
namespace {

class Verify : public Scene {
 protected:
  static const Check& find(const Verification& verified, const std::string& what) {
    const auto found = std::ranges::find(verified.checks, what, &Check::what);
    if (found == verified.checks.end()) throw std::runtime_error("no check " + what);
    return *found;
  }
};

TEST_F(Verify, ComparesASeededPackageWithTheReferenceImplementation) {
  make_tiny();
  const auto verified = verify_model(tiny.string());
  EXPECT_TRUE(verified.passed());
  EXPECT_TRUE(mentions(verified.reference, "PyTorch")) << verified.reference;
  EXPECT_EQ(verified.checks.size(), 2U + 2U + 4U);  // hash, arithmetic; image, tokens; texts
  EXPECT_LT(find(verified, "image").difference, 1e-4);
  EXPECT_GT(find(verified, "image").difference, 0.0);  // another program's rounding
}

TEST_F(Verify, SaysWhenNothingIsStored) {
  make_tiny(8);
  const auto verified = verify_model(tiny.string());
  EXPECT_TRUE(verified.passed());
  EXPECT_TRUE(verified.reference.empty());
  EXPECT_EQ(verified.checks.size(), 2U);
}

TEST_F(Verify, SeesOneFlippedBit) {
  const auto made = make_tiny();
  {
    std::fstream file(made.weights, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(made.bytes) - 6'000'000;
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }
  const auto verified = verify_model(tiny.string());
  EXPECT_FALSE(verified.passed());
  EXPECT_FALSE(find(verified, "weights hash").passed);
  EXPECT_FALSE(find(verified, "seeded values").passed);
}

TEST_F(Verify, SeesOutputsThatChanged) {
  make_tiny(8);
  install_package("mine", tiny);
  const fs::path file = home() / "models/mine/golden.json";
  EXPECT_TRUE(verify_model("mine").passed());
  Json golden = read_json(file);
  Json& value = golden["image"]["values"][5];
  value = value.get<double>() + 1e-3 * golden["image"]["largest"].get<double>();
  golden["texts"][2]["ids"][1] = 0;
  golden["texts"][3]["length"] = nullptr;  // what a NaN is stored as
  write_file(file, dump_json(golden));
  const auto verified = verify_model("mine");
  EXPECT_FALSE(find(verified, "image").passed);
  EXPECT_NEAR(find(verified, "image").difference, 1e-3, 1e-4);
  EXPECT_FALSE(find(verified, "tokens").passed);
  EXPECT_FALSE(verified.checks.back().passed);
  EXPECT_TRUE(find(verified, "text ''").passed);
}

TEST_F(Verify, RefusesWhatIsNoModel) {
  refusal(ErrorCode::kModel, [&] { verify_model((root / "nowhere").string()); });
}

TEST(GoldenImage, UsesTheWholeRange) {
  const auto image = golden_image({.size = 96});
  EXPECT_EQ(image.sizes(), (std::vector<int64_t>{1, 3, 96, 96}));
  EXPECT_NEAR(image[0][0][0][0].item<float>(), -0.485F / 0.229F, 1e-6);
  EXPECT_NEAR(image.max().item<float>(), (1 - 0.406F) / 0.225F, 0.1);
}

}  // namespace
}  // namespace vesalius::catalog
