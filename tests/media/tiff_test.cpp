#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

#include "media/codecs.h"
#include "media/tiff_samples.h"

namespace vesalius::media {
namespace {

using Blob = std::vector<uint8_t>;

constexpr uint16_t kMinIsWhite = 0, kMinIsBlack = 1, kRgbColors = 2, kPaletteColors = 3, kInks = 5,
                   kYcbcr = 6;
constexpr uint16_t kUnsigned = 1, kSigned = 2, kReal = 3;

TiffLayout layout_of(uint16_t photometric, uint16_t bits, uint16_t samples, int alpha = -1,
                     uint16_t format = kUnsigned) {
  TiffLayout layout;
  layout.photometric = photometric;
  layout.bits = bits;
  layout.samples = samples;
  layout.alpha = alpha;
  layout.format = format;
  return layout;
}

TEST(TiffMode, FollowsPillowsTable) {
  struct Case {
    TiffLayout layout;
    Mode mode;
  };
  for (const auto& [layout, mode] : {
           Case{layout_of(kMinIsWhite, 1, 1), Mode::kBilevel},
           Case{layout_of(kMinIsBlack, 2, 1), Mode::kGray},
           Case{layout_of(kMinIsBlack, 8, 1), Mode::kGray},
           Case{layout_of(kMinIsBlack, 8, 2, 0), Mode::kGray},
           Case{layout_of(kMinIsBlack, 8, 2, 2), Mode::kGrayAlpha},
           Case{layout_of(kMinIsBlack, 12, 1), Mode::kGray16},
           Case{layout_of(kMinIsBlack, 16, 1), Mode::kGray16},
           Case{layout_of(kMinIsBlack, 16, 1, -1, kSigned), Mode::kGrayFloat},
           Case{layout_of(kMinIsBlack, 32, 1), Mode::kGrayFloat},
           Case{layout_of(kMinIsBlack, 32, 1, -1, kReal), Mode::kGrayFloat},
           Case{layout_of(kRgbColors, 8, 3), Mode::kRgb},
           Case{layout_of(kRgbColors, 8, 4), Mode::kRgba},
           Case{layout_of(kRgbColors, 8, 4, 0), Mode::kRgb},
           Case{layout_of(kRgbColors, 8, 4, 1), Mode::kRgba},
           Case{layout_of(kRgbColors, 16, 3), Mode::kRgb16},
           Case{layout_of(kRgbColors, 16, 4, 2), Mode::kRgba16},
           Case{layout_of(kPaletteColors, 4, 1), Mode::kPalette},
           Case{layout_of(kInks, 8, 4), Mode::kCmyk},
           Case{layout_of(kYcbcr, 8, 3), Mode::kRgb},
       }) {
    EXPECT_EQ(tiff_mode(layout, "f"), mode)
        << layout.photometric << " " << layout.bits << " " << layout.samples;
  }
}

TEST(TiffMode, RefusesTheRest) {
  for (const TiffLayout& layout :
       {layout_of(kMinIsBlack, 3, 1), layout_of(kMinIsBlack, 64, 1, -1, kReal),
        layout_of(kMinIsBlack, 8, 3), layout_of(kMinIsBlack, 16, 2, 2),
        layout_of(kMinIsBlack, 16, 1, -1, kReal), layout_of(kRgbColors, 8, 2),
        layout_of(kRgbColors, 8, 7), layout_of(kRgbColors, 4, 3),
        layout_of(kRgbColors, 16, 3, -1, kSigned), layout_of(kPaletteColors, 16, 1),
        layout_of(kPaletteColors, 8, 2, 2), layout_of(kInks, 8, 3), layout_of(kYcbcr, 8, 1),
        layout_of(8, 8, 3), layout_of(32844, 16, 1)}) {
    EXPECT_THROW(tiff_mode(layout, "f"), Error) << layout.photometric << " " << layout.bits;
  }
}

/// One row of packed samples, unpacked.
Image unpacked(TiffLayout layout, const Blob& packed, uint32_t width) {
  layout.width = width;
  Image image = allocate_image(width, 1, tiff_mode(layout, "f"), packed.size(), 1000, "f");
  unpack_tiff_run(layout, {packed.data(), width, 0, 0, 0}, image);
  return image;
}

TEST(UnpackTiffRun, NarrowSamplesAreWidened) {
  EXPECT_EQ(unpacked(layout_of(kMinIsBlack, 1, 1), {0b10110000}, 5).data,
            (Blob{255, 0, 255, 255, 0}));
  EXPECT_EQ(unpacked(layout_of(kMinIsWhite, 1, 1), {0b10110000}, 5).data,
            (Blob{0, 255, 0, 0, 255}));
  EXPECT_EQ(unpacked(layout_of(kMinIsBlack, 2, 1), {0b00011011}, 4).data, (Blob{0, 85, 170, 255}));
  EXPECT_EQ(unpacked(layout_of(kMinIsBlack, 4, 1), {0x0F, 0x70}, 3).data, (Blob{0, 255, 119}));
  EXPECT_EQ(unpacked(layout_of(kMinIsWhite, 8, 1), {0, 255, 10}, 3).data, (Blob{255, 0, 245}));
  EXPECT_EQ(unpacked(layout_of(kPaletteColors, 4, 1), {0x0F, 0x70}, 3).data,
            (Blob{0, 15, 7}));  // indices stay
}

TEST(UnpackTiffRun, WideSamplesKeepTheirValues) {
  const Image twelve = unpacked(layout_of(kMinIsBlack, 12, 1), {0xAB, 0xCD, 0xEF}, 2);
  EXPECT_EQ(twelve.pixels<uint16_t>()[0], 0xABC);
  EXPECT_EQ(twelve.pixels<uint16_t>()[1], 0xDEF);
  const Image sixteen = unpacked(layout_of(kMinIsWhite, 16, 1), {0x34, 0x12, 0xFF, 0xFF}, 2);
  EXPECT_EQ(sixteen.pixels<uint16_t>()[0], 0x1234);  // not inverted: Pillow does not
  const Image with_sign =
      unpacked(layout_of(kMinIsBlack, 16, 1, -1, kSigned), {0xFE, 0xFF, 1, 0}, 2);
  EXPECT_EQ(with_sign.pixels<float>()[0], -2.0F);
  EXPECT_EQ(with_sign.pixels<float>()[1], 1.0F);
  const Image wide = unpacked(layout_of(kMinIsBlack, 32, 1), {0, 0, 1, 0}, 1);
  EXPECT_EQ(wide.pixels<float>()[0], 65536.0F);
  const float pi = 3.14159F;
  Blob real(4);
  std::memcpy(real.data(), &pi, 4);
  EXPECT_EQ(unpacked(layout_of(kMinIsBlack, 32, 1, -1, kReal), real, 1).pixels<float>()[0], pi);
  EXPECT_EQ(unpacked(layout_of(kInks, 16, 4), {1, 2, 3, 4, 5, 6, 7, 8}, 1).data,
            (Blob{2, 4, 6, 8}));
}

TEST(UnpackTiffRun, ExtraSamplesAreDropped) {
  EXPECT_EQ(unpacked(layout_of(kRgbColors, 8, 4, 0), {1, 2, 3, 9, 4, 5, 6, 9}, 2).data,
            (Blob{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(unpacked(layout_of(kMinIsBlack, 8, 2, 0), {1, 9, 2, 9}, 2).data, (Blob{1, 2}));
}

TEST(UnpackTiffRun, PlanesAreWoven) {
  TiffLayout layout = layout_of(kRgbColors, 8, 4, 0);
  layout.planar = true;
  Image image = allocate_image(2, 2, Mode::kRgb, 100, 10, "f");
  for (int plane = 0; plane < 4; ++plane) {  // the fourth has no place in RGB
    const Blob row = {static_cast<uint8_t>(10 * plane), static_cast<uint8_t>(10 * plane + 1)};
    unpack_tiff_run(layout, {row.data(), 2, 0, 1, plane}, image);
  }
  EXPECT_EQ(image.data, (Blob{0, 0, 0, 0, 0, 0, 0, 10, 20, 1, 11, 21}));
}

TEST(Unpremultiply, DividesByAlpha) {
  Image image;
  image.mode = Mode::kRgba;
  image.data = {10, 20, 30, 0, 50, 100, 200, 100, 1, 2, 3, 255};
  unpremultiply(image);
  EXPECT_EQ(image.data, (Blob{0, 0, 0, 0, 127, 255, 255, 100, 1, 2, 3, 255}));
  image.mode = Mode::kGrayAlpha;
  image.data = {64, 128};
  unpremultiply(image);
  EXPECT_EQ(image.data, (Blob{127, 128}));
  image.mode = Mode::kRgba16;
  const uint16_t deep[] = {0x4000, 0x8000, 0xFFFF, 0x8000};
  image.data.resize(8);
  std::memcpy(image.data.data(), deep, 8);
  unpremultiply(image);
  EXPECT_EQ(image.pixels<uint16_t>()[0], 0x7FFF);
  EXPECT_EQ(image.pixels<uint16_t>()[2], 0xFFFF);
}

/// A little-endian TIFF with these entries (tag, type, value) and pixel data at the end;
/// StripOffsets is added.
Blob tiff(std::vector<std::array<uint32_t, 3>> entries, const Blob& pixels) {
  const uint32_t count = static_cast<uint32_t>(entries.size()) + 1;
  constexpr uint32_t kStripOffsets = 273, kLong = 4;
  entries.push_back({kStripOffsets, kLong, 8 + 2 + 12 * count + 4});
  std::sort(entries.begin(), entries.end());
  Blob out = {'I', 'I', 42, 0, 8, 0, 0, 0};
  const auto put = [&](uint32_t value, int width) {
    for (int i = 0; i < width; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
  };
  put(count, 2);
  for (const auto& [tag, type, value] : entries) {
    put(tag, 2);
    put(type, 2);
    put(1, 4);
    put(value, 4);
  }
  put(0, 4);
  out.insert(out.end(), pixels.begin(), pixels.end());
  return out;
}

using Entries = std::vector<std::array<uint32_t, 3>>;
Entries gray_entries(uint32_t width, uint32_t height, uint32_t bytes) {
  return {{256, 4, width}, {257, 4, height}, {258, 3, 8},    {259, 3, 1},
          {262, 3, 1},     {278, 4, height}, {279, 4, bytes}};
}

TEST(DecodeTiff, ReadsAStripAndItsOrientation) {
  Entries entries = gray_entries(3, 2, 6);
  entries.push_back({274, 3, 6});
  const Image image = decode_tiff(tiff(entries, {1, 2, 3, 4, 5, 6}), "f");
  EXPECT_EQ(image.mode, Mode::kGray);
  EXPECT_EQ(image.width, 3);
  EXPECT_EQ(image.data, (Blob{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(image.orientation, 6);
}

std::string refusal(const Blob& bytes) {
  try {
    decode_tiff(bytes, "f");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(DecodeTiff, RefusesWhatLies) {
  EXPECT_NE(refusal(tiff(gray_entries(60000, 60000, 6), Blob(6))).find("samples that one image"),
            std::string::npos);
  EXPECT_NE(refusal(tiff(gray_entries(40000, 40000, 6), Blob(6))).find("cannot hold"),
            std::string::npos);
  EXPECT_NE(refusal(tiff(gray_entries(3, 2, 6), Blob(3))), "");  // the strip ends early
  EXPECT_NE(refusal(tiff(gray_entries(3, 0, 6), Blob(6))), "");
  EXPECT_NE(refusal(tiff({}, Blob(6))), "");
  Entries tiled = gray_entries(3, 2, 6);
  tiled.push_back({322, 4, 0xFFFFFFF0});
  tiled.push_back({323, 4, 0xFFFFFFF0});
  EXPECT_NE(refusal(tiff(tiled, Blob(6))), "");
}

TEST(DecodeTiff, ExtraSamplesThatAreNotThereAreNone) {
  constexpr uint32_t kSamples = 277, kExtraSamples = 338;
  for (const uint32_t samples : {1, 3}) {
    Entries entries = gray_entries(2, 2, 4 * samples);
    entries[4][2] = samples == 1 ? kMinIsBlack : kRgbColors;
    entries.push_back({kSamples, 3, samples});
    entries.push_back({kExtraSamples, 3, 1});
    Blob pixels(4 * samples);
    std::iota(pixels.begin(), pixels.end(), 1);
    const Image image = decode_tiff(tiff(entries, pixels), "f");
    EXPECT_EQ(image.mode, samples == 1 ? Mode::kGray : Mode::kRgb);
    EXPECT_EQ(image.data, pixels);
  }
}

TEST(DecodeTiff, InksBesideAlphaAreLeftAlone) {
  Entries entries = gray_entries(1, 1, 5);
  entries[4][2] = kInks;
  entries.push_back({277, 3, 5});
  entries.push_back({338, 3, 1});
  EXPECT_EQ(decode_tiff(tiff(entries, {10, 20, 30, 40, 50}), "f").data, (Blob{10, 20, 30, 40}));
}

TEST(DecodeTiff, NamesTheCompressionItDoesNotRead) {
  for (const uint32_t compression : {6U, 2U << 14 | 235U, 34712U}) {
    Entries entries = gray_entries(3, 2, 6);
    entries[3][2] = compression;
    EXPECT_NE(refusal(tiff(entries, Blob(6))), "") << compression;
  }
  Entries old_jpeg = gray_entries(3, 2, 6);
  old_jpeg[3][2] = 6;
  EXPECT_NE(refusal(tiff(old_jpeg, Blob(6))).find("compression 6 is not read"), std::string::npos);
}

TEST(DecodeTiff, SurvivesEveryTruncation) {
  const Blob whole = tiff(gray_entries(3, 2, 6), {1, 2, 3, 4, 5, 6});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(Blob(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))), "")
        << size;
  }
}

}  // namespace
}  // namespace vesalius::media
