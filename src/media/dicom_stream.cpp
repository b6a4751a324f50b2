#include "media/dicom_stream.h"

#include <dcmtk/dcmdata/dcistrma.h>
#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <mutex>

#include "base/error.h"
#include "media/dicom.h"

namespace vesalius::media {

namespace {
/// Hands out bytes that stay where they are. DCMTK recurses once a nested sequence, so the depth of
/// the stack at which it asks is the depth of the nesting: beyond the limit the stream ends.
class BytesProducer : public DcmProducer {
 public:
  explicit BytesProducer(Bytes bytes) : bytes_(bytes), top_(stack_position()) {}
  OFBool good() const override { return !too_deep_; }
  OFCondition status() const override { return too_deep_ ? EC_CorruptedData : EC_Normal; }
  OFBool eos() override { return avail() == 0; }
  offile_off_t avail() override {
    check_depth();
    return too_deep_ ? 0 : static_cast<offile_off_t>(bytes_.size() - at_);
  }
  offile_off_t read(void* out, offile_off_t size) override {
    const offile_off_t count = skip(size);
    if (count > 0) std::memcpy(out, bytes_.data() + at_ - count, static_cast<size_t>(count));
    return count;
  }
  offile_off_t skip(offile_off_t size) override {
    const offile_off_t count = std::clamp<offile_off_t>(size, 0, avail());
    at_ += static_cast<size_t>(count);
    return count;
  }
  void putback(offile_off_t count) override { at_ -= std::min(at_, static_cast<size_t>(count)); }

 private:
  static uintptr_t stack_position() {
    return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  }
  void check_depth() {
    constexpr uintptr_t kMaxStack = 1 << 20;
    const uintptr_t here = stack_position();
    if (top_ > here && top_ - here > kMaxStack) too_deep_ = true;
  }

  Bytes bytes_;
  size_t at_ = 0;
  uintptr_t top_;
  bool too_deep_ = false;
};

class BytesStream : public DcmInputStream {
 public:
  explicit BytesStream(Bytes bytes) : DcmInputStream(&producer_), producer_(bytes) {}
  DcmInputStreamFactory* newFactory() const override { return nullptr; }

 private:
  BytesProducer producer_;
};

uint32_t little_endian(Bytes bytes, size_t at, size_t width) {
  uint32_t value = 0;
  for (size_t i = 0; i < width && at + i < bytes.size(); ++i) {
    value |= uint32_t{bytes[at + i]} << (8 * i);
  }
  return value;
}

bool has_long_length(const uint8_t* vr) {
  constexpr const char* kLong[] = {"OB", "OW", "OF", "OD", "OL", "OV", "SQ",
                                   "UC", "UN", "UR", "UT", "SV", "UV"};
  return std::any_of(std::begin(kLong), std::end(kLong),
                     [&](const char* name) { return std::memcmp(vr, name, 2) == 0; });
}

/// Where the group of meta information ends, and the transfer syntax that it names.
struct MetaGroup {
  size_t end = 0;
  std::string syntax, sop_class;
};

std::string uid_text(Bytes value) {
  const auto end =
      std::find_if(value.begin(), value.end(), [](uint8_t c) { return c == '\0' || c == ' '; });
  return {value.begin(), end};
}

MetaGroup read_meta_group(Bytes bytes) {
  MetaGroup meta;
  if (bytes.size() < 132 || std::memcmp(bytes.data() + 128, "DICM", 4) != 0) return meta;
  size_t at = 132;
  while (at + 12 <= bytes.size() && little_endian(bytes, at, 2) == 2) {
    const bool is_long = has_long_length(bytes.data() + at + 4);
    const size_t length =
        is_long ? little_endian(bytes, at + 8, 4) : little_endian(bytes, at + 6, 2);
    const size_t value = at + (is_long ? 12 : 8);
    if (length > bytes.size() - value) break;
    const uint32_t element = little_endian(bytes, at + 2, 2);
    if (element == 0x0002) meta.sop_class = uid_text(bytes.subspan(value, length));
    if (element == 0x0010) meta.syntax = uid_text(bytes.subspan(value, length));
    at = value + length;
  }
  meta.end = at;
  return meta;
}

/// Whether the first element of a data set names its value representation.
bool names_vr(Bytes data) {
  return data.size() >= 6 && std::isupper(data[4]) != 0 && std::isupper(data[5]) != 0;
}

/// Some writers name a transfer syntax and then write elements in another; the elements are
/// believed.
bool contradicts_vr(const MetaGroup& meta, Bytes data) {
  const DcmXfer syntax(meta.syntax.c_str());
  if (syntax.getXfer() == EXS_Unknown || syntax.isBigEndian() || data.size() < 6) return false;
  return syntax.isExplicitVR() != names_vr(data);
}

/// Raw deflate; what was inflated before the data broke off is given, for DCMTK to complain of.
std::vector<uint8_t> inflate_bytes(Bytes bytes, const std::string& where) {
  constexpr size_t kMaxInflated = size_t{1} << 31;
  std::vector<uint8_t> out;
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    fail(ErrorCode::kFailed, "{}: not enough memory to inflate the data set", where);
  }
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, inflateEnd);
  stream.next_in = const_cast<uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(std::min<size_t>(bytes.size(), 0xFFFFFFFF));
  int status = Z_OK;
  while (status == Z_OK) {
    const size_t before = out.size();
    if (before > kMaxInflated) {
      fail(ErrorCode::kUnsupported,
           "{}: the deflated data set is larger than 2 GiB; store it without deflating", where);
    }
    out.resize(before + std::max<size_t>(1 << 20, before / 2));
    stream.next_out = out.data() + before;
    stream.avail_out = static_cast<uInt>(out.size() - before);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  return out;
}

void set_up_dcmtk() {
  static std::once_flag once;
  std::call_once(once, [] {
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    dcmEnableUnknownVRConversion.set(OFTrue);  // "UN" on a known tag: what an archive did not know
  });
}

// No transferEnd() after reading: the elements' states tell what was read whole.
OFCondition read_data(Bytes bytes, E_TransferSyntax syntax, DcmDataset& data, Extent extent) {
  BytesStream stream(bytes);
  data.transferInit();
  if (extent == Extent::kAll) return data.read(stream, syntax);
  return data.readUntilTag(stream, syntax, EGL_noChange, DCM_MaxReadLength, DCM_PixelData);
}

OFCondition read_plain(Bytes bytes, DcmFileFormat& file, Extent extent) {
  BytesStream stream(bytes);
  file.transferInit();
  if (extent == Extent::kAll) return file.read(stream);
  return file.readUntilTag(stream, EXS_Unknown, EGL_noChange, DCM_MaxReadLength, DCM_PixelData);
}
}  // namespace

bool looks_like_dicom(Bytes bytes) {
  if (bytes.size() >= 132 && std::memcmp(bytes.data() + 128, "DICM", 4) == 0) return true;
  // Without preamble: the first element is of group 2 or 8, small, and of a known kind of length.
  if (bytes.size() < 16) return false;
  const uint32_t group = little_endian(bytes, 0, 2), element = little_endian(bytes, 2, 2);
  const bool big_endian = group == 0x0800;
  if ((group != 2 && group != 8 && !big_endian) || (big_endian ? bytes[2] : bytes[3]) != 0)
    return false;
  const bool explicit_vr = std::isupper(bytes[4]) != 0 && std::isupper(bytes[5]) != 0;
  const uint32_t length = little_endian(bytes, 4, 4);
  return explicit_vr || (!big_endian && element <= 0x30 && length <= 128);
}

bool is_htj2k(std::string_view syntax_uid) {
  constexpr std::string_view kRoot = "1.2.840.10008.1.2.4.20";
  return syntax_uid.size() == kRoot.size() + 1 && syntax_uid.starts_with(kRoot) &&
         syntax_uid.back() >= '1' && syntax_uid.back() <= '3';
}

std::string meta_sop_class(Bytes bytes) { return read_meta_group(bytes).sop_class; }

ParsedDicom parse_dicom(Bytes bytes, const std::string& where, Extent extent) {
  set_up_dcmtk();
  if (!looks_like_dicom(bytes)) {
    fail(ErrorCode::kUnsupported, "{}: not a DICOM file; give a DICOM, PNG, JPEG or TIFF image",
         where);
  }
  ParsedDicom parsed;
  parsed.file = std::make_unique<DcmFileFormat>();
  const MetaGroup meta = read_meta_group(bytes);
  const Bytes rest = bytes.subspan(meta.end);
  OFCondition condition = EC_Normal;
  if (meta.syntax == UID_DeflatedExplicitVRLittleEndianTransferSyntax) {
    const std::vector<uint8_t> inflated = inflate_bytes(rest, where);
    parsed.syntax = EXS_LittleEndianExplicit;
    condition = read_data(inflated, parsed.syntax, parsed.data(), extent);
  } else if (is_htj2k(meta.syntax)) {
    parsed.syntax = EXS_JPEG2000;  // DCMTK does not know it; it is written in the same way
    condition = read_data(rest, parsed.syntax, parsed.data(), extent);
  } else if (contradicts_vr(meta, rest)) {
    parsed.syntax = names_vr(rest) ? EXS_LittleEndianExplicit : EXS_LittleEndianImplicit;
    condition = read_data(rest, parsed.syntax, parsed.data(), extent);
  } else {
    condition = read_plain(bytes, *parsed.file, extent);
    parsed.syntax = parsed.data().getOriginalXfer();
  }
  parsed.syntax_uid = meta.syntax.empty() ? DcmXfer(parsed.syntax).getXferID() : meta.syntax;
  if (condition.bad()) parsed.damage = condition.text();
  if (parsed.data().card() == 0) {
    fail(ErrorCode::kUnsupported,
         "{}: the DICOM data set cannot be read ({}); the file is truncated or damaged", where,
         parsed.damage.empty() ? "it is empty" : parsed.damage);
  }
  return parsed;
}

}  // namespace vesalius::media
