#include "media/dicom_info.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/error.h"
#include "dicom_files.h"

namespace vesalius::media {
namespace {

using Blob = std::vector<uint8_t>;
using Numbers = std::vector<double>;
constexpr const char* kExplicit = "1.2.840.10008.1.2.1";
constexpr const char* kCapture = "1.2.840.10008.5.1.4.1.1.7";

/// What is read of a data set that `fill` writes.
template <class Fill>
DicomInfo info_of(Fill fill) {
  testing::DicomWriter data;
  data.text(8, 0x16, "UI", kCapture);
  fill(data);
  return read_dicom_info(parse_dicom(testing::with_meta(kExplicit, kCapture, data.bytes()), "f"));
}

TEST(DicomInfo, ReadsIdentity) {
  const DicomInfo info = info_of([](auto& data) {
    data.text(8, 0x18, "UI", "1.2.3").text(8, 0x60, "CS", "CR").text(8, 0x103E, "LO", " Chest pa ");
    data.text(0x10, 0x20, "LO", "P 7")
        .text(0x18, 0x15, "CS", "CHEST")
        .text(0x18, 0x5101, "CS", "PA");
    data.text(0x20, 0xD, "UI", "1.4").text(0x20, 0xE, "UI", "1.5").text(0x20, 0x13, "IS", " 12 ");
  });
  EXPECT_EQ(info.sop_class_uid, kCapture);
  EXPECT_EQ(info.sop_instance_uid, "1.2.3");
  EXPECT_EQ(info.modality, "CR");
  EXPECT_EQ(info.series_description.find_last_of('a'),
            info.series_description.size() - 1);  // no blanks behind
  EXPECT_EQ(info.patient_id, "P 7");
  EXPECT_EQ(info.body_part, "CHEST");
  EXPECT_EQ(info.view_position, "PA");
  EXPECT_EQ(info.study_instance_uid, "1.4");
  EXPECT_EQ(info.series_instance_uid, "1.5");
  EXPECT_EQ(info.instance_number, 12);
  EXPECT_EQ(info.transfer_syntax_uid, kExplicit);
}

// Archives that do not know a tag write it as UN; what is in it is the same.
TEST(DicomInfo, ReadsKnownTagsOfUnknownKind) {
  const auto bytes = [](const std::string& text) { return Blob(text.begin(), text.end()); };
  const DicomInfo info = info_of([&](auto& data) {
    data.blob(8, 0x18, "UN", bytes(std::string("1.2.3\0", 6)), 6);
    data.blob(8, 0x60, "UN", bytes("CT"), 2).blob(0x28, 0x1050, "UN", bytes("40"), 2);
    data.blob(0x28, 0x1051, "UN", bytes("400 "), 4);
  });
  EXPECT_EQ(info.sop_instance_uid, "1.2.3");
  EXPECT_EQ(info.modality, "CT");
  ASSERT_EQ(info.windows.size(), 1U);
  EXPECT_EQ(info.windows[0].width, 400);
}

TEST(DicomInfo, HasDefaultsForWhatIsAbsent) {
  const DicomInfo info = info_of([](auto&) {});
  EXPECT_EQ(info.frames, 1);
  EXPECT_EQ(info.samples, 1);
  EXPECT_EQ(info.rescale_slope, 1);
  EXPECT_EQ(info.rescale_intercept, 0);
  EXPECT_EQ(info.voi_lut_function, "LINEAR");
  EXPECT_TRUE(info.windows.empty());
  EXPECT_TRUE(info.image_position.empty());
  EXPECT_FALSE(info.instance_number.has_value());
  EXPECT_FALSE(info.voi_lut || info.modality_lut || info.palette[0]);
}

struct NumberCase {
  const char* text;
  Numbers numbers;
};

TEST(DicomInfo, ReadsDecimalStrings) {
  for (const auto& [text, numbers] :
       {NumberCase{"1\\2\\3", {1, 2, 3}}, NumberCase{" -1.5 \\+2e1\\ 3", {-1.5, 20, 3}},
        NumberCase{"7", {7}}, NumberCase{"1\\two\\3", {1}}, NumberCase{"12mm", {}},
        NumberCase{"nan\\1", {}}, NumberCase{"1\\1e999", {1}}, NumberCase{"", {}}}) {
    const DicomInfo info = info_of([&](auto& data) { data.text(0x20, 0x32, "DS", text); });
    EXPECT_EQ(info.image_position, numbers) << text;
  }
}

// Not as the standard wants it, yet met: numbers in binary where decimal strings belong.
TEST(DicomInfo, ReadsNumbersThatAreNotText) {
  const DicomInfo info = info_of([](auto& data) {
    data.us(0x20, 0x13, {5}).us(0x28, 8, {1});
    data.us(0x28, 0x30, {0, 0, 0, 0x3FE0, 0, 0, 0, 0x3FD0}, "FD");  // 0.5 and 0.25
  });
  EXPECT_EQ(info.instance_number, 5);
  EXPECT_EQ(info.frames, 1);
  EXPECT_EQ(info.pixel_spacing, (Numbers{0.5, 0.25}));
}

TEST(DicomInfo, PairsWindows) {
  const DicomInfo info = info_of([](auto& data) {
    data.text(0x28, 0x1050, "DS", "40\\-600\\9").text(0x28, 0x1051, "DS", "400\\1500");
    data.text(0x28, 0x1056, "CS", "SIGMOID");
  });
  ASSERT_EQ(info.windows.size(), 2U);  // the third has no width
  EXPECT_EQ(info.windows[1].center, -600);
  EXPECT_EQ(info.windows[1].width, 1500);
  EXPECT_EQ(info.voi_lut_function, "SIGMOID");
}

TEST(DicomInfo, TakesSlopeAndInterceptTogetherOrNot) {
  const DicomInfo both = info_of(
      [](auto& data) { data.text(0x28, 0x1052, "DS", "-1024").text(0x28, 0x1053, "DS", "0.5"); });
  EXPECT_EQ(both.rescale_slope, 0.5);
  EXPECT_EQ(both.rescale_intercept, -1024);
  const DicomInfo one = info_of([](auto& data) { data.text(0x28, 0x1052, "DS", "-1024"); });
  EXPECT_EQ(one.rescale_intercept, 0);
}

/// A sequence of one item with a table.
Blob table_item(const std::vector<uint16_t>& descriptor, const char* vr,
                const std::vector<uint16_t>& entries) {
  testing::DicomWriter inner;
  inner.us(0x28, 0x3002, descriptor, vr).us(0x28, 0x3006, entries);
  testing::DicomWriter item;
  item.item(inner.bytes());
  return item.bytes();
}

TEST(DicomInfo, ReadsTables) {
  const Blob voi = table_item({4, 10, 12}, "US", {0, 100, 200, 4095});
  const Blob modality = table_item({3, 0xFFFE, 16}, "SS", {7, 8, 9});
  const DicomInfo info = info_of([&](auto& data) {
    data.blob(0x28, 0x3000, "SQ", modality, modality.size())
        .blob(0x28, 0x3010, "SQ", voi, voi.size());
  });
  ASSERT_TRUE(info.voi_lut && info.modality_lut);
  EXPECT_EQ(info.voi_lut->first, 10);
  EXPECT_EQ(info.voi_lut->bits, 12);
  EXPECT_EQ(info.voi_lut->values, (std::vector<uint16_t>{0, 100, 200, 4095}));
  EXPECT_EQ(info.modality_lut->first, -2);
  EXPECT_EQ(info.modality_lut->values, (std::vector<uint16_t>{7, 8, 9}));
}

TEST(DicomInfo, SpreadsPackedBytesAndCutsWhatIsTooMuch) {
  const Blob packed = table_item({4, 0, 8}, "US", {0x0201, 0x0403});
  DicomInfo info =
      info_of([&](auto& data) { data.blob(0x28, 0x3010, "SQ", packed, packed.size()); });
  ASSERT_TRUE(info.voi_lut);
  EXPECT_EQ(info.voi_lut->values, (std::vector<uint16_t>{1, 2, 3, 4}));
  const Blob longer = table_item({2, 0, 16}, "US", {1, 2, 3});
  info = info_of([&](auto& data) { data.blob(0x28, 0x3010, "SQ", longer, longer.size()); });
  EXPECT_EQ(info.voi_lut->values, (std::vector<uint16_t>{1, 2}));
  const Blob empty = table_item({2, 0, 16}, "US", {});
  info = info_of([&](auto& data) { data.blob(0x28, 0x3010, "SQ", empty, empty.size()); });
  EXPECT_FALSE(info.voi_lut);
}

TEST(ParseDicom, BelievesTheElementsMoreThanTheTransferSyntax) {
  const Blob explicit_data = testing::describe({.rows = 7}).bytes();
  const Blob mislabelled =
      testing::with_meta("1.2.840.10008.1.2", kCapture, explicit_data);  // says implicit
  EXPECT_EQ(read_dicom_info(parse_dicom(mislabelled, "f")).rows, 7);
}

Blob deflated(const Blob& data) {
  Blob out(data.size() + 100);
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = const_cast<uint8_t*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

TEST(ParseDicom, InflatesAndRefusesWhatBreaksOff) {
  constexpr const char* kDeflated = "1.2.840.10008.1.2.1.99";
  testing::DicomWriter data = testing::describe({.rows = 7, .columns = 1});
  data.blob(0x7FE0, 0x10, "OB", Blob(8), 8);
  const Blob whole = deflated(data.bytes());
  const Blob file = testing::with_meta(kDeflated, kCapture, whole);
  EXPECT_EQ(read_dicom_info(parse_dicom(file, "f")).rows, 7);
  EXPECT_EQ(DicomFile::parse(file, "f").frame(0).values.size(), 7U);
  const Blob half(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(whole.size() / 2));
  EXPECT_THROW(DicomFile::parse(testing::with_meta(kDeflated, kCapture, half), "f"), Error);
  EXPECT_THROW(DicomFile::parse(testing::with_meta(kDeflated, kCapture, Blob(50, 0xFF)), "f"),
               Error);
}

TEST(ParseDicom, KnowsHighThroughputJpeg2000ByItsRoot) {
  for (const char* uid :
       {"1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"}) {
    EXPECT_TRUE(is_htj2k(uid));
  }
  for (const char* uid :
       {"1.2.840.10008.1.2.4.20", "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.2011", ""}) {
    EXPECT_FALSE(is_htj2k(uid));
  }
}

TEST(MetaSopClass, IsFoundOrEmpty) {
  EXPECT_EQ(meta_sop_class(testing::with_meta(kExplicit, "1.2.840.10008.1.3.10", {})),
            "1.2.840.10008.1.3.10");
  EXPECT_EQ(meta_sop_class({}), "");
  EXPECT_EQ(meta_sop_class(Blob(200)), "");
  Blob cut = testing::with_meta(kExplicit, kCapture, {});
  cut.resize(150);
  EXPECT_EQ(meta_sop_class(cut), "");
}

}  // namespace
}  // namespace vesalius::media
