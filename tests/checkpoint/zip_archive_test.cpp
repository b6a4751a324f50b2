#include "checkpoint/zip_archive.h"

#include <gtest/gtest.h>

#include "checkpoint/checkpoint_files.h"
#include "checkpoint/crc32.h"
#include "checkpoint/zip_writer.h"

using namespace vesalius;

namespace {

using namespace std::string_literals;

TEST(Crc32, GivesTheStandardsCheckValue) {
  const std::string text = "123456789";
  EXPECT_EQ(crc32(bytes_of(text)), 0xCBF43926U);
  EXPECT_EQ(crc32(bytes_of("")), 0U);
  const std::string longer = "The quick brown fox jumps over the lazy dog";
  EXPECT_EQ(crc32(bytes_of(longer)), 0x414FA339U);
  for (size_t cut = 0; cut <= longer.size(); ++cut)
    EXPECT_EQ(crc32(bytes_of(longer.substr(cut)), crc32(bytes_of(longer.substr(0, cut)))),
              0x414FA339U);
}

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

TEST(ZipArchive, ReadsWhatIsSound) {
  const Sound zip = sound_zip();
  const auto entries = read_zip_directory(bytes_of(zip.file), "f.pt");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].name, "a/one");
  EXPECT_EQ(zip.file.substr(entries[0].begin, 5), "11111");
  EXPECT_EQ(entries[0].begin % 64, 0U);
  EXPECT_EQ(entries[1].end - entries[1].begin, 2U);
  for (const auto& entry : entries) check_crc(bytes_of(zip.file), entry, "f.pt");
  const std::string commented = std::string(zip.file).replace(zip.end + 20, 2, "\x05\0"s) + "hello";
  EXPECT_EQ(read_zip_directory(bytes_of(commented), "f.pt").size(), 2U);
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

TEST(ZipArchive, RefusesHostileFiles) {
  for (const HostileZip& hostile : kHostileZips) {
    Sound zip = sound_zip();
    hostile.spoil(zip);
    const auto message =
        refusal("bad.pt", [&] { read_zip_directory(bytes_of(zip.file), "bad.pt"); });
    EXPECT_NE(message.find(hostile.says), std::string::npos) << hostile.what << ": " << message;
  }
}

TEST(ZipArchive, CompressedEntriesCanBeListedNotRead) {
  for (const auto& [offset, value] : {std::pair<size_t, uint16_t>{10, 8}, {8, 0x0809}}) {
    Sound zip = sound_zip();
    put(zip.file, zip.directory + offset, value);
    const auto entries = read_zip_directory(bytes_of(zip.file), "f.pt");
    EXPECT_NE(refusal("f.pt", [&] { zip_content(bytes_of(zip.file), entries[0], "f.pt"); })
                  .find("'a/one' is compressed"),
              std::string::npos);
    EXPECT_EQ(zip_content(bytes_of(zip.file), entries[1], "f.pt").size(), 2U);
  }
}

TEST(ZipArchive, AFlippedBitFailsTheChecksum) {
  Sound zip = sound_zip();
  const auto entries = read_zip_directory(bytes_of(zip.file), "f.pt");
  zip.file[entries[0].begin] ^= 1;
  const auto message = refusal("f.pt", [&] { check_crc(bytes_of(zip.file), entries[0], "f.pt"); });
  EXPECT_NE(message.find("checksum of 'a/one'"), std::string::npos) << message;
}

}  // namespace
