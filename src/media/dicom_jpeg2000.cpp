// JPEG 2000 and its high-throughput form through OpenJPEG.
#include <openjpeg.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "media/codecs.h"
#include "media/dicom_codecs.h"

namespace vesalius::media {

namespace {
struct Source {
  Bytes bytes;
  size_t at = 0;
  std::string complaint;
};

OPJ_SIZE_T read_source(void* out, OPJ_SIZE_T size, void* user) {
  auto& source = *static_cast<Source*>(user);
  const size_t count = std::min<size_t>(size, source.bytes.size() - source.at);
  if (count == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(out, source.bytes.data() + source.at, count);
  source.at += count;
  return count;
}

OPJ_OFF_T skip_source(OPJ_OFF_T size, void* user) {
  auto& source = *static_cast<Source*>(user);
  const auto rest = static_cast<OPJ_OFF_T>(source.bytes.size() - source.at);
  const OPJ_OFF_T count = std::clamp<OPJ_OFF_T>(size, 0, rest);
  source.at += static_cast<size_t>(count);
  return count < size ? -1 : count;
}

OPJ_BOOL seek_source(OPJ_OFF_T to, void* user) {
  auto& source = *static_cast<Source*>(user);
  if (to < 0 || static_cast<size_t>(to) > source.bytes.size()) return OPJ_FALSE;
  source.at = static_cast<size_t>(to);
  return OPJ_TRUE;
}

void keep_complaint(const char* message, void* user) {
  std::string& complaint = static_cast<Source*>(user)->complaint;
  if (!complaint.empty()) return;
  complaint = message;
  while (!complaint.empty() && complaint.back() == '\n') complaint.pop_back();
}
void ignore(const char*, void*) {}

using Stream = std::unique_ptr<opj_stream_t, decltype(&opj_stream_destroy)>;
using Codec = std::unique_ptr<opj_codec_t, decltype(&opj_destroy_codec)>;
using Picture = std::unique_ptr<opj_image_t, decltype(&opj_image_destroy)>;

Stream open_stream(Source& source) {
  constexpr OPJ_SIZE_T kBuffer = 1 << 16;
  Stream stream(opj_stream_create(kBuffer, OPJ_TRUE), opj_stream_destroy);
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), source.bytes.size());
  opj_stream_set_read_function(stream.get(), read_source);
  opj_stream_set_skip_function(stream.get(), skip_source);
  opj_stream_set_seek_function(stream.get(), seek_source);
  return stream;
}

Codec open_codec(Source& source) {
  const bool boxed =
      source.bytes.size() > 12 && std::memcmp(source.bytes.data() + 4, "jP  ", 4) == 0;
  Codec codec(opj_create_decompress(boxed ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K), opj_destroy_codec);
  opj_set_error_handler(codec.get(), keep_complaint, &source);
  opj_set_warning_handler(codec.get(), ignore, nullptr);
  opj_set_info_handler(codec.get(), ignore, nullptr);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_setup_decoder(codec.get(), &parameters);
  return codec;
}

CodeStream describe(const opj_image_t& picture) {
  CodeStream stream;
  stream.components = static_cast<int>(picture.numcomps);
  if (picture.numcomps == 0 || picture.comps == nullptr) return stream;
  const opj_image_comp_t& first = picture.comps[0];
  stream.width = static_cast<int>(picture.x1 - picture.x0);
  stream.height = static_cast<int>(picture.y1 - picture.y0);
  stream.precision = static_cast<int>(first.prec);
  stream.is_signed = first.sgnd != 0;
  for (OPJ_UINT32 c = 0; c < picture.numcomps; ++c) {
    const opj_image_comp_t& part = picture.comps[c];
    if (part.dx != 1 || part.dy != 1 || part.prec != first.prec || part.sgnd != first.sgnd)
      stream.precision = 0;
  }
  return stream;
}

std::vector<int32_t> interleave(const opj_image_t& picture, const DicomInfo& info,
                                const std::string& where) {
  const size_t pixels = static_cast<size_t>(info.rows) * info.columns;
  std::vector<int32_t> out(pixels * info.samples);
  for (int c = 0; c < info.samples; ++c) {
    const opj_image_comp_t& part = picture.comps[c];
    if (part.data == nullptr || size_t{part.w} * part.h != pixels) {
      fail_damaged(where, "JPEG 2000", "a component is missing");
    }
    for (size_t i = 0; i < pixels; ++i) out[i * info.samples + c] = part.data[i];
  }
  return out;
}
}  // namespace

CodedFrame decode_jpeg2000_frame(Bytes bytes, const DicomInfo& info, const std::string& where) {
  Source source{bytes, 0, {}};
  const Codec codec = open_codec(source);
  const Stream stream = open_stream(source);
  opj_image_t* read = nullptr;
  const bool has_header = opj_read_header(stream.get(), codec.get(), &read) == OPJ_TRUE;
  const Picture picture(read, opj_image_destroy);
  if (!has_header || picture == nullptr) fail_damaged(where, "JPEG 2000", source.complaint);
  CodedFrame frame{describe(*picture), {}};
  check_code_stream(frame.stream, info, where);
  const double samples = static_cast<double>(info.rows) * info.columns * info.samples;
  if (!plausible_size(samples * sizeof(int32_t), bytes.size())) {
    fail_damaged(where, "JPEG 2000", "there is too little of it");
  }
  const bool decoded = opj_decode(codec.get(), stream.get(), picture.get()) == OPJ_TRUE &&
                       opj_end_decompress(codec.get(), stream.get()) == OPJ_TRUE;
  if (!decoded) fail_damaged(where, "JPEG 2000", source.complaint);
  frame.values = interleave(*picture, info, where);
  return frame;
}

}  // namespace vesalius::media
