#include "media/image.h"

#include <gtest/gtest.h>

#include "media/codecs.h"
#include "media/exif.h"

namespace vesalius::media {
namespace {

using Blob = std::vector<uint8_t>;

/// The message of the Error that `bytes` gives.
std::string refusal(const Blob& bytes) {
  try {
    decode_image(bytes, "some/file");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    return error.what();
  }
  return "";
}

TEST(Modes, HaveChannelsAndBytes) {
  struct Case {
    Mode mode;
    const char* name;
    int channels, bytes;
  };
  for (const auto& [mode, name, channels, bytes] :
       {Case{Mode::kBilevel, "1", 1, 1}, Case{Mode::kGray, "L", 1, 1},
        Case{Mode::kGrayAlpha, "LA", 2, 1}, Case{Mode::kPalette, "P", 1, 1},
        Case{Mode::kRgb, "RGB", 3, 1}, Case{Mode::kRgba, "RGBA", 4, 1},
        Case{Mode::kGray16, "I;16", 1, 2}, Case{Mode::kCmyk, "CMYK", 4, 1},
        Case{Mode::kRgb16, "RGB;16", 3, 2}, Case{Mode::kRgba16, "RGBA;16", 4, 2},
        Case{Mode::kGrayFloat, "F", 1, 4}}) {
    EXPECT_STREQ(mode_name(mode), name);
    EXPECT_EQ(mode_channels(mode), channels) << name;
    EXPECT_EQ(mode_bytes(mode), bytes) << name;
  }
}

TEST(DecodeImage, NamesTheFileAndTheReason) {
  EXPECT_EQ(refusal({}), "some/file: the file is empty");
  EXPECT_NE(refusal({'G', 'I', 'F', '8', '9', 'a'}).find("not a PNG, JPEG or TIFF"),
            std::string::npos);
  for (const Blob& cut : {Blob{0x89, 'P', 'N', 'G', 13, 10, 26, 10},
                          Blob{0xFF, 0xD8, 0xFF, 0xE0, 0, 16}, Blob{'I', 'I', 42, 0, 8, 0, 0, 0}}) {
    const std::string message = refusal(cut);
    EXPECT_EQ(message.find("some/file: "), 0U) << message;
    EXPECT_NE(message.find("truncated or damaged"), std::string::npos) << message;
  }
}

/// A PNG header and nothing behind it, with the right checksum left to libpng's mercy.
Blob png_claiming(uint32_t width, uint32_t height) {
  Blob bytes = {0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  for (const uint32_t side : {width, height}) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<uint8_t>(side >> shift));
  }
  for (const uint8_t byte : {8, 2, 0, 0, 0}) bytes.push_back(byte);
  uint32_t crc = 0xFFFFFFFF;
  for (size_t i = 12; i < bytes.size(); ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(~crc >> shift));
  const Blob data = {0, 0, 0, 0, 'I', 'D', 'A', 'T', 0x35, 0xAF, 0x06, 0x1E};
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

TEST(DecodeImage, RefusesABombBeforeItAsksForMemory) {
  EXPECT_NE(refusal(png_claiming(60000, 60000)).find("more than the 2147483648 samples"),
            std::string::npos);
  EXPECT_NE(refusal(png_claiming(20000, 20000)).find("cannot hold"), std::string::npos);
  EXPECT_NE(refusal(png_claiming(0, 5)), "");
}

TEST(AllocateImage, ChecksSizesInSixtyFourBits) {
  const auto try_size = [](int64_t width, int64_t height, size_t file_bytes) {
    return allocate_image(width, height, Mode::kRgb, file_bytes, 10, "f").data.size();
  };
  EXPECT_EQ(try_size(100, 50, 20000), 15000U);
  EXPECT_EQ(try_size(1, 1, 0), 3U);  // small images need no plausibility
  EXPECT_THROW(try_size(0, 1, 100), Error);
  EXPECT_THROW(try_size(-5, 1, 100), Error);
  EXPECT_THROW(try_size(1000, 1000, 100), Error);  // 3 MB out of 100 bytes
  EXPECT_THROW(try_size(int64_t{1} << 32, int64_t{1} << 32, SIZE_MAX), Error);
  EXPECT_THROW(try_size(0x80000000LL, 1, SIZE_MAX), Error);
}

TEST(PlausibleSize, LetsBlankPicturesBeSmall) {
  constexpr double kMiB = 1 << 20;
  EXPECT_TRUE(plausible_size(256 * kMiB, 1));
  EXPECT_FALSE(plausible_size(257 * kMiB, 1));
  EXPECT_TRUE(plausible_size(400 * kMiB, 1 << 20));
}

/// A TIFF directory of one entry.
Blob exif_block(bool big_endian, uint16_t tag, uint16_t type, uint16_t value) {
  Blob bytes = big_endian ? Blob{'M', 'M', 0, 42, 0, 0, 0, 8} : Blob{'I', 'I', 42, 0, 8, 0, 0, 0};
  const auto put = [&](uint32_t number, int width) {
    for (int i = 0; i < width; ++i) {
      const int shift = 8 * (big_endian ? width - 1 - i : i);
      bytes.push_back(static_cast<uint8_t>(number >> shift));
    }
  };
  put(1, 2);
  put(tag, 2);
  put(type, 2);
  put(1, 4);
  put(value, 2);
  put(0, 2);
  return bytes;
}

TEST(ExifOrientation, IsReadInBothByteOrders) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    EXPECT_EQ(exif_orientation(exif_block(false, 0x0112, 3, orientation)), orientation);
    EXPECT_EQ(exif_orientation(exif_block(true, 0x0112, 3, orientation)), orientation);
  }
}

TEST(ExifOrientation, IsOneWhenItMakesNoSense) {
  EXPECT_EQ(exif_orientation(exif_block(false, 0x0112, 3, 0)), 1);
  EXPECT_EQ(exif_orientation(exif_block(false, 0x0112, 3, 9)), 1);
  EXPECT_EQ(exif_orientation(exif_block(false, 0x0112, 4, 6)), 1);
  EXPECT_EQ(exif_orientation(exif_block(false, 0x0110, 3, 6)), 1);
  EXPECT_EQ(exif_orientation({}), 1);
  Blob cut = exif_block(false, 0x0112, 3, 6);
  cut.resize(12);
  EXPECT_EQ(exif_orientation(cut), 1);
  Blob far = exif_block(false, 0x0112, 3, 6);
  far[4] = far[5] = far[6] = far[7] = 0xFF;  // the directory lies beyond the end
  EXPECT_EQ(exif_orientation(far), 1);
}

}  // namespace
}  // namespace vesalius::media
