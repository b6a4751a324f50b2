#include "text/report_prompt.h"

#include <array>
#include <utility>

#include "base/error.h"

namespace vesalius::text {

namespace {

constexpr std::array<std::pair<std::string_view, ReportTask>, 3> kTasks{
    {{"findings", ReportTask::kFindings},
     {"grounded", ReportTask::kGroundedFindings},
     {"phrase", ReportTask::kPhrase}}};

struct Slot {
  std::string_view name, text;
  bool users;
};

/// Puts templates behind each other, and what their slots stand for into them.
class Writer {
 public:
  Writer(const ReportContext& context, const ReportWording& wording)
      : slots_{{{"{image}", wording.image, false},
                section("{indication}", context.indication, wording),
                section("{technique}", context.technique, wording),
                section("{comparison}", context.comparison, wording),
                section("{prior_report}", context.prior_report, wording),
                {"{phrase}", context.phrase, true}}} {}

  Writer& operator<<(std::string_view pattern) {
    while (!pattern.empty()) {
      const Slot* slot = slot_at(pattern);
      const size_t length = slot ? slot->name.size() : 1;
      put(slot ? *slot : Slot{"", pattern.substr(0, 1), false});
      pattern.remove_prefix(length);
    }
    return *this;
  }
  ReportPrompt take() { return std::move(prompt_); }

 private:
  static Slot section(std::string_view name, const std::string& text,
                      const ReportWording& wording) {
    return text.empty() ? Slot{name, wording.absent, false} : Slot{name, text, true};
  }
  const Slot* slot_at(std::string_view pattern) const {
    for (const Slot& slot : slots_)
      if (pattern.starts_with(slot.name)) return &slot;
    return nullptr;
  }
  void put(const Slot& slot) {
    const size_t begin = prompt_.text.size();
    prompt_.text += slot.text;
    if (slot.users && !slot.text.empty()) prompt_.users.push_back({begin, prompt_.text.size()});
  }

  std::array<Slot, 6> slots_;
  ReportPrompt prompt_;
};

void write_images(Writer& writer, const ReportContext& context, const ReportWording& wording) {
  if (!context.lateral && !context.prior) {
    writer << wording.frontal_only;
    return;
  }
  writer << wording.frontal;
  if (context.lateral) writer << (context.prior ? wording.lateral_before_prior : wording.lateral);
  if (context.prior) writer << wording.prior;
}

}  // namespace

ReportTask parse_report_task(std::string_view word) {
  for (const auto& [name, task] : kTasks)
    if (name == word) return task;
  fail(ErrorCode::kUsage, "there is no report task '{}'; choose findings, grounded or phrase",
       word);
}

std::string_view name_of(ReportTask task) {
  for (const auto& [name, each] : kTasks)
    if (each == task) return name;
  return {};
}

ReportWording ReportWording::maira2() {
  const std::string first =
      " Provide a structured description of the findings in the radiology study in comparison to "
      "the prior frontal image.";
  const std::string sections =
      " INDICATION: {indication} TECHNIQUE: {technique} COMPARISON: {comparison}";
  ReportWording wording;
  wording.system =
      "You are an expert radiology assistant tasked with interpreting a chest X-ray study.  ";
  wording.user = "USER:  ";
  wording.assistant = "ASSISTANT: ";
  wording.turn_end = "  ";
  wording.frontal_only = "Given the current frontal image only{image}";
  wording.frontal = "Given the current frontal image{image}";
  wording.lateral = " and the current lateral image{image}";
  wording.lateral_before_prior = " the current lateral image{image}";
  wording.prior = " and the prior frontal image{image} PRIOR_REPORT: {prior_report}";
  wording.findings = first + sections;
  wording.grounded =
      first +
      " Each finding should be described as a self-contained plain-text sentence. If the finding "
      "is groundable, locate the finding in the current frontal chest X-ray image, with bounding "
      "boxes indicating all locations where it can be seen in the current frontal image. "
      "Otherwise, generate just the ungrounded finding without bounding boxes." +
      sections;
  wording.phrase =
      " Repeat the following finding as a grounded phrase with bounding boxes indicating all "
      "locations where it can be seen in the given chest X-ray image. Finding: {phrase}";
  return wording;
}

ReportPrompt report_prompt(ReportTask task, const ReportContext& context,
                           const ReportWording& wording) {
  Writer writer(context, wording);
  writer << wording.system << wording.user;
  if (task == ReportTask::kPhrase) {
    writer << wording.frontal << wording.phrase;
  } else {
    write_images(writer, context, wording);
    writer << (task == ReportTask::kFindings ? wording.findings : wording.grounded);
  }
  writer << wording.turn_end << wording.assistant;
  return writer.take();
}

}  // namespace vesalius::text
