#include "base/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

namespace vesalius {

namespace {
constexpr size_t kPiece = size_t{1} << 30;  // zlib counts in 32 bits

int window_bits(Wrapping wrapping) { return wrapping == Wrapping::kGzip ? 15 + 16 : -15; }
}  // namespace

bool plausible_deflate(uint64_t unpacked, uint64_t packed) {
  constexpr uint64_t kMaxRatio = 1032, kSlack = 1024;
  return unpacked <= kSlack || (unpacked - kSlack) / kMaxRatio <= packed;
}

bool is_gzip(Bytes bytes) { return bytes.size() >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B; }

uint32_t crc32(Bytes bytes, uint32_t before) {
  return static_cast<uint32_t>(crc32_z(before, bytes.data(), bytes.size()));
}

Inflater::Inflater(Bytes packed, Wrapping wrapping, Origin origin)
    : rest_(packed),
      wrapping_(wrapping),
      origin_(std::move(origin)),
      stream_(std::make_unique<z_stream>()) {
  if (inflateInit2(stream_.get(), window_bits(wrapping)) != Z_OK)
    fail(ErrorCode::kFailed, "{}: not enough memory to unpack it", origin_.where);
}

Inflater::~Inflater() { inflateEnd(stream_.get()); }

void Inflater::fill_input() {
  const size_t piece = std::min(rest_.size(), kPiece);
  stream_->next_in = const_cast<uint8_t*>(rest_.data());
  stream_->avail_in = static_cast<uInt>(piece);
  rest_ = rest_.subspan(piece);
}

/// At the end of a gzip member: whether another follows. Anything else there is padding.
bool Inflater::next_member() {
  const Bytes here(stream_->next_in, stream_->avail_in);
  return wrapping_ == Wrapping::kGzip && is_gzip(here) && inflateReset(stream_.get()) == Z_OK;
}

size_t Inflater::read(uint8_t* out, size_t size) {
  size_t done = 0;
  while (done < size && !ended_) {
    if (stream_->avail_in == 0) fill_input();
    const size_t piece = std::min(size - done, kPiece);
    stream_->next_out = out + done;
    stream_->avail_out = static_cast<uInt>(piece);
    const int result = inflate(stream_.get(), Z_NO_FLUSH);
    done += piece - stream_->avail_out;
    if (result == Z_STREAM_END) {
      if (stream_->avail_in == 0) fill_input();
      ended_ = !next_member();
    } else if (result != Z_OK) {
      fail(origin_.code, "{}: its compressed data is damaged ({}); fetch the file again",
           origin_.where, result == Z_BUF_ERROR ? "it ends early" : zError(result));
    }
  }
  return done;
}

Deflater::Deflater(Wrapping wrapping, int level) : stream_(std::make_unique<z_stream>()) {
  if (deflateInit2(stream_.get(), level, Z_DEFLATED, window_bits(wrapping), 8,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    fail(ErrorCode::kFailed, "not enough memory to compress");
}

Deflater::~Deflater() { deflateEnd(stream_.get()); }

void Deflater::pump(int flush) {
  do {
    const size_t had = packed_.size();
    packed_.resize(had + (size_t{1} << 16));
    stream_->next_out = packed_.data() + had;
    stream_->avail_out = 1U << 16;
    deflate(stream_.get(), flush);
    packed_.resize(packed_.size() - stream_->avail_out);
  } while (stream_->avail_out == 0);
}

void Deflater::write(Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes piece = bytes.first(std::min(bytes.size(), kPiece));
    bytes = bytes.subspan(piece.size());
    stream_->next_in = const_cast<uint8_t*>(piece.data());
    stream_->avail_in = static_cast<uInt>(piece.size());
    pump(Z_NO_FLUSH);
  }
}

void Deflater::finish() { pump(Z_FINISH); }

std::vector<uint8_t> Deflater::take() { return std::exchange(packed_, {}); }

}  // namespace vesalius
