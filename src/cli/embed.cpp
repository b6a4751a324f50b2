// vesalius embed: images, texts, series and studies to vectors.
#include "cli/command.h"
#include "cli/model_run.h"
#include "cli/output.h"
#include "cli/text_options.h"
#include "results/json_line.h"
#include "results/vectors.h"

namespace vesalius::cli {
namespace {

struct EmbedCommand {
  InputOptions input;
  TextOptions text;
  std::string pool = "none", pool_by;
  bool raw = false;
};

tasks::EmbedOptions embed_options(const EmbedCommand& command) {
  tasks::EmbedOptions options{.pipeline = pipeline_options(command.input),
                              .pool = tasks::parse_pool(command.pool),
                              .raw = command.raw};
  const bool pooled = options.pool != tasks::Pool::kNone;
  if (!command.pool_by.empty())
    options.pool_by = tasks::parse_pool_by(command.pool_by);
  else if (options.pool == tasks::Pool::kStudy)
    options.pool_by = tasks::PoolBy::kStudy;
  if (pooled && command.input.frames.empty())
    options.pipeline.frames = tasks::FrameChoice::parse("all");
  return options;
}

/// Gives each record to the file, to standard output as JSON, or to a reader.
class RecordOutput {
 public:
  RecordOutput(Session& session, Json provenance, bool raw)
      : session_(session), provenance_(std::move(provenance)) {
    provenance_["normalised"] = !raw;
    if (!session.common.output.empty())
      file_ = results::open_vector_file(session.common.output, provenance_);
  }

  void give(const tasks::Record& record) {
    if (file_) file_->add(record);
    if (session_.common.json)
      print(results::json_line(record.head, record.features, provenance_));
    else if (!file_)
      show(record);
    ++count_;
  }

  void finish() {
    if (!file_ || count_ == 0) return;
    file_->finish();
    session_.outputs.push_back(session_.common.output);
    remark(session_, fmt::format("Wrote {} vector{} to {}.", count_, count_ == 1 ? "" : "s",
                                 session_.common.output));
  }

 private:
  static void show(const tasks::Record& record) {
    constexpr size_t kNameWidth = 40;
    const at::Tensor features = record.features.contiguous();
    print(fmt::format("{}  {:<5}  {:>5} numbers  {}",
                      fitted(record.head["input"].get<std::string>(), kNameWidth),
                      record.head["kind"].get<std::string>(), features.numel(),
                      vector_preview(features.data_ptr<float>(), features.numel())));
  }

  Session& session_;
  Json provenance_;
  std::unique_ptr<results::VectorFile> file_;
  int64_t count_ = 0;
};

int run_embed(Session& session, const EmbedCommand& command) {
  const auto options = embed_options(command);
  const auto texts = read_texts(command.text);
  const bool images =
      !command.input.request.inputs.empty() || !command.input.request.manifest.empty();
  const auto sources =
      images || texts.empty() ? gather(command.input) : std::vector<tasks::Source>{};
  const auto run = open_model(session, !sources.empty(), !texts.empty());
  RecordOutput output(session, run.provenance, command.raw);
  for (const auto& record : tasks::embed_texts(*run.model, texts, command.raw)) output.give(record);
  Watch watch(session, "Embedding", sources.size());
  const auto tally = tasks::embed_images(
      *run.model, run.recipe, sources, options,
      [&](tasks::Record&& record) { output.give(record); },
      [&](const tasks::Embedded& embedded) { watch.saw(embedded); });
  output.finish();
  return sources.empty() ? 0 : close_run(session, tally);
}

void add_embed(CLI::App& app, Session& session) {
  auto options = std::make_shared<EmbedCommand>();
  options->input.frames.clear();
  auto* command = add_command(
      app, session,
      {"embed",
       "Vectors that mean images, texts, series or studies",
       {"vesalius embed scan.dcm --json", "vesalius embed archive/ -o archive.safetensors",
        "vesalius embed study/ --pool study -o study.jsonl",
        "vesalius embed --text 'x-ray chest anteroposterior Pneumonia' --json"}},
      [&session, options] { return run_embed(session, *options); });
  add_input_options(*command, options->input);
  command->get_option("--frames")
      ->description(
          "Of a multi-frame DICOM: middle, first, all, or a number from 0; default: middle, and "
          "all "
          "when pooling");
  add_text_options(*command, options->text);
  command
      ->add_option(
          "--pool", options->pool,
          "none, mean, median, max, std, or study (mean, deviation, minimum, quartiles and "
          "maximum in one vector)")
      ->capture_default_str();
  command->add_option(
      "--pool-by", options->pool_by,
      "What is pooled together: series, study, folder or all; default: series, and study with "
      "--pool study; images without DICOM UIDs go by folder");
  command->add_flag("--raw", options->raw, "As projected, not L2-normalised");
}

const Registration kEmbed{10, add_embed};

}  // namespace
}  // namespace vesalius::cli
