#include "media/dicom_display.h"

#include <gtest/gtest.h>

#include <cmath>

namespace vesalius::media {
namespace {

using Numbers = std::vector<double>;
using Bytes8 = std::vector<uint8_t>;

DicomInfo gray(int bits = 8, bool is_signed = false) {
  DicomInfo info;
  info.photometric = "MONOCHROME2";
  info.voi_lut_function = "LINEAR";
  info.bits_stored = bits;
  info.is_signed = is_signed;
  return info;
}

DicomFrame row(std::vector<int32_t> values, int samples = 1) {
  const int columns = static_cast<int>(values.size()) / samples;
  return {1, columns, samples, std::move(values)};
}

Bytes8 shown(const DicomInfo& info, std::vector<int32_t> values) {
  return display_frame(row(std::move(values), info.photometric == "RGB" ? 3 : 1), info, "f").data;
}

TEST(ModalityValues, Rescale) {
  DicomInfo info = gray(16);
  info.rescale_slope = 2.5;
  info.rescale_intercept = -1024;
  EXPECT_EQ(modality_values({0, 10, 4000}, info), (Numbers{-1024, -999, 8976}));
}

TEST(ModalityValues, TablesHoldTheirEnds) {
  DicomInfo info = gray(16);
  info.modality_lut = Lut{-2, 16, {10, 20, 30, 40}};
  info.rescale_slope = 99;  // a table goes before the slope
  EXPECT_EQ(modality_values({-100, -2, -1, 0, 1, 100}, info), (Numbers{10, 10, 20, 30, 40, 40}));
}

struct WindowCase {
  const char* function;
  Window window;
  Numbers in, out;
};

TEST(VoiValues, WindowsOfTheStandard) {
  // PS3.3 C.11.2.1.2 gives these functions; the output range is that of 8 stored bits.
  const WindowCase cases[] = {
      {"LINEAR", {2048, 4096}, {0, 2047.5, 4095, 5000, -1}, {0, 127.5, 255, 255, 0}},
      {"LINEAR", {2048, 1}, {2047, 2047.5, 2048}, {0, 0, 255}},
      {"LINEAR", {0, 100}, {-50, -0.5, 49}, {0, 127.5, 255}},
      {"LINEAR_EXACT", {2048, 4096}, {0, 2048, 4096, 9999}, {0, 127.5, 255, 255}},
      {"SIGMOID", {100, 40}, {100, 1e6, -1e6}, {127.5, 255, 0}},
  };
  for (const WindowCase& test : cases) {
    DicomInfo info = gray();
    info.voi_lut_function = test.function;
    info.windows = {test.window, {1, 2}};  // the first counts
    const VoiValues found = voi_values(test.in, info);
    EXPECT_EQ(found.low, 0);
    EXPECT_EQ(found.high, 255);
    for (size_t i = 0; i < test.in.size(); ++i) {
      EXPECT_NEAR(found.values[i], test.out[i], 1e-9) << test.function << " of " << test.in[i];
    }
  }
}

TEST(VoiValues, WindowsOfNoWidthAreLeftAside) {
  for (const auto& [function, width] :
       {std::pair{"LINEAR", 0.5}, std::pair{"LINEAR", -3.0}, std::pair{"LINEAR_EXACT", 0.0},
        std::pair{"SIGMOID", 0.0}}) {
    DicomInfo info = gray();
    info.voi_lut_function = function;
    info.windows = {{10, width}};
    const VoiValues found = voi_values({5, 7}, info);
    EXPECT_EQ(found.values, (Numbers{5, 7}));
    EXPECT_EQ(found.low, 5);
    EXPECT_EQ(found.high, 7);
  }
}

TEST(VoiValues, TheTableGoesBeforeTheWindow) {
  DicomInfo info = gray();
  info.windows = {{100, 50}};
  info.voi_lut = Lut{10, 12, {0, 1000, 4095}};
  const VoiValues found = voi_values({0, 10, 11, 12, 500}, info);
  EXPECT_EQ(found.values, (Numbers{0, 0, 1000, 4095, 4095}));
  EXPECT_EQ(found.high, 4095);
}

TEST(DisplayFrame, WithoutAWindowStretchesTheFrame) {
  EXPECT_EQ(shown(gray(16), {100, 150, 200}), (Bytes8{0, 128, 255}));
  EXPECT_EQ(shown(gray(16, true), {-1000, 0, 1000}), (Bytes8{0, 128, 255}));
}

TEST(DisplayFrame, InvertsMonochrome1) {
  DicomInfo info = gray(16);
  info.photometric = "MONOCHROME1";
  EXPECT_EQ(shown(info, {100, 150, 200}), (Bytes8{255, 127, 0}));
}

TEST(DisplayFrame, AConstantFrameIsConstant) {
  EXPECT_EQ(shown(gray(16), {700, 700, 700}), (Bytes8{0, 0, 0}));
  DicomInfo info = gray(16);
  info.rescale_slope = 0;
  EXPECT_EQ(shown(info, {1, 2, 3}), (Bytes8{0, 0, 0}));
  info.windows = {{0, 100}};
  const Bytes8 windowed = shown(info, {1, 2, 3});
  EXPECT_EQ(windowed[0], windowed[2]);
}

TEST(DisplayFrame, AFallingSlopeKeepsTheWindowsDirection) {
  DicomInfo info = gray(8);
  info.rescale_slope = -1;
  info.windows = {{-127.5, 256}};
  EXPECT_EQ(shown(info, {0, 255}), (Bytes8{255, 0}));
}

TEST(DisplayFrame, WideRangesAndHugeNumbers) {
  EXPECT_EQ(shown(gray(32), {0, 0x7FFFFFFF, -1}),
            (Bytes8{0, 127, 255}));  // -1 holds the bits of 2^32 - 1
  EXPECT_EQ(shown(gray(32, true), {-2147483647 - 1, 0, 2147483647}), (Bytes8{0, 128, 255}));
}

TEST(DisplayFrame, ColourAndPalettes) {
  DicomInfo info = gray(16);
  info.photometric = "RGB";
  EXPECT_EQ(shown(info, {0, 32768, 65535}), (Bytes8{0, 128, 255}));
  info = gray();
  info.photometric = "PALETTE COLOR";
  info.palette[0] = Lut{0, 16, {0, 0xFF00, 0x8000}};
  info.palette[1] = Lut{0, 8, {1, 2, 3}};
  info.palette[2] = Lut{1, 16, {0x1200, 0x3400}};
  EXPECT_EQ(shown(info, {0, 1, 2, 9}),
            (Bytes8{0, 1, 0x12, 255, 2, 0x12, 128, 3, 0x34, 128, 3, 0x34}));
  EXPECT_EQ(display_frame(row({0}), info, "f").mode, Mode::kRgb);
}

TEST(DisplayFrame, RefusesWhatHasNoColours) {
  DicomInfo info = gray();
  for (const char* photometric : {"YBR_ICT", "HSV", "", "RGB", "PALETTE COLOR"}) {
    info.photometric = photometric;
    EXPECT_THROW(display_frame(row({1, 2}), info, "f"), Error) << photometric;
  }
}

}  // namespace
}  // namespace vesalius::media
