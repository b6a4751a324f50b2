// vesalius doctor: what this machine has, what is installed, what to do.
#include <unistd.h>

#include "base/version.h"
#include "catalog/catalog.h"
#include "cli/command.h"
#include "cli/machine.h"

namespace vesalius::cli {
namespace {

struct Finding {
  std::string what, value, advice;  // advice empty: all is well
};

bool has(const Json& features, const char* wanted) {
  return std::find(features.begin(), features.end(), wanted) != features.end();
}

std::string joined(const Json& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word.get<std::string>();
  return text;
}

Finding cpu_finding(const Json& machine) {
  const bool fast = has(machine["features"], "avx2") || has(machine["features"], "asimd");
  return {"CPU", machine["cpu"].get<std::string>() + " · " + joined(machine["features"]),
          fast ? "" : "Without AVX2 everything runs, slowly."};
}

Finding precision_finding(const Json& machine) {
  const bool bf16 = has(machine["features"], "avx512_bf16") ||
                    has(machine["features"], "amx_bf16") || has(machine["features"], "bf16");
  return {
      "bf16 on the CPU",
      bf16 ? "fast here: --precision bf16 is worth a try" : "slow here: fp32 is the better choice",
      ""};
}

Finding memory_finding(const Json& machine) {
  constexpr double kFull = 6;  // MedImageInsight in fp32 and room to work, GB
  const double gb = machine["memory_gb"].get<double>();
  return {"memory", fmt::format("{:.1f} GB", gb),
          gb >= kFull ? "" : "Enough for the starter; MedImageInsight in fp32 wants 6 GB."};
}

Finding cuda_finding(const Json& machine) {
  const int devices = machine["cuda_devices"].get<int>();
  return {"CUDA", devices > 0 ? fmt::format("{} device(s)", devices) : "none; the CPU is used", ""};
}

Finding home_finding() {
  const fs::path home = catalog::home();
  fs::path nearest = home;  // the folder may not be there yet
  while (!nearest.empty() && !fs::exists(nearest) && nearest != nearest.parent_path())
    nearest = nearest.parent_path();
  const bool writable = ::access(nearest.c_str(), W_OK) == 0;
  return {"home", home.string(),
          writable ? "" : "It cannot be written: set VESALIUS_HOME to a folder of yours."};
}

Finding catalog_finding() {
  const fs::path folder = catalog::catalog_folder();
  return {"catalog", folder.string(),
          fs::exists(folder)
              ? ""
              : "It is not there: set VESALIUS_CATALOG to the program's catalog folder."};
}

Finding models_finding() {
  std::string installed;
  for (const auto& card : catalog::list_cards())
    if (!card.folder.empty()) installed += (installed.empty() ? "" : ", ") + card.name;
  if (installed.empty())
    return {"models", "none installed",
            "`vesalius models add medimageinsight --from FOLDER` takes the published package; "
            "scripts/try brings "
            "the starter."};
  return {"models", installed, ""};
}

int run_doctor(const Session& session) {
  const Json machine = machine_facts();
  const std::vector<Finding> findings{
      {"program",
       std::string("vesalius ") + version() + " · LibTorch " +
           machine["libtorch"].get<std::string>(),
       ""},
      cpu_finding(machine),
      {"cores",
       fmt::format("{} · {} threads for the model", machine["cores"].get<int>(),
                   machine["threads"].get<int>()),
       ""},
      memory_finding(machine),
      precision_finding(machine),
      cuda_finding(machine),
      home_finding(),
      catalog_finding(),
      models_finding()};
  if (session.common.json) {
    Json report = {{"version", version()}, {"machine", machine}, {"findings", Json::array()}};
    for (const auto& f : findings)
      report["findings"].push_back({{"what", f.what}, {"value", f.value}, {"advice", f.advice}});
    report["research_use_only"] = true;
    print(dump_json(report));
    return 0;
  }
  bool well = true;
  for (const auto& f : findings) {
    print(fmt::format("{} {:<16} {}", f.advice.empty() ? "ok  " : "look", f.what, f.value));
    if (!f.advice.empty()) print(fmt::format("     {:<16} {}", "", f.advice));
    well = well && f.advice.empty();
  }
  print(well ? "All is well." : "See the lines marked `look`.");
  return 0;
}

void add_doctor(CLI::App& app, Session& session) {
  add_command(app, session,
              {"doctor",
               "What this machine has, what is installed, and what to do about the rest",
               {"vesalius doctor", "vesalius doctor --json"}},
              [&session] { return run_doctor(session); });
}

const Registration kDoctor{50, add_doctor};

}  // namespace
}  // namespace vesalius::cli
