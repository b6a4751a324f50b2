// The third published layout, as process_2D.py itself sliced it (make_class_prompts_golden.py).
#include "tasks/class_prompts.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "media/npz.h"
#include "tasks/outline_batches.h"
#include "tasks/outline_refusal.h"
#include "tasks/scratch.h"

using namespace vesalius;
using namespace vesalius::tasks;
using vesalius::testing::refusal;
using vesalius::testing::Scratch;

namespace {

const fs::path kGolden = fs::path(VESALIUS_SOURCE_DIR) / "tests/tasks/golden/class_prompts";

void expect_named(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
}

TEST(ClassPrompts, VolumesOfEveryDataSet) {
  const auto images = read_outlines(kGolden);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_EQ(images[0].image, kGolden / "BALLS/train/one.npz");
  EXPECT_EQ(images[0].kind, "BALLS");
  ASSERT_EQ(images[0].outlines.size(), 2U);
  const Outline& ball = images[0].outlines[0];
  EXPECT_EQ(ball.prompt, "Left ball");
  EXPECT_EQ(ball.phrasings, std::vector<std::string>{"Left ball in CT"});
  EXPECT_EQ(ball.label, 1);
  EXPECT_EQ(ball.mask, images[0].image);
  EXPECT_EQ(images[0].outlines[1].prompt, "Box");
  EXPECT_EQ(images[1].outlines[0].label, 0);  // every object of the only kind
}

TEST(ClassPrompts, OneDataSetByItself) {
  const auto images = read_outlines(kGolden / "CELLS/");
  ASSERT_EQ(images.size(), 1U);
  EXPECT_EQ(images[0].kind, "CELLS");
}

TEST(ClassPrompts, SlicesAndTheViewsBesideThem) {
  const auto images = read_outlines(kGolden / "BALLS/processed/");
  ASSERT_EQ(images.size(), 14U);  // 4, 6 and 4
  EXPECT_TRUE(images[0].slices);
  EXPECT_EQ(images[0].kind, "BALLS");
  EXPECT_EQ(images[13].image, kGolden / "BALLS/processed_view2/train/one_view2_003.png");
  EXPECT_EQ(images[13].outlines[1].mask,
            kGolden / "BALLS/processed_view2/train_mask/one_view2_003.png");
}

TEST(ClassPrompts, OurSlicesOfAVolumeAreThePublishedOnes) {
  for (const auto* name : {"BALLS", "CELLS"}) {
    const OutlineStore ours(read_outlines(kGolden / name), {.side = 32}, /*quiet=*/true);
    const OutlineStore theirs(read_outlines(kGolden / name / "processed"), {.side = 32}, true);
    ASSERT_EQ(ours.size(), theirs.size());
    for (size_t i = 0; i < ours.size(); ++i) {
      const auto a = ours[i].pixels.to(at::kInt), b = theirs[i].pixels.to(at::kInt);
      // OpenCV's bicubic rounds otherwise than PyTorch's.
      EXPECT_LE((a - b).abs().max().item<int>(), 3) << ours[i].name;
      EXPECT_EQ(ours[i].present, theirs[i].present) << ours[i].name;
      EXPECT_EQ(ours[i].absent, theirs[i].absent) << ours[i].name;
      ASSERT_EQ(ours[i].masks.sizes(), theirs[i].masks.sizes());
      const auto differ = ours[i].masks.ne(theirs[i].masks).to(at::kFloat).mean();
      EXPECT_LT(ours[i].present.empty() ? 0 : differ.item<double>(), 0.07) << ours[i].name;
      EXPECT_TRUE(ours[i].slices && theirs[i].slices);
      EXPECT_EQ(ours[i].sided, name == std::string("BALLS"));
    }
  }
}

TEST(ClassPrompts, ChannelsAreTheSliceTheOneBeforeAndTheOneBehind) {
  const OutlineStore store(read_outlines(kGolden / "CELLS/processed"), {.side = 32}, true);
  const auto first = store[0].pixels, second = store[1].pixels;
  EXPECT_TRUE(at::equal(first[1], second[0]));  // at the end the other neighbour, twice
  EXPECT_TRUE(at::equal(first[2], second[0]));
  EXPECT_TRUE(at::equal(second[1], first[0]));
  EXPECT_GT(second[0].to(at::kFloat).mean().item<double>(),
            first[0].to(at::kFloat).mean().item<double>() + 50);
}

TEST(ClassPrompts, Version1ReadsASliceInGrey) {
  const PlaneForm form{.side = 32, .version = 1};
  const OutlineStore slices(read_outlines(kGolden / "BALLS/processed"), form, true);
  const OutlineStore volumes(read_outlines(kGolden / "BALLS"), form, true);
  EXPECT_EQ(volumes.size(), 4U);  // one view
  for (const auto* store : {&slices, &volumes})
    for (size_t i = 0; i < store->size(); ++i) {
      const auto& pixels = (*store)[i].pixels;
      EXPECT_TRUE(at::equal(pixels[0], pixels[1]) && at::equal(pixels[0], pixels[2]));
    }
}

TEST(ClassPrompts, TrainingTakesAnyPhrasing) {
  const OutlineStore store(read_outlines(kGolden), {.side = 32}, true);
  OutlineBatches batches(store, {.batch = 8, .prompts = 2, .negatives = 0.2});
  std::map<std::string, int> asked;
  for (int64_t i = 0; i < 8; ++i)
    for (const std::string& prompt : batches.get(i).prompts) ++asked[prompt];
  for (const auto* prompt :
       {"Left ball", "Left ball in CT", "Box", "Cell", "Cells in light-sheet microscopy"})
    EXPECT_GT(asked[prompt], 0) << prompt;
}

/// A data set "SET" whose only volume has two slices with the labels 1 and 7.
struct DataSet {
  Scratch scratch;

  explicit DataSet(const std::string& prompts) {
    fs::create_directories(scratch / "SET/train_mask");
    fs::create_directories(scratch / "SET/train");
    media::write_npz<uint8_t>(scratch / "SET/train/a.npz", "imgs", {4, 4, 2},
                              std::vector<uint8_t>(32, 9));
    std::vector<uint8_t> labels(32);
    labels[3] = 1, labels[20] = 7;
    media::write_npz(scratch / "SET/train_mask/a.npz", "gts", {4, 4, 2}, labels);
    write_file(scratch / "class_prompts.json", prompts);
  }
};

TEST(ClassPrompts, MasksMayLieInTheirOwnFolder) {
  const DataSet set(R"({"SET": {"1": "dot", "7": "spot", "instance_label": 0}})");
  const OutlineStore store(read_outlines(set.scratch.path()), {.side = 8}, true);
  ASSERT_EQ(store.size(), 2U);
  EXPECT_EQ(store[0].present, std::vector<std::string>{"dot"});
  EXPECT_EQ(store[0].absent, std::vector<std::string>{"spot"});
  EXPECT_EQ(store[1].present, std::vector<std::string>{"spot"});
  EXPECT_EQ(store[0].masks.sum().item<int>(), 4);  // a pixel of 4 x 4 on 8 x 8
}

TEST(ClassPrompts, ALabelWithoutWordsIsNamed) {
  const DataSet set(R"({"SET": {"1": "dot"}})");
  ::testing::internal::CaptureStderr();
  EXPECT_THROW(OutlineStore(read_outlines(set.scratch.path()), {.side = 8}, true), Error);
  expect_named(::testing::internal::GetCapturedStderr(), {"SET/train_mask/a.npz", "the label 7"});
  const Scratch scratch;
  write_file(scratch / "train.json",
             R"({"class_prompts": {"1": "dot"}, "annotations": [
                 {"file_name": "a.png", "mask_file": "a.png", "class_ids": [1, 3]}]})");
  expect_named(refusal(scratch.path()), {"train.json", "a.png", "the label 3", "there are for 1"});
}

TEST(ClassPrompts, AManifestOfVolumesMayLeaveLabelsOut) {
  const DataSet set("{}");
  write_file(set.scratch / "m.csv",
             "image,prompt,mask,label\nSET/train/a.npz,spot,SET/train_mask/a.npz,7\n");
  const OutlineStore store(read_outlines(set.scratch / "m.csv"), {.side = 8}, true);
  ASSERT_EQ(store.size(), 2U);
  EXPECT_TRUE(store[0].present.empty());
  EXPECT_EQ(store[1].present, std::vector<std::string>{"spot"});
}

TEST(ClassPrompts, AMaskOnAnotherGridIsNamed) {
  const DataSet set(R"({"SET": {"1": "dot", "7": "spot"}})");
  media::write_npz(set.scratch / "SET/train_mask/a.npz", "gts", {4, 2, 4},
                   std::vector<uint8_t>(32, 1));
  ::testing::internal::CaptureStderr();
  EXPECT_THROW(OutlineStore(read_outlines(set.scratch.path()), {.side = 8}, true), Error);
  expect_named(::testing::internal::GetCapturedStderr(), {"SET/train_mask/a.npz", "grid"});
}

TEST(ClassPrompts, WhatIsMissingIsNamed) {
  const Scratch scratch;
  write_file(scratch / "train.json",
             R"({"class_prompts": {"1": "dot"}, "annotations": [
                 {"file_name": "a.png", "mask_file": "b.png", "class_ids": [1]}]})");
  expect_named(refusal(scratch.path()), {"train/a.png", "not there"});
  write_file(scratch / "train/a.png", "");
  expect_named(refusal(scratch.path()), {"train_mask/b.png", "not there"});
  const DataSet set(R"({"OTHER": {"1": "dot"}})");
  expect_named(refusal(set.scratch.path()), {"no words", "SET/train"});
  fs::remove_all(set.scratch / "SET");
  ::testing::internal::CaptureStderr();
  expect_named(refusal(set.scratch.path()), {"no .npz volumes"});
  expect_named(::testing::internal::GetCapturedStderr(), {"OTHER", "no such folder"});
}

TEST(ClassPrompts, TablesThatSayNothingUsableAreRefused) {
  for (const auto* table : {R"({"SET": {"one": "dot"}})", R"({"SET": {"0": "dot"}})",
                            R"({"SET": {"1": 5}})", R"({"SET": {"1": []}})", R"({"SET": []})",
                            R"({"SET": {"1": ["dot", 2]}})", R"({"SET": {"instance_label": 1}})",
                            R"({"SET": {"1": "a", "2": "b", "instance_label": 1}})", R"([1])",
                            R"({"SET": {"70000": "dot"}})"})
    EXPECT_NE(refusal(DataSet(table).scratch.path()), "") << table;
}

}  // namespace
