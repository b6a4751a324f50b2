#include "tasks/report_writer.h"

#include <algorithm>
#include <chrono>

#include "tasks/report_text.h"

namespace vesalius::tasks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostFilms = 64;  // whose features are kept
constexpr double kSampleTemperature = 0.7;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<const PreparedFilm*> films_of(const ReportStudy& study, text::ReportTask task) {
  std::vector<const PreparedFilm*> films{&study.frontal};
  if (task == text::ReportTask::kPhrase) return films;
  if (study.lateral) films.push_back(&*study.lateral);
  if (study.prior) films.push_back(&*study.prior);
  return films;
}

/// Without its last `cut` bytes, between characters and, where there is one near, at a space.
std::string shortened(const std::string& text, size_t cut) {
  size_t end = cut < text.size() ? text.size() - cut : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  const auto space = text.rfind(' ', end);
  if (space != std::string::npos && end - space < 32) end = space;
  return text.substr(0, end);
}

Report begin_report(const ReportStudy& study, const ReportOptions& options) {
  Report report{.task = options.task, .frontal = study.frontal.film, .context = study.context};
  if (study.lateral) report.lateral = study.lateral->film;
  if (study.prior) report.prior = study.prior->film;
  report.context.lateral = study.lateral.has_value();
  report.context.prior = study.prior.has_value();
  if (!report.context.prior && !report.context.prior_report.empty())
    report.warnings.push_back(
        "the prior report was left out: without a prior film the published prompt has no place for "
        "it");
  for (const PreparedFilm* film : films_of(study, options.task))
    for (const std::string& warning : film->warnings)
      report.warnings.push_back(film->film.path + ": " + warning);
  if (auto unseen = unseen_of(report.frontal); !unseen.empty())
    report.warnings.push_back(std::move(unseen));
  return report;
}

/// Tells of each sentence when the text shows that it is finished.
class Announcer {
 public:
  Announcer(const ReportHooks& hooks, const text::GroundingTokens& tokens)
      : hooks_(hooks), tokens_(tokens) {}

  void see(const std::string& text, bool last) {
    if (!hooks_.on_sentence) return;
    const auto parsed = text::parse_grounded(text, tokens_);
    if (parsed.grounded) {
      for (; next_ < parsed.sentences.size() && (last || parsed.sentences[next_].complete); ++next_)
        hooks_.on_sentence(parsed.sentences[next_].text);
      return;
    }
    const auto spans = split_sentences(text);
    for (; next_ + (last ? 0 : 1) < spans.size(); ++next_)
      hooks_.on_sentence(text.substr(spans[next_].begin, spans[next_].end - spans[next_].begin));
  }

 private:
  const ReportHooks& hooks_;
  const text::GroundingTokens& tokens_;
  size_t next_ = 0;
};

/// One prompt through the model, as often as is asked.
class PromptRun {
 public:
  PromptRun(const catalog::ReportModel& model, catalog::ReportSession& session,
            const models::PromptInput& prompt, const ReportHooks& hooks)
      : model_(model), session_(session), prompt_(prompt), hooks_(hooks) {}

  /// Fills the report's text; `told` hears of sentences.
  ReportEffort write(models::GenerateOptions options, const ReportHooks& told, Report& into) const {
    const auto& tokens = model_.architecture().grounding;
    WrittenText written(model_.tokenizer());
    Announcer announcer(told, tokens);
    const auto start = Clock::now();
    auto first = start;
    options.on_prefill = [&](int64_t done, int64_t total) {
      if (told.on_prompt) told.on_prompt(done, total);
      return !stopped();
    };
    options.on_step = [&](const models::Step& step) {
      if (written.ids().empty()) first = Clock::now();
      if (std::ranges::find(options.stop, step.id) == options.stop.end())
        written.add(step.id, step.log_prob);
      announcer.see(written.text(), /*last=*/false);
      return !stopped();
    };
    const auto made = session_.generate(prompt_, options);
    announcer.see(written.text(), /*last=*/true);
    read_written(written, tokens, into);
    tell_of_end(made, options, into);
    return {.prompt_tokens = std::ssize(prompt_.ids),
            .reused = made.prefill_reused,
            .written = std::ssize(made.ids),
            .guessed = made.guessed,
            .accepted = made.accepted,
            .prompt_s = std::chrono::duration<double>(first - start).count(),
            .text_s = seconds_since(first)};
  }

  bool stopped() const { return hooks_.stop && hooks_.stop(); }

 private:
  static void tell_of_end(const models::Generated& made, const models::GenerateOptions& options,
                          Report& into) {
    into.complete = made.finished_by == models::FinishedBy::kStopToken;
    if (made.finished_by == models::FinishedBy::kLimit)
      into.warnings.push_back(
          fmt::format("the text was cut off at the limit of {} tokens (--max-new-tokens)",
                      options.max_new_tokens));
    if (made.finished_by == models::FinishedBy::kCaller)
      into.warnings.emplace_back("the text was stopped before its end");
  }

  const catalog::ReportModel& model_;
  catalog::ReportSession& session_;
  const models::PromptInput& prompt_;
  const ReportHooks& hooks_;
};

/// Further texts, drawn, and how far they agree with each sentence.
void compare_samples(const PromptRun& run, models::GenerateOptions generate,
                     const ReportOptions& options, Report& report) {
  std::vector<Report> samples;
  if (generate.sampling.temperature == 0) generate.sampling.temperature = kSampleTemperature;
  for (int64_t i = 0; i < options.samples && !run.stopped(); ++i) {
    ++generate.sampling.seed;
    samples.push_back({.task = report.task, .frontal = report.frontal});
    run.write(generate, {}, samples.back());
  }
  if (samples.empty()) return;
  for (ReportSentence& sentence : report.sentences)
    sentence.agreement = agreement(sentence, samples);
}

}  // namespace

int64_t usual_limit(text::ReportTask task) {
  switch (task) {
    case text::ReportTask::kFindings:
      return 300;
    case text::ReportTask::kGroundedFindings:
      return 450;
    case text::ReportTask::kPhrase:
      return 150;
  }
  fail(ErrorCode::kFailed, "task {} has no limit", static_cast<int>(task));
}

ReportWriter::ReportWriter(const catalog::ReportModel& model)
    : model_(model), session_(model.session()) {}

at::Tensor ReportWriter::features(const std::vector<const PreparedFilm*>& films, bool cache) {
  const auto start = Clock::now();
  if (!cache || features_.size() > kMostFilms) features_.clear();
  std::vector<at::Tensor> images;
  images.reserve(films.size());
  for (const PreparedFilm* film : films) {
    auto& known = features_[film->key];
    if (!known.defined()) known = model_.features(film->pixels.unsqueeze(0))[0];
    images.push_back(known);
  }
  effort_.features_s = seconds_since(start);
  return at::stack(images);
}

std::vector<int32_t> ReportWriter::fitted_prompt(Report& report, int64_t new_tokens) const {
  const auto& wording = model_.architecture().wording;
  const int64_t room = model_.architecture().context - new_tokens;
  auto& prior = report.context.prior_report;
  const size_t whole = prior.size();
  while (true) {
    const auto prompt = text::report_prompt(report.task, report.context, wording);
    auto ids = model_.encode(prompt);
    const int64_t beyond = std::ssize(ids) - room;
    if (beyond <= 0) {
      report.prompt = prompt.text;
      if (prior.size() < whole)
        report.warnings.push_back(
            fmt::format("the prior report was cut from {} to {} bytes: with {} images the model "
                        "reads no more",
                        whole, prior.size(), report.context.lateral ? 3 : 2));
      return ids;
    }
    const bool cuttable =
        report.context.prior && !prior.empty() && report.task != text::ReportTask::kPhrase;
    if (!cuttable)
      fail(ErrorCode::kUnsupported,
           "{}: the prompt has {} tokens and the text up to {}, but the model reads {}. Shorten "
           "what the clinician wrote, leave out a film, or lower --max-new-tokens.",
           report.frontal.path, ids.size(), new_tokens, model_.architecture().context);
    // A token stands for one byte at least, in these texts for three or four.
    prior = shortened(prior, std::max<size_t>(static_cast<size_t>(beyond), 1));
  }
}

Report ReportWriter::write(const ReportStudy& study, const ReportOptions& options,
                           const ReportHooks& hooks) {
  Report report = begin_report(study, options);
  models::GenerateOptions generate{.max_new_tokens = options.max_new_tokens > 0
                                                         ? options.max_new_tokens
                                                         : usual_limit(options.task),
                                   .stop = model_.architecture().stop,
                                   .sampling = options.sampling,
                                   .reuse_prefix = options.reuse_prefix};
  report.prompt_ids = fitted_prompt(report, generate.max_new_tokens);
  if (options.speculate && report.context.prior)
    generate.lookup = model_.tokenizer().encode(report.context.prior_report, {.special = false});
  const auto films = films_of(study, options.task);
  std::vector<uint64_t> keys;
  for (const PreparedFilm* film : films) keys.push_back(film->key);
  const auto images = features(films, options.cache_features);
  const double features_s = effort_.features_s;
  const auto prompt = model_.prompt(report.prompt_ids, images, keys);
  const PromptRun run(model_, *session_, prompt, hooks);
  effort_ = run.write(generate, hooks, report);
  effort_.features_s = features_s;
  compare_samples(run, generate, options, report);
  mark_sentences(report);
  return report;
}

}  // namespace vesalius::tasks
