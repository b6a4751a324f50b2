#include "media/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/error.h"
#include "media/deflate.h"

namespace vesalius::media {

namespace {
constexpr uint32_t kLocalMark = 0x04034B50, kCentralMark = 0x02014B50, kEndMark = 0x06054B50,
                   kEnd64Mark = 0x06064B50, kLocator64Mark = 0x07064B50;
constexpr size_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                 kLocator64Bytes = 20;
constexpr uint32_t kIn64 = 0xFFFFFFFF;  // the number stands in the zip64 field
constexpr uint16_t kStored = 0, kDeflated = 8, kEncryptedFlag = 1;

[[noreturn]] void refuse(const std::string& where, const std::string& reason) {
  fail(ErrorCode::kUnsupported, "{}: is not a whole zip archive (.npz): {}; fetch the file again",
       where, reason);
}

uint64_t number(Bytes bytes, uint64_t at, size_t width, const std::string& where) {
  if (at > bytes.size() || width > bytes.size() - at) refuse(where, "it ends early");
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value |= uint64_t{bytes[at + i]} << (8 * i);
  return value;
}

Bytes part(Bytes bytes, uint64_t at, uint64_t size, const std::string& where) {
  if (at > bytes.size() || size > bytes.size() - at) refuse(where, "it ends early");
  return bytes.subspan(at, size);
}

struct Directory {
  uint64_t entries, start;
};

/// The end record stands before a comment of up to 64 KiB.
uint64_t find_end(Bytes archive, const std::string& where) {
  const uint64_t last = archive.size() < kEndBytes ? 0 : archive.size() - kEndBytes;
  const uint64_t first = last > 0xFFFF ? last - 0xFFFF : 0;
  for (uint64_t at = last + 1; at-- > first && archive.size() >= kEndBytes;)
    if (number(archive, at, 4, where) == kEndMark) return at;
  refuse(where, "its directory is missing");
}

Directory find_directory(Bytes archive, const std::string& where) {
  const uint64_t end = find_end(archive, where);
  Directory directory{number(archive, end + 10, 2, where), number(archive, end + 16, 4, where)};
  const bool large = directory.entries == 0xFFFF || directory.start == kIn64;
  if (!large || end < kLocator64Bytes) return directory;
  const uint64_t locator = end - kLocator64Bytes;
  if (number(archive, locator, 4, where) != kLocator64Mark) return directory;
  const uint64_t end64 = number(archive, locator + 8, 8, where);
  if (part(archive, end64, kEnd64Bytes, where).empty() ||
      number(archive, end64, 4, where) != kEnd64Mark)
    refuse(where, "its zip64 directory is missing");
  return {number(archive, end64 + 32, 8, where), number(archive, end64 + 48, 8, where)};
}

struct Claims {
  uint64_t size, packed_size, local;
};

/// Numbers that do not fit 32 bits, in the extra field of id 1, in this order.
void read_zip64(Bytes extra, Claims& claims, const std::string& where) {
  while (extra.size() >= 4) {
    const uint64_t id = number(extra, 0, 2, where), size = number(extra, 2, 2, where);
    const Bytes field = part(extra, 4, size, where);
    extra = extra.subspan(4 + size);
    if (id != 1) continue;
    uint64_t at = 0;
    for (uint64_t* claim : {&claims.size, &claims.packed_size, &claims.local}) {
      if (*claim != kIn64) continue;
      *claim = number(field, at, 8, where);
      at += 8;
    }
  }
}

/// The bytes of an entry stand behind a header of its own, with lengths of its own.
Bytes packed_bytes(Bytes archive, const Claims& claims, const std::string& where) {
  const Bytes local = part(archive, claims.local, kLocalBytes, where);
  if (number(local, 0, 4, where) != kLocalMark) refuse(where, "an entry is not where it should be");
  const uint64_t names = number(local, 26, 2, where) + number(local, 28, 2, where);
  return part(archive, claims.local + kLocalBytes + names, claims.packed_size, where);
}

/// The entry at `at` of the directory, which is moved to the next.
ZipEntry read_entry(Bytes archive, uint64_t& at, const std::string& where) {
  const Bytes head = part(archive, at, kCentralBytes, where);
  const auto field = [&](size_t offset, size_t width) {
    return number(head, offset, width, where);
  };
  if (field(0, 4) != kCentralMark) refuse(where, "its directory is damaged");
  if ((field(8, 2) & kEncryptedFlag) != 0) refuse(where, "it is encrypted");
  const uint64_t method = field(10, 2);
  if (method != kStored && method != kDeflated)
    refuse(where, "it is compressed in a way other than deflate");
  const uint64_t name_size = field(28, 2), extra_size = field(30, 2), comment_size = field(32, 2);
  Claims claims{field(24, 4), field(20, 4), field(42, 4)};
  const Bytes name = part(archive, at + kCentralBytes, name_size, where);
  read_zip64(part(archive, at + kCentralBytes + name_size, extra_size, where), claims, where);
  at += kCentralBytes + name_size + extra_size + comment_size;
  return {.name = std::string(name.begin(), name.end()),
          .packed = packed_bytes(archive, claims, where),
          .size = claims.size,
          .crc32 = static_cast<uint32_t>(field(16, 4)),
          .deflated = method == kDeflated};
}

uint32_t checksum(uint32_t crc, Bytes bytes) {
  return static_cast<uint32_t>(crc32_z(crc, bytes.data(), bytes.size()));
}

void put(std::vector<uint8_t>& out, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

/// What the header of an entry and its line in the directory have in common.
std::vector<uint8_t> description(uint32_t crc, uint64_t packed, uint64_t size, size_t name_size) {
  constexpr uint16_t kVersion = 20;         // 2.0, the first with deflate
  constexpr uint32_t kNoTime = 0x00210000;  // 1 January 1980: the same bytes whenever written
  std::vector<uint8_t> out;
  put(out, kVersion, 2);
  put(out, 0, 2);
  put(out, kDeflated, 2);
  put(out, kNoTime, 4);
  put(out, crc, 4);
  put(out, packed, 4);
  put(out, size, 4);
  put(out, name_size, 2);
  put(out, 0, 2);
  return out;
}
}  // namespace

std::vector<ZipEntry> read_zip(Bytes archive, const std::string& where) {
  const Directory directory = find_directory(archive, where);
  if (directory.start > archive.size() ||
      directory.entries > (archive.size() - directory.start) / kCentralBytes)
    refuse(where, "its directory claims more entries than there are");
  std::vector<ZipEntry> entries;
  uint64_t at = directory.start;
  for (uint64_t i = 0; i < directory.entries; ++i)
    entries.push_back(read_entry(archive, at, where));
  return entries;
}

std::vector<uint8_t> unpack(const ZipEntry& entry, const std::string& where, uint64_t max_bytes) {
  const bool possible = entry.deflated ? plausible_deflate(entry.size, entry.packed.size())
                                       : entry.size == entry.packed.size();
  if (!possible || entry.size > max_bytes)
    refuse(where, fmt::format("an entry claims {} bytes from {} packed ones", entry.size,
                              entry.packed.size()));
  std::vector<uint8_t> out(entry.size);
  if (entry.deflated) {
    Inflater inflater(entry.packed, Wrapping::kRaw, where);
    uint8_t beyond = 0;
    if (inflater.read(out.data(), out.size()) != out.size() || inflater.read(&beyond, 1) != 0)
      refuse(where, "an entry has another size than it claims");
  } else {
    std::ranges::copy(entry.packed, out.begin());
  }
  if (checksum(0, out) != entry.crc32) refuse(where, "a checksum is wrong");
  return out;
}

ZipWriter::ZipWriter(const fs::path& path) : file_(path), path_(path.string()) {}

void ZipWriter::write(const std::vector<uint8_t>& bytes) {
  file_.write(bytes.data(), bytes.size());
  at_ += bytes.size();
}

void ZipWriter::add(const std::string& name, Bytes head, Bytes body) {
  Deflater deflater(Wrapping::kRaw);
  deflater.write(head);
  deflater.write(body);
  deflater.finish();
  const std::vector<uint8_t> packed = deflater.take();
  const uint64_t size = head.size() + body.size();
  constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max() - 1;
  if (size > kMost || at_ + packed.size() > kMost)
    fail(ErrorCode::kUnsupported, "{}: an archive here holds up to 4 GiB; write NIfTI instead",
         path_);
  const std::vector<uint8_t> both =
      description(checksum(checksum(0, head), body), packed.size(), size, name.size());
  put(directory_, kCentralMark, 4);
  put(directory_, 20, 2);  // made by version 2.0, for no system in particular
  directory_.insert(directory_.end(), both.begin(), both.end());
  put(directory_, 0, 10);  // no comment, disk 0, no attributes
  put(directory_, at_, 4);
  directory_.insert(directory_.end(), name.begin(), name.end());
  std::vector<uint8_t> local;
  put(local, kLocalMark, 4);
  local.insert(local.end(), both.begin(), both.end());
  local.insert(local.end(), name.begin(), name.end());
  write(local);
  write(packed);
  ++entries_;
}

void ZipWriter::commit() {
  const uint64_t start = at_, size = directory_.size();
  put(directory_, kEndMark, 4);
  put(directory_, 0, 4);
  put(directory_, entries_, 2);
  put(directory_, entries_, 2);
  put(directory_, size, 4);
  put(directory_, start, 4);
  put(directory_, 0, 2);
  write(directory_);
  file_.commit();
}

}  // namespace vesalius::media
