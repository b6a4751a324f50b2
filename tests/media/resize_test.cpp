#include "media/resize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>

#include "media/resample.h"

namespace vesalius::media {
namespace {

Image noise(Mode mode, int width, int height, unsigned seed = 1) {
  Image image;
  image.width = width;
  image.height = height;
  image.mode = mode;
  image.data.resize(static_cast<size_t>(width) * height * mode_channels(mode) * mode_bytes(mode));
  std::mt19937 random(seed);
  for (uint8_t& byte : image.data) byte = static_cast<uint8_t>(random());
  if (mode == Mode::kPalette) image.palette.assign(768, 7);
  return image;
}

std::vector<CpuLevel> levels() {
  std::vector<CpuLevel> all = {CpuLevel::kPlain};
  if (best_cpu_level() != CpuLevel::kPlain) all.push_back(CpuLevel::kAvx2);
  if (best_cpu_level() == CpuLevel::kAvx512Vnni) all.push_back(CpuLevel::kAvx512Vnni);
  return all;
}

TEST(Resample, EveryCpuLevelGivesTheSameBytes) {
  const Scaling sizes[] = {{64, 48, 32, 24},  {37, 53, 480, 301}, {301, 211, 97, 13},
                           {1, 1, 5, 7},      {1, 90, 33, 40},    {90, 1, 40, 3},
                           {129, 65, 64, 63}, {15, 17, 16, 16},   {5, 300, 5, 7},
                           {300, 5, 7, 5},    {17, 3, 31, 2},     {640, 70, 640, 35}};
  for (const Scaling& size : sizes) {
    for (int channels = 1; channels <= 4; ++channels) {
      const Image image = noise(Mode::kGray, size.width * channels, size.height);
      const auto run = [&](CpuLevel level) {
        return resample_u8(image.data.data(), channels, size, kBicubicResampler, level);
      };
      const std::vector<uint8_t> plain = run(CpuLevel::kPlain);
      for (const CpuLevel level : levels()) {
        EXPECT_EQ(run(level), plain) << size.width << "x" << size.height << " to " << size.out_width
                                     << "x" << size.out_height << ", " << channels;
      }
    }
  }
}

TEST(Resample, WeightsSumToOne) {
  for (const auto& [in, out] : {std::pair{100, 7}, {7, 100}, {1, 9}, {9, 1}, {480, 480}}) {
    const Axis axis = resample_axis(in, out, kBicubicResampler);
    ASSERT_EQ(axis.taps.size(), static_cast<size_t>(out));
    for (const Taps& taps : axis.taps) {
      double sum = 0;
      for (int t = 0; t < taps.count; ++t) sum += axis.weights[taps.offset + t];
      EXPECT_NEAR(sum, 1.0, 1e-12);
      EXPECT_GE(taps.first, 0);
      EXPECT_LE(taps.first + taps.count, in);
    }
  }
}

TEST(Resample, TheOrderOfPassesIsPillows) {
  const PassOrder old = PassOrder::kAcrossFirst;
  EXPECT_FALSE(down_first({100, 100, 50, 50}));  // as much on both sides
  EXPECT_TRUE(down_first({100, 100, 60, 10}));   // 2 · 40 < 90
  EXPECT_FALSE(down_first({100, 100, 55, 10}));  // 2 · 45 = 90
  EXPECT_TRUE(down_first({100, 100, 300, 99}));
  EXPECT_FALSE(down_first({100, 100, 300, 100}));
  EXPECT_FALSE(down_first({100, 100, 300, 200}));
  EXPECT_FALSE(down_first({100, 100, 60, 10, old}));
  EXPECT_FALSE(down_first({2000000000, 2000000000, 1, 1}));  // no overflow
  const Image image = noise(Mode::kRgb, 40, 300);
  EXPECT_NE(resize(image, 41, 20, Filter::kBicubic).data,
            resize(image, 41, 20, Filter::kBicubic, old).data);
}

TEST(Resize, TheSameSizeIsTheSameImage) {
  for (const Mode mode : {Mode::kGray, Mode::kRgba, Mode::kGray16, Mode::kPalette}) {
    const Image image = noise(mode, 13, 9);
    EXPECT_EQ(resize(image, 13, 9, Filter::kBicubic).data, image.data);
  }
}

TEST(Resize, AConstantImageStaysConstant) {
  for (const Mode mode : {Mode::kGray, Mode::kRgb, Mode::kCmyk}) {
    Image image = noise(mode, 50, 40);
    std::fill(image.data.begin(), image.data.end(), uint8_t{201});
    for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kBicubic}) {
      for (const uint8_t byte : resize(image, 480, 31, filter).data) ASSERT_EQ(byte, 201);
    }
  }
}

TEST(Resize, PaletteAndOrientationTravel) {
  Image image = noise(Mode::kPalette, 20, 20);
  image.orientation = 6;
  image.palette_alpha = {1, 2, 3};
  const Image out = resize(image, 7, 5, Filter::kBicubic);
  EXPECT_EQ(out.palette, image.palette);
  EXPECT_EQ(out.palette_alpha, image.palette_alpha);
  EXPECT_EQ(out.orientation, 6);
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kFailed;
}

TEST(Resize, RefusesSizesAndModesThatMakeNoSense) {
  const Image image = noise(Mode::kRgb, 10, 10);
  for (const auto& [width, height] : {std::pair{0, 5}, {5, 0}, {-1, 5}, {1 << 20, 1 << 20}}) {
    EXPECT_EQ(code_of([&] { resize(image, width, height, Filter::kBicubic); }), ErrorCode::kUsage);
  }
  EXPECT_EQ(code_of([&] { resize(Image{}, 5, 5, Filter::kNearest); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { resize(noise(Mode::kRgb16, 4, 4), 5, 5, Filter::kBicubic); }),
            ErrorCode::kUnsupported);
}

TEST(ToRgb, SixteenBitColourKeepsItsHighBytes) {
  Image image = noise(Mode::kRgba16, 2, 1);
  const std::vector<uint16_t> samples = {0x0102, 0x0304, 0x0506, 0, 0xFFFF, 0x8000, 0x00FF, 9};
  std::memcpy(image.data.data(), samples.data(), image.data.size());
  EXPECT_EQ(to_rgb(image).data, (std::vector<uint8_t>{1, 3, 5, 255, 128, 0}));
}

TEST(ToRgb, APaletteThatIsTooShortGivesBlack) {
  Image image = noise(Mode::kPalette, 2, 1);
  image.data = {0, 200};
  image.palette = {9, 8, 7};
  EXPECT_EQ(to_rgb(image).data, (std::vector<uint8_t>{9, 8, 7, 0, 0, 0}));
}

TEST(JpegRoundTrip, RefusesWhatJpegCannotHold) {
  const Image image = noise(Mode::kRgb, 4, 4);
  EXPECT_EQ(code_of([&] { jpeg_round_trip(image, 0); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { jpeg_round_trip(image, 101); }), ErrorCode::kUsage);
  EXPECT_EQ(code_of([&] { jpeg_round_trip(noise(Mode::kRgba, 4, 4), 75); }),
            ErrorCode::kUnsupported);
  EXPECT_EQ(code_of([&] { jpeg_round_trip(noise(Mode::kGray, 65501, 1), 75); }),
            ErrorCode::kUnsupported);
}

TEST(JpegRoundTrip, KeepsSizeAndMode) {
  for (const Mode mode : {Mode::kGray, Mode::kRgb}) {
    const Image out = jpeg_round_trip(noise(mode, 17, 9), 90);
    EXPECT_EQ(out.width, 17);
    EXPECT_EQ(out.height, 9);
    EXPECT_EQ(out.mode, mode);
  }
}

}  // namespace
}  // namespace vesalius::media
