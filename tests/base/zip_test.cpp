#include "base/zip.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/archive_files.h"
#include "base/deflate.h"
#include "base/zip_writer.h"

using namespace vesalius;

namespace {

using namespace std::string_literals;

const Origin kOrigin{"f.pt", ErrorCode::kModel};

// Two entries as ZipWriter lays them out, and where the fields stand that the tests spoil.
struct Sound {
  std::string file;
  size_t first = 0, second = 0;          // headers
  size_t directory = 0, directory2 = 0;  // their entries in the directory
  size_t end64 = 0, locator = 0, end = 0;
};

Sound sound_zip() {
  const auto path = scratch("sound.zip");
  ZipWriter zip(path);
  zip.add("a/one", "11111");
  zip.add("a/two", "22");
  zip.commit();
  Sound zipped{.file = content_of(path)};
  const std::string& file = zipped.file;
  zipped.second = file.rfind("PK\x03\x04"s);
  zipped.directory = file.find("PK\x01\x02"s);
  zipped.directory2 = file.rfind("PK\x01\x02"s);
  zipped.end64 = file.rfind("PK\x06\x06"s);
  zipped.locator = file.rfind("PK\x06\x07"s);
  zipped.end = file.rfind("PK\x05\x06"s);
  return zipped;
}

TEST(Zip, ReadsWhatIsSound) {
  const Sound zip = sound_zip();
  const auto entries = read_zip(bytes_of(zip.file), kOrigin);
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "a/one");
  EXPECT_EQ(text_of(entries[0].packed), "11111");
  EXPECT_EQ((entries[0].packed.data() - bytes_of(zip.file).data()) % 64, 0);
  EXPECT_EQ(entries[1].packed.size(), 2U);
  for (const auto& entry : entries) check_crc(entry, entry.packed, kOrigin);
  EXPECT_EQ(text_of(unpack(entries[1], kOrigin)), "22");
  const std::string commented = std::string(zip.file).replace(zip.end + 20, 2, "\x05\0"s) + "hello";
  EXPECT_EQ(read_zip(bytes_of(commented), kOrigin).size(), 2U);
}

struct HostileZip {
  const char* what;
  std::function<void(Sound&)> spoil;
  const char* says;
};

template <class T>
HostileZip field(const char* what, size_t Sound::*record, size_t offset, T value,
                 const char* says) {
  return {what, [=](Sound& zip) { put(zip.file, zip.*record + offset, value); }, says};
}

constexpr auto kHuge = uint64_t{1} << 63;

const std::vector<HostileZip> kHostileZips{
    {"nothing", [](Sound& z) { z.file.clear(); }, "cut short"},
    {"half", [](Sound& z) { z.file.resize(z.file.size() / 2); }, "cut short"},
    {"a byte too few", [](Sound& z) { z.file.pop_back(); }, "cut short"},
    {"bytes behind the end", [](Sound& z) { z.file += "xyz"; }, "cut short"},
    {"bytes missing in the middle", [](Sound& z) { z.file.erase(100, 1); }, "64-bit end record"},
    field("64-bit end record elsewhere", &Sound::locator, 8, kHuge, "64-bit end record is missing"),
    field("64-bit end record at the very end", &Sound::locator, 8, ~uint64_t{0}, "is missing"),
    field("counts differ", &Sound::end64, 32, uint64_t{3}, "disagree"),
    field("old count differs", &Sound::end, 10, uint16_t{1}, "disagree"),
    field("directories differ", &Sound::end64, 48, uint64_t{0}, "disagree"),
    field("directory sizes differ", &Sound::end64, 40, kHuge, "disagree"),
    {"directory past the end",
     [](Sound& z) {
       put(z.file, z.end + 16, ~uint32_t{0});
       put(z.file, z.end64 + 48, kHuge);
     },
     "its directory claims"},
    {"directory of 2^64 bytes",
     [](Sound& z) {
       put(z.file, z.end + 12, ~uint32_t{0});
       put(z.file, z.end64 + 40, ~uint64_t{0});
     },
     "its directory claims"},
    {"more entries than there are",
     [](Sound& z) {
       put(z.file, z.end + 10, uint16_t{0xFFFF});
       put(z.file, z.end64 + 32, kHuge);
     },
     "has 2 entries where"},
    field("directory has another record", &Sound::directory2, 0, uint32_t{0}, "ends before"),
    field("name past the directory", &Sound::directory2, 28, uint16_t{999}, "within an entry"),
    field("empty name", &Sound::directory, 28, uint16_t{0}, "no proper name"),
    field("a control character", &Sound::directory, 48, '\0', "no proper name"),
    field("another name in the header", &Sound::first, 34, 'x', "names another entry"),
    field("header elsewhere", &Sound::directory, 42, uint32_t{1}, "is not at byte 1"),
    field("header in the directory", &Sound::directory, 42, uint32_t{300}, "is not at byte 300"),
    field("offset of 4 GB", &Sound::directory, 42, ~uint32_t{1}, "is not at byte"),
    field("64-bit offset missing", &Sound::directory, 42, ~uint32_t{0}, "is not at byte"),
    field("two sizes", &Sound::directory, 20, uint32_t{4}, "two sizes"),
    field("header's name too long", &Sound::second, 26, uint16_t{0xFFFF}, "more than are there"),
    field("header's extra too long", &Sound::second, 28, uint16_t{0xFFFF}, "more than are there"),
    {"content past the directory",
     [](Sound& z) {
       put(z.file, z.directory + 20, uint32_t{1000});
       put(z.file, z.directory + 24, uint32_t{1000});
     },
     "'a/one' claims 1000 bytes"},
    {"content over the next entry",
     [](Sound& z) {
       put(z.file, z.directory + 20, uint32_t{60});
       put(z.file, z.directory + 24, uint32_t{60});
     },
     "'a/one' and 'a/two' share bytes"},
    {"size in the header differs",
     [](Sound& z) {
       put(z.file, z.first + 6, uint16_t{0});
       put(z.file, z.first + 18, uint32_t{6});
     },
     "claims another size"},
    {"two entries at one place",
     [](Sound& z) {
       put(z.file, z.directory2 + 42, uint32_t{0});
       z.file.replace(z.directory2 + 46, 5, "a/one");
     },
     "share bytes"},
    {"one name twice",
     [](Sound& z) {
       z.file.replace(z.directory2 + 46, 5, "a/one");
       z.file.replace(z.second + 30, 5, "a/one");
     },
     "two entries named 'a/one'"},
};

TEST(Zip, RefusesHostileFiles) {
  for (const HostileZip& hostile : kHostileZips) {
    Sound zip = sound_zip();
    hostile.spoil(zip);
    const auto message = refusal("f.pt", [&] { read_zip(bytes_of(zip.file), kOrigin); });
    EXPECT_NE(message.find(hostile.says), std::string::npos) << hostile.what << ": " << message;
  }
}

TEST(Zip, EncryptedAndOddlyCompressedEntriesAreListedNotRead) {
  for (const auto& [offset, value] : {std::pair<size_t, uint16_t>{10, 12}, {8, 0x0809}}) {
    Sound zip = sound_zip();
    put(zip.file, zip.directory + offset, value);
    const auto entries = read_zip(bytes_of(zip.file), kOrigin);
    EXPECT_EQ(entries[0].method, ZipMethod::kOther);
    EXPECT_NE(refusal("f.pt", [&] { unpack(entries[0], kOrigin); }).find("'a/one' is encrypted"),
              std::string::npos);
    EXPECT_EQ(unpack(entries[1], kOrigin).size(), 2U);
  }
}

TEST(Zip, AFlippedBitFailsTheChecksum) {
  Sound zip = sound_zip();
  const auto entries = read_zip(bytes_of(zip.file), kOrigin);
  zip.file[zip.file.find("11111")] ^= 1;
  const auto message = refusal("f.pt", [&] { check_crc(entries[0], entries[0].packed, kOrigin); });
  EXPECT_NE(message.find("checksum of 'a/one'"), std::string::npos) << message;
  EXPECT_EQ(refusal("f.pt", [&] { unpack(entries[0], kOrigin); }), message);
}

const std::string kText(100'000, 'x');

/// A deflated entry of 100,000 letters, and a stored one.
Sound deflated_zip() {
  ZipWriter zip(scratch("deflated.zip"));
  zip.add_deflated("a", bytes_of(kText.substr(0, 10)), bytes_of(kText.substr(10)));
  zip.add("b", "22");
  zip.commit();
  Sound zipped{.file = content_of(scratch("deflated.zip"))};
  zipped.directory = zipped.file.find("PK\x01\x02"s);
  return zipped;
}

TEST(Zip, DeflatedEntriesAreUnpacked) {
  const Sound zip = deflated_zip();
  const auto entries = read_zip(bytes_of(zip.file), kOrigin);
  EXPECT_EQ(entries[0].method, ZipMethod::kDeflated);
  EXPECT_EQ(entries[0].size, kText.size());
  EXPECT_LT(entries[0].packed.size(), 1000U);
  EXPECT_EQ(text_of(unpack(entries[0], kOrigin)), kText);
  EXPECT_EQ(text_of(unpack(entries[1], kOrigin)), "22");
}

/// Why the deflated entry is not read, once its size in the directory is this one.
std::string refused_size(uint32_t size, uint64_t most = uint64_t{1} << 34) {
  Sound zip = deflated_zip();
  put(zip.file, zip.directory + 24, size);
  const auto entries = read_zip(bytes_of(zip.file), kOrigin);
  return refusal("f.pt", [&] { unpack(entries[0], kOrigin, most); });
}

// Readers that go from header to header and never see the directory need them there.
TEST(Zip, HeadersOfDeflatedEntriesTellTheirSizes) {
  const auto path = scratch("told.zip");
  ZipWriter zip(path);
  zip.add_deflated("one", bytes_of("11111"), bytes_of("111"));
  zip.commit();
  const std::string file = content_of(path);
  const auto entry = read_zip(bytes_of(file), kOrigin).at(0);
  const auto field = [&](size_t at) {
    uint32_t value = 0;
    std::memcpy(&value, file.data() + at, sizeof value);
    return value;
  };
  EXPECT_EQ(field(14), entry.crc);
  EXPECT_EQ(field(18), entry.packed.size());
  EXPECT_EQ(field(22), 8U);
  EXPECT_EQ(field(6) & 8U, 0U);
}

TEST(Zip, SizesOfDeflatedEntriesAreNotBelieved) {
  EXPECT_NE(refused_size(99'999).find("another size"), std::string::npos);
  EXPECT_NE(refused_size(100'001).find("another size"), std::string::npos);
  EXPECT_NE(refused_size(~uint32_t{1}).find("claims 4294967294 bytes"), std::string::npos);
  EXPECT_NE(refused_size(100'000, 99'999).find("claims 100000 bytes"), std::string::npos);
}

TEST(Zip, DamagedDeflateIsRefused) {
  Sound zip = deflated_zip();
  const auto entries = read_zip(bytes_of(zip.file), kOrigin);
  const auto at = static_cast<size_t>(entries[0].packed.data() - bytes_of(zip.file).data());
  const std::string sound = zip.file;
  zip.file[at] = '\xff';
  EXPECT_NE(refusal("f.pt", [&] { unpack(entries[0], kOrigin); }).find("is damaged"),
            std::string::npos);
  zip.file = sound;
  zip.file[zip.directory + 16] ^= 1;  // the checksum
  const auto changed = read_zip(bytes_of(zip.file), kOrigin);
  EXPECT_NE(refusal("f.pt", [&] { unpack(changed[0], kOrigin); }).find("checksum of 'a'"),
            std::string::npos);
}

TEST(Zip, EveryCutIsRefused) {
  const Sound zip = deflated_zip();
  for (size_t size = 0; size < zip.file.size(); ++size)
    EXPECT_NE(refusal("f.pt", [&] { read_zip(bytes_of(zip.file).first(size), kOrigin); }), "taken")
        << size;
}

}  // namespace
