#include "media/dicom.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

#include <map>

#include "media/dicom_codecs.h"
#include "media/dicom_fragments.h"
#include "media/dicom_info.h"
#include "media/dicom_samples.h"
#include "media/dicom_stream.h"

namespace vesalius::media {

namespace {
using FrameDecoder = CodedFrame (*)(Bytes, const DicomInfo&, const std::string&);

enum class Coding { kNative, kJpeg, kJpegLs, kJpeg2000, kRle };

/// How the pixels of a transfer syntax are coded. Error kUnsupported for video and what else there
/// is.
Coding coding_of(const ParsedDicom& parsed, const std::string& where) {
  if (is_htj2k(parsed.syntax_uid)) return Coding::kJpeg2000;
  const DcmXfer syntax(parsed.syntax_uid.c_str());
  if (!syntax.isEncapsulated()) return Coding::kNative;
  static const std::map<E_TransferSyntax, Coding> kCodings = {
      {EXS_JPEGProcess1, Coding::kJpeg},
      {EXS_JPEGProcess2_4, Coding::kJpeg},
      {EXS_JPEGProcess14, Coding::kJpeg},
      {EXS_JPEGProcess14SV1, Coding::kJpeg},
      {EXS_JPEGProcess6_8, Coding::kJpeg},
      {EXS_JPEGProcess10_12, Coding::kJpeg},
      {EXS_JPEGLSLossless, Coding::kJpegLs},
      {EXS_JPEGLSLossy, Coding::kJpegLs},
      {EXS_JPEG2000LosslessOnly, Coding::kJpeg2000},
      {EXS_JPEG2000, Coding::kJpeg2000},
      {EXS_RLELossless, Coding::kRle}};
  const auto found = kCodings.find(syntax.getXfer());
  if (found == kCodings.end()) {
    fail(ErrorCode::kUnsupported,
         "{}: pixels in transfer syntax {} ({}) are not read here; convert the file, for "
         "example with dcmconv or gdcmconv",
         where, parsed.syntax_uid, syntax.getXferName());
  }
  return found->second;
}

FrameDecoder decoder_of(Coding coding) {
  switch (coding) {
    case Coding::kJpeg:
      return decode_jpeg_frame;
    case Coding::kJpegLs:
      return decode_jpeg_ls_frame;
    case Coding::kJpeg2000:
      return decode_jpeg2000_frame;
    case Coding::kRle:
      return decode_rle_frame;
    case Coding::kNative:
      break;
  }
  return nullptr;
}

void check_layout(const DicomInfo& info, const std::string& where) {
  const int64_t samples = int64_t{info.rows} * info.columns * info.samples;
  const bool depth = info.bits_allocated == 1 || info.bits_allocated == 8 ||
                     info.bits_allocated == 16 || info.bits_allocated == 32;
  if (samples < 1 || info.frames < 1 || (info.samples != 1 && info.samples != 3) || !depth ||
      info.bits_stored < 1 || info.bits_stored > info.bits_allocated) {
    fail(ErrorCode::kUnsupported,
         "{}: {} frame(s) of {} x {} pixels with {} sample(s) of {} bits, {} stored, make no "
         "image; the header is "
         "wrong or of a kind that is not read here",
         where, info.frames, info.columns, info.rows, info.samples, info.bits_allocated,
         info.bits_stored);
  }
  if (samples > kMaxSamples) {
    fail(ErrorCode::kUnsupported,
         "{}: a frame of {} x {} pixels is larger than the {} samples that one image may "
         "have; the header is wrong, or give a smaller image",
         where, info.columns, info.rows, kMaxSamples);
  }
}

[[noreturn]] void fail_no_pixels(const ParsedDicom& parsed, const DicomInfo& info,
                                 const std::string& where) {
  if (!parsed.damage.empty()) {
    fail(ErrorCode::kUnsupported,
         "{}: the pixel data cannot be reached ({}); the file is truncated or damaged", where,
         parsed.damage);
  }
  if (parsed.data().tagExists(DCM_FloatPixelData) ||
      parsed.data().tagExists(DCM_DoubleFloatPixelData)) {
    fail(ErrorCode::kUnsupported,
         "{}: floating-point pixel data is not read here; convert it to integers", where);
  }
  const char* name = dcmFindNameOfUID(info.sop_class_uid.c_str(), "an unknown kind of object");
  fail(ErrorCode::kUnsupported, "{}: a DICOM file without pixels ({}); give an image", where, name);
}

Bytes bytes_of(DcmElement& element) {
  Uint8* data = nullptr;
  if (element.getUint8Array(data).bad() || data == nullptr) return {};
  return {data, element.getLength()};
}

std::vector<uint64_t> read_offsets(Bytes table) {
  std::vector<uint64_t> offsets(table.size() / 4);
  for (size_t i = 0; i < offsets.size(); ++i) {
    for (size_t b = 0; b < 4; ++b) offsets[i] |= uint64_t{table[4 * i + b]} << (8 * b);
  }
  return offsets;
}
}  // namespace

struct DicomFile::State {
  ParsedDicom parsed;
  std::string where;
  DicomInfo info;
  std::string stored_photometric;  // of the samples before the conversion to RGB
  Coding coding = Coding::kNative;
  NativePixels native;
  std::vector<std::vector<Bytes>> frames;  // fragments, of encapsulated data

  void find_native(DcmPixelData& pixels);
  void find_fragments(DcmPixelData& pixels);
  void settle_photometric();
  std::vector<int32_t> decode(int index) const;
  void check_index(int index) const;
};

void DicomFile::State::find_native(DcmPixelData& pixels) {
  const bool words = pixels.getVR() == EVR_OW;
  const bool big_endian = DcmXfer(parsed.syntax).isBigEndian();
  if (words) {
    Uint16* data = nullptr;
    if (pixels.getUint16Array(data).good() && data != nullptr) {
      native.bytes = {reinterpret_cast<const uint8_t*>(data), pixels.getLength()};
    }
  } else {
    native.bytes = bytes_of(pixels);
  }
  native.swap_bytes = big_endian && !words;
  native.swap_words = big_endian && words;
  native.planar = false;
  Uint16 planar = 0;
  if (parsed.data().findAndGetUint16(DCM_PlanarConfiguration, planar).good() && info.samples > 1) {
    native.planar = planar == 1;
  }
  const uint64_t bits = native_frame_bits(info, info.photometric);
  const uint64_t have = uint64_t{native.bytes.size()} * 8;
  if (have / bits < static_cast<uint64_t>(info.frames)) {
    fail(ErrorCode::kUnsupported,
         "{}: {} frame(s) of {} x {} pixels need {} bytes, and {} are there; the file is truncated "
         "or its header "
         "is wrong",
         where, info.frames, info.columns, info.rows,
         (bits * static_cast<uint64_t>(info.frames) + 7) / 8, native.bytes.size());
  }
}

void DicomFile::State::find_fragments(DcmPixelData& pixels) {
  DcmPixelSequence* sequence = nullptr;
  if (pixels.getEncapsulatedRepresentation(parsed.syntax, nullptr, sequence).bad() ||
      sequence == nullptr) {
    fail(ErrorCode::kUnsupported,
         "{}: the transfer syntax says that the pixels are compressed, and they are not; "
         "the file's header is wrong",
         where);
  }
  std::vector<Bytes> fragments;
  std::vector<uint64_t> offsets;
  for (unsigned long i = 0; i < sequence->card();
       ++i) {  // NOLINT(google-runtime-int): DCMTK's type
    DcmPixelItem* item = nullptr;
    if (sequence->getItem(item, i).bad() || item == nullptr) continue;
    const Bytes bytes = bytes_of(*item);
    if (i == 0) {
      offsets = read_offsets(bytes);
    } else {
      fragments.push_back(bytes);
    }
  }
  frames = split_frames(fragments, offsets, info.frames, where);
}

/// JPEG streams may contradict the data set; then the stream is believed, as pydicom does.
void DicomFile::State::settle_photometric() {
  stored_photometric = info.photometric;
  if ((coding == Coding::kJpeg || coding == Coding::kJpegLs) && info.samples == 3) {
    const CodeStream stream = read_jpeg_header(join(frames.front()), where);
    if (stream.rgb_ids) {
      stored_photometric = "RGB";
    } else if (stream.jfif && stored_photometric.find("YBR") == std::string::npos) {
      stored_photometric = "YBR_FULL";
    }
  }
  const bool library_converts = coding == Coding::kJpeg2000 && (stored_photometric == "YBR_ICT" ||
                                                                stored_photometric == "YBR_RCT");
  if (library_converts) stored_photometric = "RGB";
  info.photometric = stored_photometric.starts_with("YBR_FULL") ? "RGB" : stored_photometric;
}

std::vector<int32_t> DicomFile::State::decode(int index) const {
  if (coding == Coding::kNative) {
    std::vector<int32_t> values = native_frame(native, info, stored_photometric, index);
    cut_to_bits(values, info.bits_stored, info.is_signed);
    return values;
  }
  const std::vector<Bytes>& fragments = frames[static_cast<size_t>(index)];
  const std::vector<uint8_t> joined =
      fragments.size() == 1 ? std::vector<uint8_t>() : join(fragments);
  CodedFrame coded =
      decoder_of(coding)(fragments.size() == 1 ? fragments.front() : Bytes(joined), info, where);
  if (coding == Coding::kJpegLs) {
    cut_to_bits(coded.values, coded.stream.precision, info.is_signed);
  } else if (coding != Coding::kJpeg2000) {
    cut_to_bits(coded.values, info.bits_stored, info.is_signed);
  } else if (coded.stream.is_signed != info.is_signed) {
    cut_to_bits(coded.values, coded.stream.precision, info.is_signed);
  }
  return std::move(coded.values);
}

DicomFile::DicomFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
DicomFile::DicomFile(DicomFile&&) noexcept = default;
DicomFile& DicomFile::operator=(DicomFile&&) noexcept = default;
DicomFile::~DicomFile() = default;

const DicomInfo& DicomFile::info() const { return state_->info; }

DicomFile DicomFile::open(const fs::path& path) {
  const auto file = MappedFile::open(path);
  return parse(file->bytes(), path.string());
}

DicomFile DicomFile::parse(Bytes bytes, const std::string& where) {
  auto state = std::make_unique<State>();
  state->where = where;
  state->parsed = parse_dicom(bytes, where);
  state->info = read_dicom_info(state->parsed);
  DcmElement* element = nullptr;
  const bool found = state->parsed.data().findAndGetElement(DCM_PixelData, element).good();
  auto* pixels = found ? dynamic_cast<DcmPixelData*>(element) : nullptr;
  const bool whole =
      state->parsed.damage.empty() || pixels == nullptr || pixels->transferState() == ERW_ready;
  if (pixels == nullptr || !whole) {
    fail_no_pixels(state->parsed, state->info, where);
  }
  check_layout(state->info, where);
  state->coding = coding_of(state->parsed, where);
  if (state->coding == Coding::kNative) {
    state->find_native(*pixels);
  } else {
    state->find_fragments(*pixels);
  }
  state->settle_photometric();
  return DicomFile(std::move(state));
}

DicomInfo read_dicom_header(const fs::path& path) {
  const auto file = MappedFile::open(path);
  return read_dicom_info(parse_dicom(file->bytes(), path.string(), Extent::kHeader));
}

void DicomFile::State::check_index(int index) const {
  if (index >= 0 && index < info.frames) return;
  fail(ErrorCode::kUsage, "{}: frame {} was asked for, and there are {}; the first is 0", where,
       index, info.frames);
}

DicomInfo DicomFile::frame_info(int index) const {
  state_->check_index(index);
  if (index == 0) return state_->info;
  DicomInfo info = read_dicom_info(state_->parsed, index);
  info.photometric = state_->info.photometric;
  return info;
}

DicomFrame DicomFile::frame(int index) const {
  state_->check_index(index);
  const DicomInfo& info = state_->info;
  DicomFrame frame{info.rows, info.columns, info.samples, state_->decode(index)};
  const bool is_ybr = state_->stored_photometric.starts_with("YBR_FULL");
  if (is_ybr && info.samples == 3) ybr_to_rgb(frame.values);
  return frame;
}

}  // namespace vesalius::media
