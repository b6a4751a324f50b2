// DICOM's run-length encoding (PS3.5 annex G): a segment for every byte of every sample, the
// highest first.
#include <algorithm>

#include "media/codecs.h"
#include "media/dicom_codecs.h"

namespace vesalius::media {

namespace {
uint32_t word(Bytes bytes, size_t at) {
  return bytes[at] | uint32_t{bytes[at + 1]} << 8 | uint32_t{bytes[at + 2]} << 16 |
         uint32_t{bytes[at + 3]} << 24;
}

/// PackBits. False when the segment ends before `out` is full.
bool unpack_bits(Bytes segment, std::vector<uint8_t>& out) {
  size_t at = 0, done = 0;
  while (done < out.size() && at < segment.size()) {
    const uint8_t control = segment[at++];
    if (control == 128) continue;
    const bool repeats = control > 128;
    const size_t count = std::min<size_t>(repeats ? 257 - control : control + 1, out.size() - done);
    if (segment.size() - at < (repeats ? 1 : count)) return false;
    if (repeats) {
      std::fill_n(out.begin() + static_cast<ptrdiff_t>(done), count, segment[at]);
    } else {
      std::copy_n(segment.begin() + static_cast<ptrdiff_t>(at), count,
                  out.begin() + static_cast<ptrdiff_t>(done));
    }
    at += repeats ? 1 : static_cast<size_t>(control) + 1;
    done += count;
  }
  return done == out.size();
}
}  // namespace

CodedFrame decode_rle_frame(Bytes bytes, const DicomInfo& info, const std::string& where) {
  constexpr size_t kHeader = 64;
  const size_t sample_bytes = static_cast<size_t>(info.bits_allocated) / 8;
  const size_t segments = sample_bytes * info.samples;
  if (bytes.size() < kHeader || word(bytes, 0) != segments || segments == 0 || segments > 15) {
    fail_damaged(where, "RLE", "its header does not list the segments that the pixels need");
  }
  const size_t pixels = static_cast<size_t>(info.rows) * info.columns;
  if (pixels * segments > bytes.size() * 64)
    fail_damaged(where, "RLE", "there is too little of it");
  CodedFrame frame;
  frame.stream = {info.columns, info.rows, info.samples, info.bits_stored, info.is_signed};
  frame.values.resize(pixels * info.samples);
  std::vector<uint8_t> plane(pixels);
  for (size_t segment = 0; segment < segments; ++segment) {
    const size_t begin = word(bytes, 4 + 4 * segment);
    const size_t end = segment + 1 < segments ? word(bytes, 8 + 4 * segment) : bytes.size();
    if (begin < kHeader || begin > end || end > bytes.size() ||
        !unpack_bits(bytes.subspan(begin, end - begin), plane)) {
      fail_damaged(where, "RLE", "a segment ends early");
    }
    const size_t sample = segment / sample_bytes;
    const size_t shift = 8 * (sample_bytes - 1 - segment % sample_bytes);
    for (size_t i = 0; i < pixels; ++i) {
      int32_t& value = frame.values[i * info.samples + sample];
      value = static_cast<int32_t>(static_cast<uint32_t>(value) | uint32_t{plane[i]} << shift);
    }
  }
  return frame;
}

}  // namespace vesalius::media
