#include "tasks/vocabulary.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "tasks/existence.h"

namespace vesalius::tasks {
namespace {

std::string key_of(const ImageHints& hints) {
  const ImageKind* kind = kind_of(hints);
  return kind == nullptr ? "" : kind->key;
}

TEST(Vocabulary, FourteenKindsAreRecognisedAndAllHaveTargets) {
  int recognised = 0;
  std::set<std::string> keys;
  for (const auto& kind : image_kinds()) {
    recognised += kind.recognised.empty() ? 0 : 1;
    EXPECT_FALSE(targets_to_try(kind).empty()) << kind.key;
    EXPECT_TRUE(keys.insert(kind.key).second) << kind.key;
  }
  EXPECT_EQ(recognised, 14);
}

TEST(Vocabulary, NoTargetIsNamedTwice) {
  for (const auto& kind : image_kinds()) {
    std::set<std::string> names(kind.recognised.begin(), kind.recognised.end());
    names.insert(kind.further.begin(), kind.further.end());
    EXPECT_EQ(names.size(), kind.recognised.size() + kind.further.size()) << kind.key;
  }
}

TEST(Vocabulary, EveryRecognisedTargetHasAStatistic) {
  // The two published tables go together: what is tried can be tested.
  const auto& table = published_existence();
  size_t recognised = 0;
  for (const auto& kind : image_kinds()) {
    if (kind.recognised.empty()) continue;
    ASSERT_TRUE(table.contains(kind.key)) << kind.key;
    for (const auto& target : kind.recognised)
      EXPECT_TRUE(table.at(kind.key).contains(target)) << kind.key << ": " << target;
    recognised += kind.recognised.size();
  }
  EXPECT_EQ(recognised, 52U);
}

TEST(Vocabulary, KeysAreFoundHoweverTheyAreWritten) {
  for (const char* key : {"CT-Abdomen", "ct-abdomen", "CT Abdomen", "ct_abdomen", "CTAbdomen"})
    EXPECT_EQ(image_kind(key).key, "CT-Abdomen") << key;
  EXPECT_EQ(image_kind("x-ray chest").key, "X-Ray-Chest");
}

TEST(Vocabulary, AnUnknownKeyListsThoseThereAre) {
  for (const char* key : {"", "CT", "PET-Abdomen"}) {
    try {
      image_kind(key);
      FAIL() << key;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      const std::string text = error.what();
      for (const auto& kind : image_kinds())
        EXPECT_NE(text.find(kind.key), std::string::npos) << kind.key;
    }
  }
}

TEST(Vocabulary, WhatIsTriedIsTheRecognitionListAndElseTheRest) {
  EXPECT_EQ(targets_to_try(image_kind("CT-Liver")), (std::vector<std::string>{"vessel", "tumor"}));
  EXPECT_EQ(targets_to_try(image_kind("CT-Pelvis")), std::vector<std::string>{"uterus"});
  const auto& transperineal = targets_to_try(image_kind("Ultrasound-Transperineal"));
  EXPECT_EQ(transperineal[0], "public symphysis");  // as it was trained
}

TEST(Vocabulary, DicomHeadersNameAKind) {
  EXPECT_EQ(key_of({"CT", "ABDOMEN", ""}), "CT-Abdomen");
  EXPECT_EQ(key_of({"CT", "ABDOMENPELVIS", ""}), "CT-Abdomen");
  EXPECT_EQ(key_of({"CT", "chest", ""}), "CT-Chest");
  EXPECT_EQ(key_of({"CT", "", "Thorax 3.0 native"}), "CT-Chest");
  EXPECT_EQ(key_of({"CR", "CHEST", ""}), "X-Ray-Chest");
  EXPECT_EQ(key_of({"DX", "", "Chest PA"}), "X-Ray-Chest");
  EXPECT_EQ(key_of({"OP", "", ""}), "Fundus");
  EXPECT_EQ(key_of({"OPT", "EYE", ""}), "OCT");
  EXPECT_EQ(key_of({"ES", "COLON", ""}), "Endoscopy");
  EXPECT_EQ(key_of({"SM", "", ""}), "Pathology");
  EXPECT_EQ(key_of({"US", "HEART", ""}), "Ultrasound-Cardiac");
  EXPECT_EQ(key_of({"XC", "SKIN", ""}), "Dermoscopy");
}

TEST(Vocabulary, BrainsAreToldApartByTheirSequence) {
  EXPECT_EQ(key_of({"MR", "BRAIN", "AX T2 FLAIR"}), "MRI-FLAIR-Brain");
  EXPECT_EQ(key_of({"MR", "HEAD", "t1 mprage gd"}), "MRI-T1-Gd-Brain");
  EXPECT_EQ(key_of({"MR", "HEAD", "AX T1 POST"}), "MRI-T1-Gd-Brain");
  EXPECT_EQ(key_of({"MR", "BRAIN", "AX T1"}), "MRI-Brain");
  EXPECT_EQ(key_of({"MR", "", "Brain FLAIR"}), "MRI-FLAIR-Brain");
}

TEST(Vocabulary, BodyPartsGoBeforeDescriptions) {
  EXPECT_EQ(key_of({"CT", "CHEST", "Chest and abdomen"}), "CT-Chest");
}

TEST(Vocabulary, WhatSaysTooLittleNamesNone) {
  EXPECT_EQ(key_of({"CT", "", ""}), "");
  EXPECT_EQ(key_of({"CT", "FOOT", "Foot"}), "");
  EXPECT_EQ(key_of({"PT", "ABDOMEN", ""}), "");
  EXPECT_EQ(key_of({"", "CHEST", ""}), "");
}

}  // namespace
}  // namespace vesalius::tasks
