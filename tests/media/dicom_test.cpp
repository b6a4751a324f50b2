#include "media/dicom.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/parallel.h"
#include "dicom_files.h"
#include "media/dicom_codecs.h"
#include "media/dicom_fragments.h"
#include "media/dicom_jpeg12.h"
#include "media/dicom_samples.h"

namespace vesalius::media {
namespace {

using testing::Spec;
using Blob = std::vector<uint8_t>;
using Values = std::vector<int32_t>;

std::string refusal(const Blob& bytes) {
  try {
    const DicomFile file = DicomFile::parse(bytes, "a.dcm");
    for (int i = 0; i < file.info().frames; ++i) file.frame(i);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
    EXPECT_EQ(std::string(error.what()).find("a.dcm: "), 0U) << error.what();
    return error.what();
  }
  return "";
}

TEST(DicomFile, ReadsNativeFrames) {
  const DicomFile file =
      DicomFile::parse(testing::dicom({.frames = "2", .rows = 1}, {1, 2, 3, 4, 5, 255}), "a.dcm");
  EXPECT_EQ(file.info().photometric, "MONOCHROME2");
  EXPECT_EQ(file.info().frames, 2);
  EXPECT_EQ(file.frame(0).values, (Values{1, 2, 3}));
  EXPECT_EQ(file.frame(1).values, (Values{4, 5, 255}));
  EXPECT_THROW(file.frame(2), Error);
  EXPECT_THROW(file.frame(-1), Error);
}

/// A sequence of items, each given as its elements.
Blob items(const std::vector<Blob>& contents) {
  testing::DicomWriter out;
  for (const Blob& content : contents) out.item(content);
  return out.bytes();
}

/// One functional group macro: a sequence of one item with two decimal strings.
Blob macro(uint16_t group, uint16_t element, std::pair<uint16_t, uint16_t> tags, const char* first,
           const char* second) {
  testing::DicomWriter inner;
  inner.text(0x28, tags.first, "DS", first).text(0x28, tags.second, "DS", second);
  const Blob item = items({inner.bytes()});
  testing::DicomWriter out;
  out.blob(group, element, "SQ", item, item.size());
  return out.bytes();
}

TEST(DicomFile, EachFrameMayHaveItsOwnRescaleAndWindow) {
  const auto window = [](const char* center) {
    return macro(0x28, 0x9132, {0x1050, 0x1051}, center, "10");
  };
  const Blob shared = items({macro(0x28, 0x9145, {0x1052, 0x1053}, "-5", "2")});
  const Blob frames = items({window("100"), window("200")});
  testing::DicomWriter data = testing::describe({.frames = "2", .rows = 1});
  data.blob(0x5200, 0x9229, "SQ", shared, shared.size())
      .blob(0x5200, 0x9230, "SQ", frames, frames.size());
  data.blob(0x7FE0, 0x10, "OB", {1, 2, 3, 4, 5, 6}, 6);
  const DicomFile file = DicomFile::parse(
      testing::with_meta("1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.2.1", data.bytes()),
      "a.dcm");
  EXPECT_EQ(file.info().windows.at(0).center, 100);
  EXPECT_EQ(file.frame_info(0).windows.at(0).center, 100);
  EXPECT_EQ(file.frame_info(1).windows.at(0).center, 200);
  EXPECT_EQ(file.frame_info(1).rescale_slope, 2);
  EXPECT_EQ(file.frame_info(1).rescale_intercept, -5);
  EXPECT_THROW(file.frame_info(2), Error);
}

TEST(DicomFile, CutsToTheStoredBits) {
  const Blob pixels = {0xFF, 0xFF, 0x00, 0xF8, 0x34, 0x12};
  const Spec plain = {.rows = 1, .allocated = 16, .stored = 12};
  EXPECT_EQ(DicomFile::parse(testing::dicom(plain, pixels), "a.dcm").frame(0).values,
            (Values{0xFFF, 0x800, 0x234}));
  const Spec with_sign = {.rows = 1, .allocated = 16, .stored = 12, .is_signed = 1};
  EXPECT_EQ(DicomFile::parse(testing::dicom(with_sign, pixels), "a.dcm").frame(0).values,
            (Values{-1, -2048, 0x234}));
}

TEST(DicomFile, ReadsPackedBitsAcrossFrames) {
  const Spec spec = {.frames = "2", .rows = 1, .columns = 5, .allocated = 1, .stored = 1};
  const DicomFile file = DicomFile::parse(testing::dicom(spec, {0b10110101, 0b00000011}), "a.dcm");
  EXPECT_EQ(file.frame(0).values, (Values{1, 0, 1, 0, 1}));
  EXPECT_EQ(file.frame(1).values, (Values{1, 0, 1, 1, 1}));
}

TEST(DicomFile, RefusesWhatLies) {
  EXPECT_NE(
      refusal(testing::dicom({.rows = 65535, .columns = 65535}, Blob(10))).find("65535 x 65535"),
      std::string::npos);
  EXPECT_NE(
      refusal(testing::dicom({.rows = 40000, .columns = 40000}, Blob(10))).find("10 are there"),
      std::string::npos);
  EXPECT_NE(refusal(testing::dicom({.frames = "2000000000"}, Blob(6))).find("truncated"),
            std::string::npos);
  for (const Spec& spec :
       {Spec{.rows = 0}, Spec{.frames = "0"}, Spec{.frames = "-3"}, Spec{.frames = "1A"},
        Spec{.samples = 2}, Spec{.allocated = 12}, Spec{.stored = 0}, Spec{.stored = 9}}) {
    EXPECT_NE(refusal(testing::dicom(spec, Blob(64))).find("make no image"), std::string::npos);
  }
}

TEST(DicomFile, RefusesWhatIsNoImage) {
  EXPECT_NE(refusal({}).find("not a DICOM file"), std::string::npos);
  EXPECT_NE(refusal(Blob(500, 'x')).find("not a DICOM file"), std::string::npos);
  const Blob report = testing::with_meta("1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.88.11",
                                         testing::describe({}).bytes());
  EXPECT_NE(refusal(report).find("without pixels"), std::string::npos);
  EXPECT_NE(refusal(testing::encapsulated({.syntax = "1.2.840.10008.1.2.4.102"}, {{}, Blob(20)}))
                .find("not read here"),
            std::string::npos);
}

TEST(DicomFile, RefusesEveryTruncation) {
  const Blob whole = testing::dicom({}, {1, 2, 3, 4, 5, 6});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(refusal(Blob(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size))), "")
        << size;
  }
}

TEST(DicomFile, StopsInBottomlessSequences) {
  testing::DicomWriter data = testing::describe({});
  for (int i = 0; i < 200000; ++i) {
    data.blob(0x0040, 0x0275, "SQ", {0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF}, 0xFFFFFFFF);
  }
  EXPECT_NE(
      refusal(testing::with_meta("1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", data.bytes())),
      "");
}

TEST(DicomFile, DoesNotTrustTheLengthOfAnElement) {
  testing::DicomWriter data = testing::describe({});
  data.blob(0x7FE0, 0x10, "OB", {1, 2, 3}, 0xFFFFFFF0);
  EXPECT_NE(
      refusal(testing::with_meta("1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", data.bytes())),
      "");
}

/// One segment of literal bytes, behind a header that lists it.
Blob rle(const Blob& literal) {
  Blob out(64);
  out[0] = 1;
  out[4] = 64;
  out.push_back(static_cast<uint8_t>(literal.size() - 1));
  out.insert(out.end(), literal.begin(), literal.end());
  if (out.size() % 2 != 0) out.push_back(0);
  return out;
}

TEST(DicomFile, ReadsRunLengths) {
  const Spec spec = {.syntax = "1.2.840.10008.1.2.5"};
  const DicomFile file =
      DicomFile::parse(testing::encapsulated(spec, {{}, rle({9, 8, 7, 6, 5, 4})}), "a.dcm");
  EXPECT_EQ(file.frame(0).values, (Values{9, 8, 7, 6, 5, 4}));
  Blob runs(64);
  runs[0] = 1;
  runs[4] = 64;
  runs.insert(runs.end(), {0xFE, 7, 0x80, 0x02, 1, 2, 3, 0});  // three 7s, nothing, three literals
  EXPECT_EQ(DicomFile::parse(testing::encapsulated(spec, {{}, runs}), "a.dcm").frame(0).values,
            (Values{7, 7, 7, 1, 2, 3}));
}

TEST(DicomFile, IsReadOnManyThreadsAtOnce) {
  const Blob bytes =
      testing::encapsulated({.syntax = "1.2.840.10008.1.2.5"}, {{}, rle({9, 8, 7, 6, 5, 4})});
  std::atomic<int> equal = 0;
  parallel_for(
      200,
      [&](int64_t) {
        if (DicomFile::parse(bytes, "a.dcm").frame(0).values == Values{9, 8, 7, 6, 5, 4}) ++equal;
      },
      4);
  EXPECT_EQ(equal, 200);
}

TEST(DicomFile, RefusesBrokenRunLengths) {
  const Spec spec = {.syntax = "1.2.840.10008.1.2.5"};
  Blob two_segments = rle({9, 8, 7, 6, 5, 4}), far = two_segments, inside = two_segments;
  two_segments[0] = 2;
  far[5] = 0xFF;
  inside[4] = 3;
  for (const Blob& fragment :
       {Blob{}, Blob(10), Blob(64), rle({9, 8}), two_segments, far, inside}) {
    EXPECT_NE(refusal(testing::encapsulated(spec, {{}, fragment})).find("RLE"), std::string::npos);
  }
  EXPECT_NE(refusal(testing::encapsulated(spec, {{}})).find("1 frames are claimed and 0"),
            std::string::npos);
}

TEST(DicomFile, RefusesCodeStreamsOfAnotherSize) {
  const Blob header = {0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 9, 0, 9, 1, 1, 0x11, 0, 0xFF, 0xD9, 0};
  for (const char* last : {"50", "51", "57", "70", "80", "81"}) {
    const Spec spec = {.syntax = std::string("1.2.840.10008.1.2.4.") + last};
    EXPECT_NE(refusal(testing::encapsulated(spec, {{}, header})).find("damaged"), std::string::npos)
        << last;
    EXPECT_NE(refusal(testing::encapsulated(spec, {{}, Blob(32)})), "") << last;
  }
  for (const char* last : {"90", "91", "201", "202", "203"}) {
    const Spec spec = {.syntax = std::string("1.2.840.10008.1.2.4.") + last};
    EXPECT_NE(refusal(testing::encapsulated(spec, {{}, header})).find("JPEG 2000"),
              std::string::npos)
        << last;
  }
}

TEST(LooksLikeDicom, KnowsTheMarkAndBareDataSets) {
  EXPECT_TRUE(looks_like_dicom(testing::dicom({}, {1, 2, 3, 4, 5, 6})));
  EXPECT_TRUE(looks_like_dicom(testing::describe({}).bytes()));
  EXPECT_TRUE(looks_like_dicom(
      Blob{8, 0, 5, 0, 10, 0, 0, 0, 'I', 'S', 'O', '_', 'I', 'R', ' ', '1', '0', '0'}));
  EXPECT_FALSE(looks_like_dicom(Blob{}));
  EXPECT_FALSE(looks_like_dicom(Blob(200)));
  EXPECT_FALSE(looks_like_dicom(Blob(200, ' ')));
  EXPECT_FALSE(looks_like_dicom(
      Blob{0x89, 'P', 'N', 'G', 13, 10, 26, 10, 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0}));
}

TEST(SplitFrames, FollowsTheTableOrFindsItsWay) {
  const Blob a = {1, 2}, b = {3, 4, 0xFF, 0xD9}, c = {5, 6}, d = {7, 0xFF, 0xD9, 0};
  const std::vector<Bytes> all = {a, b, c, d};
  const auto sizes = [&](const std::vector<uint64_t>& offsets, int frames) {
    std::vector<size_t> out;
    for (const auto& frame : split_frames(all, offsets, frames, "f")) out.push_back(frame.size());
    return out;
  };
  EXPECT_EQ(sizes({0, 10}, 2), (std::vector<size_t>{1, 3}));
  EXPECT_EQ(sizes({0, 22}, 2), (std::vector<size_t>{2, 2}));
  EXPECT_EQ(sizes({}, 2), (std::vector<size_t>{2, 2}));       // by end markers
  EXPECT_EQ(sizes({0, 11}, 2), (std::vector<size_t>{2, 2}));  // a wrong table is left aside
  EXPECT_EQ(sizes({}, 1), (std::vector<size_t>{4}));
  EXPECT_EQ(sizes({}, 4), (std::vector<size_t>{1, 1, 1, 1}));
  EXPECT_EQ(join(all), (Blob{1, 2, 3, 4, 0xFF, 0xD9, 5, 6, 7, 0xFF, 0xD9, 0}));
  EXPECT_THROW(sizes({}, 3), Error);
  EXPECT_THROW(split_frames({}, {}, 1, "f"), Error);
}

TEST(CutToBits, ExtendsSignOrZero) {
  Values values = {0x0F, 0x18, -1, 0x123};
  cut_to_bits(values, 5, true);
  EXPECT_EQ(values, (Values{15, -8, -1, 3}));
  values = {0x0F, 0x18, -1, 0x123};
  cut_to_bits(values, 5, false);
  EXPECT_EQ(values, (Values{15, 24, 31, 3}));
  values = {-5, 7};
  cut_to_bits(values, 32, false);
  EXPECT_EQ(values, (Values{-5, 7}));
}

TEST(YbrToRgb, GivesThePrimaries) {
  Values values = {76,  85,  255, 150, 44,  21,  29, 255, 107,
                   128, 128, 128, 255, 128, 128, 0,  128, 128};
  ybr_to_rgb(values);
  EXPECT_EQ(values,
            (Values{254, 0, 0, 0, 255, 1, 0, 0, 254, 128, 128, 128, 255, 255, 255, 0, 0, 0}));
}

TEST(ReadJpegHeader, FindsTheFrameAndWhatPrecedesIt) {
  const Blob stream = {0xFF, 0xD8, 0xFF, 0xE0, 0,   8,    'J', 'F', 'I',  'F', 0,
                       1,    0xFF, 0xFF, 0xC1, 0,   17,   12,  1,   0,    0,   200,
                       3,    'R',  0x11, 0,    'G', 0x11, 0,   'B', 0x11, 0};
  const CodeStream header = read_jpeg_header(stream, "f");
  EXPECT_EQ(header.frame_marker, 0xC1);
  EXPECT_EQ(header.precision, 12);
  EXPECT_EQ(header.height, 256);
  EXPECT_EQ(header.width, 200);
  EXPECT_EQ(header.components, 3);
  EXPECT_TRUE(header.rgb_ids);
  EXPECT_TRUE(header.jfif);
  EXPECT_THROW(read_jpeg_header(Blob(stream.begin(), stream.begin() + 16), "f"), Error);
  EXPECT_THROW(read_jpeg_header(Blob{}, "f"), Error);
  EXPECT_THROW(read_jpeg_header(Blob{0xFF, 0xD8, 0xFF, 0xE0, 0, 0}, "f"), Error);
}

/// 16 x 8 pixels, one block a restart interval. DC code "0" is no difference and "10" one of three
/// bits; AC code "0" ends the block. `data` is the scan.
Blob jpeg12(const Blob& data) {
  Blob out = {0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0};
  out.insert(out.end(), 64, 8);
  const Blob tables = {0xFF, 0xC4, 0, 21, 0x00, 1,    1, 0, 0,  0, 0, 0,    0,  0,    0,
                       0,    0,    0, 0,  0,    0,    0, 3,  // DC
                       0xFF, 0xC4, 0, 20, 0x10, 1,    0, 0, 0,  0, 0, 0,    0,  0,    0,
                       0,    0,    0, 0,  0,    0,    0,  // AC
                       0xFF, 0xC1, 0, 11, 12,   0,    8, 0, 16, 1, 1, 0x11, 0,  0xFF, 0xDD,
                       0,    4,    0, 1,  0xFF, 0xDA, 0, 8, 1,  1, 0, 0,    63, 0};
  out.insert(out.end(), tables.begin(), tables.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

TEST(DecodeJpeg12Gray, StartsAnewBehindEachMarker) {
  // 10 100 0 11: a difference of 4, times 8, over 8 pixels' norm: 4 above the middle.
  const Values found =
      decode_jpeg12_gray(jpeg12({0b10100011, 0xFF, 0xD0, 0b10100011, 0xFF, 0xD9}), 16, 8, "f");
  EXPECT_EQ(found, Values(128, 2052));
  const Values none =
      decode_jpeg12_gray(jpeg12({0b00111111, 0xFF, 0xD3, 0b10011011, 0xFF, 0xD9}), 16, 8, "f");
  EXPECT_EQ(none[0], 2048);
  EXPECT_EQ(none[15], 2044);  // 011: a difference of -4
}

TEST(DecodeJpeg12Gray, RefusesBrokenScans) {
  for (const Blob& scan :
       {Blob{}, Blob{0b10100011}, Blob{0b10100011, 0b10100011}, Blob{0b11111111, 0x00},
        Blob{0b10100011, 0xFF, 0xD0}, Blob{0b10100011, 0xFF, 0xD0, 0xFF, 0xD9}}) {
    EXPECT_THROW(decode_jpeg12_gray(jpeg12(scan), 16, 8, "f"), Error);
  }
  const Blob whole = jpeg12({0b10100011, 0xFF, 0xD0, 0b10100011, 0xFF, 0xD9});
  for (size_t size = 0; size + 3 < whole.size(); ++size) {
    EXPECT_THROW(decode_jpeg12_gray(
                     Blob(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size)), 16, 8, "f"),
                 Error);
  }
}

}  // namespace
}  // namespace vesalius::media
