// Deflate (RFC 1951) in its gzip (RFC 1952) and bare forms, piece by piece, and the checksum that
// goes with it, through zlib.
#pragma once

#include <memory>
#include <vector>

#include "base/error.h"
#include "base/files.h"

struct z_stream_s;

namespace vesalius {

enum class Wrapping { kRaw, kGzip };

/// Deflate gives at most 1032 bytes for one; a claim beyond that is false, and no reason to ask for
/// memory.
bool plausible_deflate(uint64_t unpacked, uint64_t packed);

bool is_gzip(Bytes bytes);

/// CRC-32 (ISO 3309) of `bytes`, going on from that of what stood before them.
uint32_t crc32(Bytes bytes, uint32_t before = 0);

/// The bytes behind packed ones, in order. Gzip members one behind the other are one stream.
class Inflater {
 public:
  Inflater(Bytes packed, Wrapping wrapping, Origin origin);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  /// Fills `out` as far as the stream goes and says how far. An Error of the origin when it is
  /// damaged or ends early; the checksum of gzip is compared.
  size_t read(uint8_t* out, size_t size);

 private:
  void fill_input();
  bool next_member();
  Bytes rest_;
  Wrapping wrapping_;
  Origin origin_;
  std::unique_ptr<z_stream_s> stream_;
  bool ended_ = false;
};

/// Packs what is written; take() gives what has come out so far.
class Deflater {
 public:
  explicit Deflater(Wrapping wrapping, int level = 6);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  void write(Bytes bytes);
  void finish();
  std::vector<uint8_t> take();

 private:
  void pump(int flush);
  std::unique_ptr<z_stream_s> stream_;
  std::vector<uint8_t> packed_;
};

}  // namespace vesalius
