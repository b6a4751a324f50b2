#include "results/segment_files.h"

#include <gtest/gtest.h>

#include "results/overlay.h"
#include "results/png_file.h"
#include "tasks/scratch.h"

using namespace vesalius;
using namespace vesalius::results;
using vesalius::testing::error_of;
using vesalius::testing::Scratch;

namespace {

tasks::SegmentInput volume(int64_t slices) {
  tasks::SegmentInput input{.kind = tasks::InputKind::kVolume, .path = "ct"};
  input.volume.grid = {.size = {8, 6, slices}, .placed = false};
  input.volume.values.assign(static_cast<size_t>(input.volume.grid.voxels()), 10);
  input.volume.values[0] = 200;
  return input;
}

tasks::Target target(const std::string& prompt, int64_t voxels, std::vector<size_t> set) {
  tasks::Target target{.prompt = prompt, .mask = std::vector<uint8_t>(voxels)};
  for (const size_t i : set) target.mask[i] = 1;
  return target;
}

std::vector<std::string> names_of(const SegmentWritten& written) {
  std::vector<std::string> names;
  for (const auto& file : written.files) {
    EXPECT_TRUE(fs::exists(file)) << file;
    names.push_back(file.filename().string());
  }
  return names;
}

TEST(SegmentFormats, AreNamed) {
  EXPECT_EQ(segment_formats("seg,png"), (std::set<std::string>{"png", "seg"}));
  EXPECT_NE(error_of(ErrorCode::kUsage, [] { segment_formats("png,"); }).find("choose of"),
            std::string::npos);
}

TEST(SegmentFormats, DefaultsFollowTheInput) {
  EXPECT_TRUE(default_formats(volume(3)).contains("nifti"));
  EXPECT_FALSE(default_formats(volume(3)).contains("seg"));
  auto dicom = volume(1);
  dicom.slices.push_back({});
  EXPECT_TRUE(default_formats(dicom).contains("seg"));
  EXPECT_TRUE(default_formats({.kind = tasks::InputKind::kPicture}).contains("png"));
}

TEST(SegmentFiles, MasksThatShareVoxelsHaveFilesOfTheirOwn) {
  const Scratch scratch;
  const auto input = volume(3);
  const tasks::Planes planes(input, {.side = 32});
  const SegmentFiles files{.folder = scratch.path(), .stem = "x", .formats = {"nifti"}};
  const auto apart = write_segment_files(
      input, planes, {target("left kidney", 144, {1}), target("b", 144, {2})}, files);
  EXPECT_EQ(names_of(apart), (std::vector<std::string>{"x.nii.gz", "x_overview.png"}));
  const auto shared = write_segment_files(
      input, planes, {target("left kidney", 144, {1}), target("b", 144, {1, 2})}, files);
  EXPECT_EQ(names_of(shared), (std::vector<std::string>{"x.nii.gz", "x_left+kidney.nii.gz",
                                                        "x_b.nii.gz", "x_overview.png"}));
}

TEST(SegmentFiles, NamesOfPromptsAreSafe) {
  const Scratch scratch;
  const auto input = volume(1);
  const tasks::Planes planes(input, {.side = 32});
  const auto written =
      write_segment_files(input, planes, {target("../a/b: c", 48, {})},
                          {.folder = scratch.path(), .stem = "x", .formats = {"png"}});
  EXPECT_EQ(names_of(written)[0], "x____a_b_+c.png");
}

TEST(SegmentFiles, NoMaskTakesThePlaceOfAnother) {
  const Scratch scratch;
  const auto input = volume(1);
  const tasks::Planes planes(input, {.side = 32});
  std::string longest;
  for (int i = 0; i < 200; ++i) longest += "ä";
  std::vector<tasks::Target> targets;
  for (const auto& prompt :
       {std::string("a/b"), std::string("a:b"), std::string("overview"), longest, longest + "?"})
    targets.push_back(target(prompt.c_str(), 48, {}));
  const auto written = write_segment_files(
      input, planes, targets, {.folder = scratch.path(), .stem = "x", .formats = {"png"}});
  const auto cut = longest.substr(0, 120);
  EXPECT_EQ(names_of(written), (std::vector<std::string>{"x_a_b.png", "x_a_b-2.png",
                                                         "x_overview-2.png", "x_" + cut + ".png",
                                                         "x_" + cut + "-2.png", "x_overview.png"}));
}

TEST(SegmentFiles, DicomObjectsNeedDicom) {
  const Scratch scratch;
  const auto input = volume(1);
  const tasks::Planes planes(input, {.side = 32});
  for (const char* format : {"seg", "rtstruct"})
    EXPECT_NE(error_of(ErrorCode::kUnsupported,
                       [&] {
                         write_segment_files(
                             input, planes, {target("a", 48, {1})},
                             {.folder = scratch.path(), .stem = "x", .formats = {format}});
                       })
                  .find("not DICOM"),
              std::string::npos);
}

TEST(Overview, ShowsTheSlicesThatHoldSomething) {
  const auto input = volume(30);
  const tasks::Planes planes(input, {.side = 32});
  const auto all = overview(planes, {target("a", 8 * 6 * 30, {})});
  const auto one = overview(planes, {target("a", 8 * 6 * 30, {8 * 6 * 4 + 9})});
  EXPECT_GT(all.height, one.height);  // twelve pictures against one
}

TEST(Overlay, TintsAndDrawsTheBorder) {
  media::Image image{.width = 5, .height = 5, .mode = media::Mode::kRgb};
  image.data.assign(75, 100);
  std::vector<uint8_t> mask(25);
  for (const int i : {6, 7, 8, 11, 12, 13, 16, 17, 18}) mask[i] = 1;
  draw_mask(image, mask, {200, 0, 0}, 0.5);
  EXPECT_EQ(image.data[0], 100);       // outside
  EXPECT_EQ(image.data[6 * 3], 200);   // border
  EXPECT_EQ(image.data[12 * 3], 150);  // inside
  EXPECT_EQ(image.data[12 * 3 + 1], 50);
}

TEST(ContactSheet, HoldsPicturesOfAllSizes) {
  const auto picture = [](int width, int height) {
    media::Image image{.width = width, .height = height, .mode = media::Mode::kRgb};
    image.data.assign(static_cast<size_t>(width) * height * 3, 255);
    return image;
  };
  const auto sheet = contact_sheet({picture(10, 4), picture(3, 8), picture(1, 1)}, 2);
  EXPECT_EQ(sheet.width, 24);
  EXPECT_EQ(sheet.height, 20);
  EXPECT_EQ(sheet.data[(12 * 24) * 3], 255);  // the third, on the second row
  EXPECT_EQ(contact_sheet({}, 4).data.size(), 3U);
}

TEST(PngFile, ComesBackAsItWas) {
  const Scratch scratch;
  media::Image image{.width = 3, .height = 2, .mode = media::Mode::kRgb};
  for (int i = 0; i < 18; ++i) image.data.push_back(static_cast<uint8_t>(i * 11));
  write_png(scratch / "a.png", image);
  const auto read = media::decode_image(read_file(scratch / "a.png"), "a.png");
  EXPECT_EQ(read.data, image.data);
  EXPECT_THROW(write_png(scratch / "a.png/b.png", image), std::exception);  // a file, no folder
}

}  // namespace
