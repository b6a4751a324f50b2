#include "checkpoint/zip_archive.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/error.h"
#include "checkpoint/crc32.h"

namespace vesalius {
namespace {

constexpr uint32_t kLocalHeader = 0x04034B50, kCentralHeader = 0x02014B50, kEnd = 0x06054B50,
                   kEnd64 = 0x06064B50, kLocator64 = 0x07064B50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                   kLocatorBytes = 20;
constexpr uint64_t kLongestComment = 0xFFFF;
constexpr uint32_t kFull16 = 0xFFFF, kFull32 = 0xFFFFFFFF;  // "see the 64-bit record"
constexpr uint32_t kEncrypted = 1, kSizesFollow = 8;        // flags of an entry

template <class... Args>
[[noreturn]] void refuse(const std::string& where, fmt::format_string<Args...> reason,
                         Args&&... args) {
  fail(ErrorCode::kModel,
       "{}: is not a whole zip archive: {}. Fetch the file again and compare its hash.", where,
       fmt::format(reason, std::forward<Args>(args)...));
}

/// A number at a place that the caller knows to be within the bytes (zip is little-endian).
template <class T>
T number(Bytes bytes, uint64_t at) {
  T value = 0;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool is_record(Bytes bytes, uint64_t at, uint64_t size, uint32_t signature) {
  return at <= bytes.size() && bytes.size() - at >= size &&
         number<uint32_t>(bytes, at) == signature;
}

struct Directory {
  uint64_t count = 0, begin = 0, end = 0;
};

/// A field of the old end record: full, or the same as in the 64-bit one.
void check_same(uint64_t old, uint64_t full, uint64_t wide, const std::string& where) {
  if (old != full && old != wide) refuse(where, "its two end records disagree");
}

/// The end record is the last thing in the file but for a comment.
uint64_t find_end(Bytes file, const std::string& where) {
  for (uint64_t comment = 0; comment <= kLongestComment && kEndBytes + comment <= file.size();
       ++comment) {
    const uint64_t at = file.size() - kEndBytes - comment;
    if (is_record(file, at, kEndBytes, kEnd) && number<uint16_t>(file, at + 20) == comment)
      return at;
  }
  refuse(where, "the directory at its end is missing, so the file was cut short");
}

Directory find_directory(Bytes file, const std::string& where) {
  const uint64_t at = find_end(file, where);
  uint64_t count = number<uint16_t>(file, at + 10), size = number<uint32_t>(file, at + 12),
           begin = number<uint32_t>(file, at + 16), limit = at;
  if (at >= kLocatorBytes && is_record(file, at - kLocatorBytes, kLocatorBytes, kLocator64)) {
    limit = number<uint64_t>(file, at - kLocatorBytes + 8);
    if (!is_record(file.first(at - kLocatorBytes), limit, kEnd64Bytes, kEnd64))
      refuse(where, "its 64-bit end record is missing");
    check_same(count, kFull16, number<uint64_t>(file, limit + 32), where);
    check_same(size, kFull32, number<uint64_t>(file, limit + 40), where);
    check_same(begin, kFull32, number<uint64_t>(file, limit + 48), where);
    count = number<uint64_t>(file, limit + 32);
    size = number<uint64_t>(file, limit + 40);
    begin = number<uint64_t>(file, limit + 48);
  }
  if (begin > limit || size > limit - begin)
    refuse(where, "its directory claims {} bytes from byte {} of {}", size, begin, file.size());
  return {count, begin, begin + size};
}

/// Takes the place of each full 32-bit field from the 64-bit extra field, in the standard's order.
void widen(Bytes extra, uint64_t& size, uint64_t& packed, uint64_t& offset,
           const std::string& where) {
  while (extra.size() >= 4) {
    const auto kind = number<uint16_t>(extra, 0);
    const uint64_t length = number<uint16_t>(extra, 2);
    if (length > extra.size() - 4) refuse(where, "an extra field is longer than its place");
    Bytes body = extra.subspan(4, length);
    extra = extra.subspan(4 + length);
    if (kind != 1) continue;
    for (uint64_t* field : {&size, &packed, &offset}) {
      if (*field != kFull32) continue;
      if (body.size() < 8) refuse(where, "a 64-bit size is missing");
      *field = number<uint64_t>(body, 0);
      body = body.subspan(8);
    }
    return;
  }
}

std::string text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void check_name(const std::string& name, const std::string& where) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  if (name.empty() || std::ranges::any_of(name, is_control))
    refuse(where, "an entry has no proper name");
}

/// Follows an entry to its own header, and from there to its content.
void locate(Bytes before_directory, ZipEntry& entry, uint64_t offset, uint64_t size,
            const std::string& where) {
  if (!is_record(before_directory, offset, kLocalBytes, kLocalHeader))
    refuse(where, "the header of '{}' is not at byte {}", entry.name, offset);
  const Bytes header = before_directory.subspan(offset);
  const uint64_t name_size = number<uint16_t>(header, 26),
                 skip = kLocalBytes + name_size + number<uint16_t>(header, 28);
  if (skip > header.size() || size > header.size() - skip)
    refuse(where, "'{}' claims {} bytes, more than are there", entry.name, size);
  if (text_of(header.subspan(kLocalBytes, name_size)) != entry.name)
    refuse(where, "the header of '{}' names another entry", entry.name);
  const auto claimed = number<uint32_t>(header, 18);
  const bool sizes_follow = (number<uint16_t>(header, 6) & kSizesFollow) != 0;
  if (!sizes_follow && claimed != kFull32 && claimed != size)
    refuse(where, "the header of '{}' claims another size", entry.name);
  entry.begin = offset + skip;
  entry.end = entry.begin + size;
}

struct Placed {
  ZipEntry entry;
  uint64_t offset = 0;  // of its header
};

/// The entry at the start of `directory`, which loses it.
Placed take_entry(Bytes file, Bytes& directory, uint64_t limit, const std::string& where) {
  if (!is_record(directory, 0, kCentralBytes, kCentralHeader))
    refuse(where, "its directory ends before its last entry");
  const uint64_t name = number<uint16_t>(directory, 28), extra = number<uint16_t>(directory, 30),
                 comment = number<uint16_t>(directory, 32);
  if (name + extra + comment > directory.size() - kCentralBytes)
    refuse(where, "its directory ends within an entry");
  uint64_t packed = number<uint32_t>(directory, 20), size = number<uint32_t>(directory, 24),
           offset = number<uint32_t>(directory, 42);
  widen(directory.subspan(kCentralBytes + name, extra), size, packed, offset, where);
  ZipEntry entry{.name = text_of(directory.subspan(kCentralBytes, name)),
                 .crc = number<uint32_t>(directory, 16)};
  check_name(entry.name, where);
  entry.stored =
      number<uint16_t>(directory, 10) == 0 && (number<uint16_t>(directory, 8) & kEncrypted) == 0;
  if (entry.stored && packed != size) refuse(where, "'{}' has two sizes", entry.name);
  locate(file.first(limit), entry, offset, packed, where);
  directory = directory.subspan(kCentralBytes + name + extra + comment);
  return {std::move(entry), offset};
}

void check_apart(std::vector<Placed>& entries, const std::string& where) {
  std::ranges::sort(entries, {}, &Placed::offset);
  for (size_t i = 1; i < entries.size(); ++i)
    if (entries[i].offset < entries[i - 1].entry.end)
      refuse(where, "'{}' and '{}' share bytes", entries[i - 1].entry.name, entries[i].entry.name);
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(Bytes file, const std::string& where) {
  const Directory place = find_directory(file, where);
  Bytes directory = file.subspan(place.begin, place.end - place.begin);
  std::vector<Placed> placed;
  while (!directory.empty()) placed.push_back(take_entry(file, directory, place.begin, where));
  if (placed.size() != place.count)
    refuse(where, "its directory has {} entries where {} are due", placed.size(), place.count);
  check_apart(placed, where);
  std::vector<ZipEntry> entries;
  for (Placed& one : placed) entries.push_back(std::move(one.entry));
  std::ranges::sort(entries, {}, &ZipEntry::name);
  const auto twice = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
  if (twice != entries.end()) refuse(where, "it has two entries named '{}'", twice->name);
  return entries;
}

Bytes zip_content(Bytes file, const ZipEntry& entry, const std::string& where) {
  if (!entry.stored)
    fail(
        ErrorCode::kModel,
        "{}: '{}' is compressed, which torch.save never does. Pack the archive without compression "
        "(zip -0), or fetch the original file.",
        where, entry.name);
  return file.subspan(entry.begin, entry.end - entry.begin);
}

void check_crc(Bytes file, const ZipEntry& entry, const std::string& where) {
  if (crc32(zip_content(file, entry, where)) != entry.crc)
    refuse(where, "the checksum of '{}' does not agree with its content", entry.name);
}

}  // namespace vesalius
