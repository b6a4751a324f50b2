#include "results/thumbnail.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "media/image.h"
#include "tasks/scratch.h"

namespace vesalius::results {
namespace {

using testing::Scratch;

int digit(char c) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return static_cast<int>(kAlphabet.find(c));
}

std::vector<uint8_t> unbase64(std::string_view text) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 3 < text.size(); i += 4) {
    uint32_t word = 0;
    for (size_t j = 0; j < 4; ++j)
      word = word << 6U | static_cast<uint32_t>(text[i + j] == '=' ? 0 : digit(text[i + j]));
    bytes.push_back(static_cast<uint8_t>(word >> 16U));
    if (text[i + 2] != '=') bytes.push_back(static_cast<uint8_t>(word >> 8U));
    if (text[i + 3] != '=') bytes.push_back(static_cast<uint8_t>(word));
  }
  return bytes;
}

media::Image drawn(const std::string& uri) {
  constexpr std::string_view kBefore = "data:image/jpeg;base64,";
  EXPECT_TRUE(uri.starts_with(kBefore)) << uri.substr(0, 40);
  if (!uri.starts_with(kBefore)) return {};
  return media::decode_image(unbase64(std::string_view(uri).substr(kBefore.size())), "thumbnail");
}

/// An uncompressed little-endian TIFF with one strip.
struct Tiff {
  uint32_t width = 8, height = 8, bits = 8, samples = 1, format = 1, orientation = 1;
  std::string pixels;

  std::string file() const {
    const auto half = [](uint32_t v) {
      return std::string{static_cast<char>(v & 0xFFU), static_cast<char>(v >> 8U & 0xFFU)};
    };
    const auto word = [&](uint32_t v) { return half(v & 0xFFFFU) + half(v >> 16U); };
    const bool colour = samples >= 3;
    std::string data = pixels + std::string(pixels.size() % 2, '\0');
    const uint32_t bits_at = 8 + static_cast<uint32_t>(data.size());
    for (uint32_t i = 0; i < 4; ++i) data += half(bits);
    struct Tag {
      uint32_t id, kind, count, value;
    };
    std::vector<Tag> tags{{256, 4, 1, width},
                          {257, 4, 1, height},
                          {258, 3, samples, samples < 3 ? bits : bits_at},
                          {259, 3, 1, 1},
                          {262, 3, 1, colour ? 2U : 1U},
                          {273, 4, 1, 8},
                          {274, 3, 1, orientation},
                          {277, 3, 1, samples},
                          {278, 4, 1, height},
                          {279, 4, 1, static_cast<uint32_t>(pixels.size())},
                          {339, 3, 1, format}};
    if (samples > 3) tags.insert(tags.end() - 1, {338, 3, 1, 2});
    if (colour) tags.pop_back();
    std::string text = "II" + half(42) + word(8 + static_cast<uint32_t>(data.size())) + data;
    text += half(static_cast<uint32_t>(tags.size()));
    for (const auto& [id, kind, count, value] : tags)
      text += half(id) + half(kind) + word(count) + word(value);
    return text + word(0);
  }
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Mean of a square of `side` pixels at (x, y), first channel.
double mean_at(const media::Image& image, int x, int y, int side) {
  const int n = media::mode_channels(image.mode);
  double sum = 0;
  for (int j = y; j < y + side; ++j)
    for (int i = x; i < x + side; ++i)
      sum += image.data[static_cast<size_t>((j * image.width + i) * n)];
  return sum / (side * side);
}

TEST(Base64, IsUndoneForEveryLength) {
  std::string text;
  for (int length = 0; length < 70; ++length) {
    const auto coded = base64(text.data(), text.size());
    EXPECT_EQ(coded.size(), (text.size() + 2) / 3 * 4);
    const auto back = unbase64(coded);
    EXPECT_EQ(std::string(back.begin(), back.end()), text);
    text += static_cast<char>(length * 47 + 200);
  }
}

TEST(Thumbnails, ShrinkTheLongerSideAndNeverEnlarge) {
  struct Case {
    uint32_t width, height;
    int longest, shown_width, shown_height;
  };
  const Case cases[] = {{64, 32, 16, 16, 8},  {32, 64, 16, 8, 16},  {64, 64, 16, 16, 16},
                        {10, 20, 64, 10, 20}, {16, 16, 16, 16, 16}, {1, 300, 30, 1, 30},
                        {300, 2, 30, 30, 1}};
  const Scratch scratch;
  for (const auto& c : cases) {
    const Tiff tiff{.width = c.width,
                    .height = c.height,
                    .pixels = std::string(size_t{c.width} * c.height, '\x64')};
    const auto image = drawn(Thumbnails(c.longest).of(scratch.write("a.tif", tiff.file())));
    EXPECT_EQ(image.width, c.shown_width) << c.width << " x " << c.height;
    EXPECT_EQ(image.height, c.shown_height) << c.width << " x " << c.height;
    EXPECT_NEAR(image.data.at(0), 100, 2);
  }
}

TEST(Thumbnails, AreTurnedUprightByExif) {
  // 32 x 16 with one bright quarter, top left. Where it is once the picture stands upright:
  struct Case {
    uint32_t orientation;
    bool right, below, swapped;
  };
  const Case cases[] = {{1, false, false, false}, {2, true, false, false}, {3, true, true, false},
                        {4, false, true, false},  {5, false, false, true}, {6, true, false, true},
                        {7, true, true, true},    {8, false, true, true}};
  Tiff tiff{.width = 32, .height = 16};
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 32; ++x) tiff.pixels += x < 16 && y < 8 ? '\xF0' : '\x10';
  const Scratch scratch;
  for (const auto& c : cases) {
    tiff.orientation = c.orientation;
    const auto image = drawn(Thumbnails(64).of(scratch.write("a.tif", tiff.file())));
    ASSERT_EQ(image.width, c.swapped ? 16 : 32) << c.orientation;
    ASSERT_EQ(image.height, c.swapped ? 32 : 16) << c.orientation;
    for (const bool right : {false, true})
      for (const bool below : {false, true}) {
        const int x = right ? image.width - 6 : 2, y = below ? image.height - 6 : 2;
        const double expected = right == c.right && below == c.below ? 240 : 16;
        EXPECT_NEAR(mean_at(image, x, y, 4), expected, 6)
            << c.orientation << (right ? " right" : " left") << (below ? " below" : " above");
      }
  }
}

TEST(Thumbnails, DeepSamplesAreStretched) {
  const Scratch scratch;
  std::vector<uint16_t> deep(64);
  for (size_t i = 0; i < deep.size(); ++i) deep[i] = i % 8 < 4 ? 1000 : 1400;
  const Tiff tiff{.bits = 16, .pixels = bytes_of(deep)};
  const auto image = drawn(Thumbnails(8).of(scratch.write("a.tif", tiff.file())));
  EXPECT_NEAR(image.data[0], 0, 3);
  EXPECT_NEAR(image.data[7], 255, 3);
}

TEST(Thumbnails, FloatsAreStretchedAroundWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinite = std::numeric_limits<float>::infinity();
  const Scratch scratch;
  for (const float odd : {nan, infinite, -infinite}) {
    for (const size_t place : {size_t{0}, size_t{37}}) {
      std::vector<float> values(64);
      for (size_t i = 0; i < values.size(); ++i) values[i] = i % 8 < 4 ? -0.25F : 0.75F;
      values[place] = odd;
      const Tiff tiff{.bits = 32, .format = 3, .pixels = bytes_of(values)};
      const auto image = drawn(Thumbnails(8).of(scratch.write("a.tif", tiff.file())));
      EXPECT_NEAR(mean_at(image, 5, 0, 2), 255, 12) << odd << " at " << place;
      EXPECT_NEAR(mean_at(image, 1, 6, 2), 0, 12) << odd << " at " << place;
    }
  }
  const Tiff nothing{.bits = 32, .format = 3, .pixels = bytes_of(std::vector<float>(64, nan))};
  EXPECT_NEAR(drawn(Thumbnails(8).of(scratch.write("n.tif", nothing.file()))).data.at(0), 0, 2);
}

TEST(Thumbnails, AConstantDeepImageIsBlackAndDrawn) {
  const Scratch scratch;
  const Tiff tiff{.bits = 16, .pixels = bytes_of(std::vector<uint16_t>(64, 4095))};
  EXPECT_NEAR(drawn(Thumbnails(8).of(scratch.write("a.tif", tiff.file()))).data.at(0), 0, 2);
}

TEST(Thumbnails, SixteenBitColourKeepsItsHighBytes) {
  const Scratch scratch;
  for (const uint32_t samples : {3U, 4U}) {
    std::vector<uint16_t> values;
    for (int i = 0; i < 64; ++i)
      for (uint32_t c = 0; c < samples; ++c)
        values.push_back(c == 3 ? 0xFFFF : static_cast<uint16_t>(0x8000));
    const Tiff tiff{.bits = 16, .samples = samples, .pixels = bytes_of(values)};
    const auto image = drawn(Thumbnails(8).of(scratch.write("a.tif", tiff.file())));
    EXPECT_EQ(image.mode, media::Mode::kRgb) << samples;
    EXPECT_NEAR(image.data.at(0), 0x80, 3) << samples;
  }
}

TEST(Thumbnails, RememberSizesAndFramesApart) {
  const Scratch scratch;
  Thumbnails thumbnails(4);
  const Tiff dark{.pixels = std::string(64, '\x10')}, light{.pixels = std::string(64, '\x70')};
  const auto file = scratch.write("a.tif", dark.file());
  const auto first = thumbnails.of(file);
  scratch.write("a.tif", light.file());
  EXPECT_EQ(thumbnails.of(file, 0), first);  // kept
  EXPECT_NE(Thumbnails(4).of(file), first);  // another set looks anew
  EXPECT_EQ(drawn(Thumbnails(2).of(file)).width, 2);
}

TEST(Thumbnails, ForgetRatherThanGrowWithoutEnd) {
  const Scratch scratch;
  Thumbnails thumbnails(2);
  const auto file = scratch.write("a.tif", Tiff{.pixels = std::string(64, '\x10')}.file());
  const auto first = thumbnails.of(file);
  for (int i = 0; i < 600; ++i) thumbnails.of("/no/such/file/" + std::to_string(i));
  fs::remove(file);
  EXPECT_EQ(thumbnails.of(file), "");  // drawn anew, and now it is gone
  EXPECT_NE(first, "");
}

}  // namespace
}  // namespace vesalius::results
