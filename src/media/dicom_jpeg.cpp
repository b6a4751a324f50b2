// The JPEG family inside DICOM: 8 bits by libjpeg-turbo, lossless and 12 to 16 bits by DCMTK's
// libraries.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djcparam.h>
#include <dcmtk/dcmjpeg/djdijg12.h>
#include <dcmtk/dcmjpeg/djdijg16.h>
#include <dcmtk/dcmjpeg/djdijg8.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "media/codecs.h"
#include "media/dicom_codecs.h"
#include "media/dicom_jpeg12.h"
#include "media/jpeg.h"

namespace vesalius::media {

namespace {
constexpr uint8_t kLosslessFrame = 0xC3, kJpegLsFrame = 0xF7;

bool is_frame_marker(uint8_t marker) {
  const bool dct_or_lossless =
      marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
  return dct_or_lossless || marker == kJpegLsFrame;
}

void read_frame_header(Bytes segment, CodeStream& stream) {
  if (segment.size() < 6) return;
  stream.precision = segment[0];
  stream.height = segment[1] << 8 | segment[2];
  stream.width = segment[3] << 8 | segment[4];
  stream.components = segment[5];
  if (segment.size() >= 15 && stream.components == 3) {
    const uint8_t ids[] = {segment[6], segment[9], segment[12]};
    constexpr uint8_t kUpper[] = {'R', 'G', 'B'}, kLower[] = {'r', 'g', 'b'};
    stream.rgb_ids = std::equal(ids, ids + 3, kUpper) || std::equal(ids, ids + 3, kLower);
  }
}

std::unique_ptr<DJDecoder> make_decoder(const DJCodecParameter& parameters, int precision) {
  if (precision <= 8) return std::make_unique<DJDecompressIJG8Bit>(parameters, OFFalse);
  if (precision <= 12) return std::make_unique<DJDecompressIJG12Bit>(parameters, OFFalse);
  return std::make_unique<DJDecompressIJG16Bit>(parameters, OFFalse);
}

template <class T>
std::vector<int32_t> widen(const std::vector<uint8_t>& bytes, size_t count) {
  const auto* samples = reinterpret_cast<const T*>(bytes.data());
  return {samples, samples + count};
}

size_t sample_count(const DicomInfo& info) {
  return static_cast<size_t>(info.rows) * info.columns * info.samples;
}

std::vector<int32_t> decode_with_dcmtk(Bytes bytes, int precision, const DicomInfo& info,
                                       const std::string& where) {
  const DJCodecParameter parameters(ECC_lossyYCbCr, EDC_never, EUC_never, EPC_colorByPixel, OFTrue,
                                    OFTrue);
  const std::unique_ptr<DJDecoder> decoder = make_decoder(parameters, precision);
  const size_t count = sample_count(info), width = precision <= 8 ? 1 : 2;
  if (count * width > 0xFFFFFFFF || bytes.size() > 0xFFFFFFFF) {
    fail(ErrorCode::kUnsupported, "{}: a JPEG frame of more than 4 GiB; split it", where);
  }
  std::vector<uint8_t> out(count * width);
  OFCondition condition = decoder->init();
  if (condition.good()) {
    condition = decoder->decode(const_cast<Uint8*>(bytes.data()), static_cast<Uint32>(bytes.size()),
                                out.data(), static_cast<Uint32>(out.size()),
                                info.is_signed ? OFTrue : OFFalse);
  }
  if (condition.bad()) fail_damaged(where, "JPEG", condition.text());
  return width == 1 ? widen<uint8_t>(out, count) : widen<uint16_t>(out, count);
}

/// A data set of one frame, since DCMTK decodes JPEG-LS by data set alone.
void describe(DcmDataset& data, const CodeStream& stream) {
  data.putAndInsertUint16(DCM_Rows, static_cast<Uint16>(stream.height));
  data.putAndInsertUint16(DCM_Columns, static_cast<Uint16>(stream.width));
  data.putAndInsertUint16(DCM_SamplesPerPixel, static_cast<Uint16>(stream.components));
  data.putAndInsertUint16(DCM_BitsAllocated, stream.precision <= 8 ? 8 : 16);
  data.putAndInsertUint16(DCM_BitsStored, static_cast<Uint16>(stream.precision));
  data.putAndInsertUint16(DCM_HighBit, static_cast<Uint16>(stream.precision - 1));
  data.putAndInsertUint16(DCM_PixelRepresentation, 0);
  data.putAndInsertUint16(DCM_PlanarConfiguration, 0);
  data.putAndInsertString(DCM_PhotometricInterpretation,
                          stream.components == 3 ? "RGB" : "MONOCHROME2");
  data.putAndInsertString(DCM_NumberOfFrames, "1");
}

std::unique_ptr<DcmPixelData> wrap_code_stream(Bytes bytes) {
  auto sequence = std::make_unique<DcmPixelSequence>(DcmTag(DCM_PixelData, EVR_OB));
  sequence->insert(new DcmPixelItem(DcmTag(DCM_PixelItemTag, EVR_OB)));  // the empty offset table
  auto item = std::make_unique<DcmPixelItem>(DcmTag(DCM_PixelItemTag, EVR_OB));
  item->putUint8Array(bytes.data(),
                      static_cast<unsigned long>(bytes.size()));  // NOLINT(google-runtime-int)
  sequence->insert(item.release());
  auto pixels = std::make_unique<DcmPixelData>(DcmTag(DCM_PixelData, EVR_OB));
  pixels->putOriginalRepresentation(EXS_JPEGLSLossless, nullptr, sequence.release());
  return pixels;
}
}  // namespace

CodeStream read_jpeg_header(Bytes bytes, const std::string& where) {
  CodeStream stream;
  size_t at = 2;
  while (bytes.size() >= 4 && bytes[0] == 0xFF && bytes[1] == 0xD8 && at + 4 <= bytes.size() &&
         bytes[at] == 0xFF) {
    const uint8_t marker = bytes[at + 1];
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    const size_t length = static_cast<size_t>(bytes[at + 2] << 8 | bytes[at + 3]);
    if (length < 2 || length > bytes.size() - at - 2) break;
    const Bytes segment = bytes.subspan(at + 4, length - 2);
    constexpr uint8_t kJfif[] = {'J', 'F', 'I', 'F'};
    if (marker >= 0xE0 && marker <= 0xEF && segment.size() >= 4 &&
        std::equal(kJfif, kJfif + 4, segment.begin())) {
      stream.jfif = true;
    }
    if (is_frame_marker(marker)) {
      stream.frame_marker = marker;
      read_frame_header(segment, stream);
      break;
    }
    at += 2 + length;
  }
  if (stream.components == 0) fail_damaged(where, "JPEG", "no frame header");
  return stream;
}

void check_code_stream(const CodeStream& stream, const DicomInfo& info, const std::string& where) {
  if (stream.width == info.columns && stream.height == info.rows &&
      stream.components == info.samples && stream.precision >= 1 && stream.precision <= 32) {
    return;
  }
  fail(ErrorCode::kUnsupported,
       "{}: the data set claims {} x {} pixels of {} samples, its compressed frame has {} x {} of "
       "{} with {} bits; "
       "the file is damaged",
       where, info.columns, info.rows, info.samples, stream.width, stream.height, stream.components,
       stream.precision);
}

CodedFrame decode_jpeg_frame(Bytes bytes, const DicomInfo& info, const std::string& where) {
  CodedFrame frame{read_jpeg_header(bytes, where), {}};
  check_code_stream(frame.stream, info, where);
  if (frame.stream.precision == 8 && frame.stream.frame_marker != kLosslessFrame) {
    const Image image = decode_jpeg(bytes, where, JpegColor::kStored);
    frame.values.assign(image.data.begin(), image.data.end());
    return frame;
  }
  // Neither lossless nor 12-bit coding goes below a bit for 64 samples.
  if (sample_count(info) / 512 > bytes.size())
    fail_damaged(where, "JPEG", "there is too little of it");
  constexpr uint8_t kExtendedFrame = 0xC1;
  if (frame.stream.precision == 12 && frame.stream.frame_marker == kExtendedFrame &&
      info.samples == 1) {
    frame.values = decode_jpeg12_gray(bytes, info.columns, info.rows, where);
    return frame;
  }
  frame.values = decode_with_dcmtk(bytes, frame.stream.precision, info, where);
  return frame;
}

CodedFrame decode_jpeg_ls_frame(Bytes bytes, const DicomInfo& info, const std::string& where) {
  static std::once_flag once;
  std::call_once(
      once, [] { DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel); });
  CodedFrame frame{read_jpeg_header(bytes, where), {}};
  check_code_stream(frame.stream, info, where);
  if (frame.stream.frame_marker != kJpegLsFrame)
    fail_damaged(where, "JPEG-LS", "another kind of JPEG");
  if (frame.stream.precision < 2 || frame.stream.precision > 16) {
    fail_damaged(where, "JPEG-LS", "samples of an impossible depth");
  }
  // A run is at most 2^15 samples a bit.
  const size_t count = sample_count(info), width = frame.stream.precision <= 8 ? 1 : 2;
  if (count >> 18 > bytes.size() || count * width > 0xFFFFFFFE ||
      !plausible_size(static_cast<double>(count) * sizeof(int32_t), bytes.size())) {
    fail_damaged(where, "JPEG-LS", "there is too little of it");
  }
  DcmDataset data;
  describe(data, frame.stream);
  const std::unique_ptr<DcmPixelData> pixels = wrap_code_stream(bytes);
  std::vector<uint8_t> out(count * width + (count * width & 1));
  Uint32 fragment = 0;
  OFString color;
  const OFCondition condition = pixels->getUncompressedFrame(
      &data, 0, fragment, out.data(), static_cast<Uint32>(out.size()), color);
  if (condition.bad()) fail_damaged(where, "JPEG-LS", condition.text());
  frame.values = width == 1 ? widen<uint8_t>(out, count) : widen<uint16_t>(out, count);
  return frame;
}

}  // namespace vesalius::media
