#include "tasks/index_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "tasks/embed.h"

namespace vesalius::tasks {
namespace {

/// An advisory lock on FOLDER/lock, let go with the object or the process.
class Lock {
 public:
  explicit Lock(const fs::path& folder) {
    fd_ = ::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0)
      fail(ErrorCode::kFailed, "{}: cannot be written. Check its permissions.", folder.string());
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(fd_);
    fail(ErrorCode::kFailed,
         "{}: another program is adding to this index. Wait until it has finished.",
         folder.string());
  }
  ~Lock() { ::close(fd_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int fd_;
};

void check_place(const fs::path& folder, bool replace) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored)) return;
  if (!fs::is_directory(folder, ignored))
    fail(ErrorCode::kUsage, "{}: is a file; an index is a folder of its own.", folder.string());
  if (fs::exists(folder / kIndexHeaderFile, ignored)) {
    if (replace) return;
    fail(ErrorCode::kUsage,
         "{}: is an index already. `vesalius index add` grows it; --replace builds it anew.",
         folder.string());
  }
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name != "lock" && !name.starts_with(".") && !name.starts_with("vectors-") &&
        !name.starts_with("entries-"))
      fail(ErrorCode::kUsage, "{}: holds other files; an index is a folder of its own.",
           folder.string());
  }
}

std::string checksum(const fs::path& file) { return sha256(MappedFile::open(file)->bytes()); }

}  // namespace

struct IndexWriter::State {
  State(fs::path to, IndexHeader old, int64_t number, bool replace)
      : folder(std::move(to)),
        lock(folder),
        header(std::move(old)),
        vectors_name(fmt::format("vectors-{:06}.f32", number)),
        entries_name(fmt::format("entries-{:06}.jsonl", number)),
        vectors(folder / vectors_name),
        entries(folder / entries_name),
        replaces(replace) {}
  fs::path folder;
  Lock lock;
  IndexHeader header;
  std::string vectors_name, entries_name;
  FileWriter vectors, entries;
  int64_t added = 0;
  bool replaces;
};

IndexWriter::IndexWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
IndexWriter::IndexWriter(IndexWriter&&) noexcept = default;
IndexWriter::~IndexWriter() = default;

namespace {

/// The number behind the last segment's; a name that an index.json holds is never written again.
int64_t next_number(const IndexHeader& header) {
  int64_t next = 1;
  for (const auto& segment : header.segments) {
    int64_t number = 0;
    if (std::sscanf(segment.vectors.c_str(), "vectors-%ld.f32", &number) == 1)
      next = std::max(next, number + 1);
  }
  return next;
}

IndexHeader read_header(const fs::path& folder) {
  const fs::path file = folder / kIndexHeaderFile;
  if (!fs::exists(file))
    fail(ErrorCode::kUnsupported,
         "{}: is not an index. `vesalius index build INPUT -o {}` makes one.", folder.string(),
         folder.string());
  return IndexHeader::parse(read_text(file), file.string());
}

}  // namespace

IndexWriter IndexWriter::create(const fs::path& folder, const IndexOrigin& origin,
                                int64_t dimension, bool replace) {
  check_place(folder, replace);
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    fail(ErrorCode::kFailed, "{}: cannot be made ({}). Choose another place with -o.",
         folder.string(), problem.message());
  int64_t number = 1;
  if (fs::exists(folder / kIndexHeaderFile)) {
    try {
      number = next_number(read_header(folder));
    } catch (const Error&) {
      number = 1;  // a damaged index may be replaced
    }
  }
  IndexHeader header{origin, dimension, 0, {}};
  return IndexWriter(std::make_unique<State>(folder, std::move(header), number, replace));
}

IndexWriter IndexWriter::append(const fs::path& folder, const IndexOrigin& origin,
                                int64_t dimension) {
  IndexHeader header = read_header(folder);
  header.origin.check_fits(origin, folder.string());
  if (header.dimension != dimension)
    fail(ErrorCode::kModel, "{}: holds vectors of {} numbers; these have {}.", folder.string(),
         header.dimension, dimension);
  const int64_t number = next_number(header);
  auto state = std::make_unique<State>(folder, std::move(header), number, false);
  state->header = read_header(folder);  // under the lock: somebody may have added since
  if (next_number(state->header) != number)
    fail(ErrorCode::kFailed, "{}: another program has just added to this index. Try again.",
         folder.string());
  return IndexWriter(std::move(state));
}

void IndexWriter::add(const at::Tensor& features, const Json& entry) {
  if (features.numel() != state_->header.dimension)
    fail(ErrorCode::kModel, "{}: holds vectors of {} numbers; this one has {}.",
         state_->folder.string(), state_->header.dimension, features.numel());
  const at::Tensor row = unit_rows(features.reshape({-1}).to(at::kFloat)).contiguous();
  state_->vectors.write(row.data_ptr<float>(), static_cast<size_t>(row.numel()) * sizeof(float));
  state_->entries.write(dump_json(entry) + "\n");
  ++state_->added;
}

int64_t IndexWriter::added() const { return state_->added; }

void IndexWriter::commit() {
  State& s = *state_;
  if (s.added > 0) {
    s.vectors.commit();
    s.entries.commit();
    s.header.segments.push_back({s.vectors_name, s.entries_name,
                                 checksum(s.folder / s.vectors_name),
                                 checksum(s.folder / s.entries_name), s.added});
    s.header.count += s.added;
  }
  write_file(s.folder / kIndexHeaderFile, dump_json(s.header.to_json(), 2) + "\n");
  if (!s.replaces) return;
  for (const auto& entry :
       fs::directory_iterator(s.folder)) {  // what the replaced index.json named
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with("vectors-") || name.starts_with("entries-");
    std::error_code ignored;
    if (ours && name != s.vectors_name && name != s.entries_name) fs::remove(entry.path(), ignored);
  }
}

}  // namespace vesalius::tasks
