#include "tasks/pipeline.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <numeric>
#include <thread>

#include "media/dicom.h"
#include "media/walk.h"
#include "tasks/prefetch.h"

namespace vesalius::tasks {
namespace {

constexpr size_t kProblemsKept = 100;

/// An Embedded before the model, with its pixels.
struct Waiting {
  Embedded embedded;
  recipes::Prepared pixels;
};

Json dicom_identity(const media::DicomInfo& info) {
  Json identity = Json::object();
  const auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) identity[key] = value;
  };
  put("sop_instance_uid", info.sop_instance_uid);
  put("series_instance_uid", info.series_instance_uid);
  put("study_instance_uid", info.study_instance_uid);
  put("modality", info.modality);
  return identity;
}

/// Prepares the frames of one source and emits each; problems are emitted too.
class Preparer {
 public:
  using Emit = Prefetch<Waiting>::Emit;
  Preparer(const recipes::Recipe& recipe, const recipes::ModelInput& input, FrameChoice frames)
      : recipe_(recipe), input_(input), frames_(frames) {}

  void operator()(const Source& source, const Emit& emit) const {
    try {
      if (!source.problem.empty()) fail(ErrorCode::kUnsupported, "{}", source.problem);
      const auto file = MappedFile::open(source.file);
      if (source.found && !media::may_be_image(file->bytes()))
        emit({.embedded = {.source = source, .skipped = true}});
      else if (media::looks_like_dicom(file->bytes()))
        prepare_dicom(source, file->bytes(), emit);
      else
        emit(prepare_frame(source, Json::object(), file->bytes(), 0));
    } catch (const std::exception& problem) {
      emit({.embedded = failed(source, problem)});
    }
  }

 private:
  void prepare_dicom(const Source& source, Bytes bytes, const Emit& emit) const {
    const auto file = media::DicomFile::parse(bytes, source.input);
    const auto& info = file.info();
    for (const int frame : frames_.of(info.frames, source.input)) {
      Json identity = dicom_identity(info);
      if (info.frames > 1) identity["frame"] = frame;
      if (info.frames > 1) identity["frames"] = info.frames;
      if (!emit(prepare_frame(source, std::move(identity), file, frame))) return;
    }
  }

  /// `content` is the bytes of a file, or a DICOM file that is parsed already.
  template <class Content>
  Waiting prepare_frame(const Source& source, Json identity, const Content& content,
                        int frame) const {
    Waiting waiting{.embedded = {.source = source, .identity = std::move(identity)}};
    try {
      waiting.pixels = recipes::prepare(recipe_, input_, content, source.input, frame);
      waiting.embedded.warnings = waiting.pixels.warnings;
    } catch (const std::exception& problem) {
      waiting.embedded.problem = failed(source, problem).problem;
    }
    return waiting;
  }

  static Embedded failed(const Source& source, const std::exception& problem) {
    Embedded embedded{.source = source};
    if (const auto* known = dynamic_cast<const Error*>(&problem))
      embedded.problem = *known;
    else
      embedded.problem = Error(ErrorCode::kFailed, source.input + ": " + problem.what());
    return embedded;
  }

  const recipes::Recipe& recipe_;
  recipes::ModelInput input_;
  FrameChoice frames_;
};

/// Collects what waits for the model, runs it in batches, hands all on in order.
class Batcher {
 public:
  Batcher(const catalog::EmbeddingModel& model, int64_t size,
          const std::function<void(Embedded&&)>& sink)
      : model_(model), input_(model.input()), size_(size), sink_(sink) {
    pixels_ = at::empty({size_, 3, input_.size, input_.size}, at::kFloat);
  }

  void add(Waiting&& waiting) {
    const bool has_pixels = !waiting.pixels.rgb.empty();
    if (has_pixels)
      recipes::normalise(waiting.pixels, input_,
                         pixels_.data_ptr<float>() + count_++ * pixels_.stride(0));
    queue_.push_back({std::move(waiting.embedded), has_pixels});
    if (count_ == size_ || count_ == 0) flush();
  }

  void flush() {
    const at::Tensor features =
        count_ > 0 ? model_.embed_images(pixels_.narrow(0, 0, count_)) : at::Tensor();
    int64_t row = 0;
    for (auto& [embedded, has_pixels] : queue_) {
      if (has_pixels) give(embedded, features[row++]);
      sink_(std::move(embedded));
    }
    queue_.clear();
    count_ = 0;
  }

 private:
  static void give(Embedded& embedded, const at::Tensor& features) {
    if (at::isfinite(features).all().item<bool>())
      embedded.features = features;
    else
      embedded.problem = Error(ErrorCode::kFailed,
                               embedded.source.input +
                                   ": the model's answer is not a finite number. Try --precision "
                                   "fp32; if that does not help, the weights are damaged "
                                   "(`vesalius models verify`).");
  }

  const catalog::EmbeddingModel& model_;
  const recipes::ModelInput input_;
  const int64_t size_;
  const std::function<void(Embedded&&)>& sink_;
  at::Tensor pixels_;  // [size, 3, S, S], reused
  int64_t count_ = 0;
  std::vector<std::pair<Embedded, bool>> queue_;
};

}  // namespace

FrameChoice FrameChoice::parse(const std::string& text) {
  if (text == "middle") return {Kind::kMiddle, 0};
  if (text == "all") return {Kind::kAll, 0};
  if (text == "first") return {Kind::kOne, 0};
  FrameChoice choice{Kind::kOne, 0};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), choice.index);
  if (problem != std::errc() || end != text.data() + text.size() || choice.index < 0)
    fail(ErrorCode::kUsage, "--frames takes middle, all, first or a number from 0, not '{}'.",
         text);
  return choice;
}

std::vector<int> FrameChoice::of(int frames, const std::string& where) const {
  if (kind == Kind::kMiddle) return {frames / 2};
  if (kind == Kind::kOne && index >= frames)
    fail(ErrorCode::kUnsupported, "{}: has {} frames; there is no frame {} (they count from 0).",
         where, frames, index);
  if (kind == Kind::kOne) return {index};
  std::vector<int> all(static_cast<size_t>(std::max(frames, 0)));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

void Tally::add(const Embedded& embedded) {
  if (embedded.skipped) {
    ++skipped;
  } else if (!embedded.problem) {
    ++done;
  } else {
    if (failed++ == 0) first = embedded.problem->code();
    if (problems.size() < kProblemsKept) problems.emplace_back(embedded.problem->what());
  }
}

int Tally::exit_code() const {
  if (failed == 0) return 0;
  return static_cast<int>(done > 0 ? ErrorCode::kSomeFailed : first);
}

Json Tally::to_json() const {
  return {{"done", done}, {"failed", failed}, {"skipped", skipped}, {"problems", problems}};
}

int64_t default_batch(const catalog::EmbeddingModel& model) {
  // Large inputs fill the cores one by one, and each costs hundreds of megabytes on its way.
  constexpr int kLarge = 384;
  const bool large = model.input().size >= kLarge;
  if (model.device() != "cpu") return large ? 16 : 64;
  return large ? 2 : 16;
}

void embed_sources(const catalog::EmbeddingModel& model, const recipes::Recipe& recipe,
                   const std::vector<Source>& sources, const PipelineOptions& options,
                   const std::function<void(Embedded&&)>& sink) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int workers = options.workers > 0 ? options.workers : cores;
  const auto count = static_cast<int64_t>(sources.size());
  const int64_t batch = options.batch > 0 ? options.batch : default_batch(model);
  const Preparer prepare(recipe, model.input(), options.frames);
  Batcher batcher(model, batch, sink);
  Prefetch<Waiting> ahead(
      count,
      [&](int64_t i, const Preparer::Emit& emit) {
        prepare(sources[static_cast<size_t>(i)], emit);
      },
      workers, workers + batch);
  while (auto waiting = ahead.next()) {
    batcher.add(std::move(*waiting));
    if (options.stop && options.stop()) break;
  }
  batcher.flush();
}

}  // namespace vesalius::tasks
