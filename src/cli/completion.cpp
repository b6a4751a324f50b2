// vesalius completion SHELL: tab completion, made from the commands as they are.
#include <fmt/ranges.h>

#include <memory>

#include "cli/command.h"

namespace vesalius::cli {
namespace {

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

/// "--model --device …", "-o" included.
std::string option_words(const CLI::App& app) {
  std::string words;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_snames()) words += " -" + name;
    for (const auto& name : option->get_lnames()) words += " --" + name;
  }
  return words.empty() ? words : words.substr(1);
}

std::string names(const CLI::App& app) {
  std::string words;
  for (const CLI::App* child : children(app))
    words += (words.empty() ? "" : " ") + child->get_name();
  return words;
}

/// The commands that have commands of their own, "index", "evaluate" and so on.
std::vector<std::string> groups(const CLI::App& root) {
  std::vector<std::string> found;
  for (const CLI::App* child : children(root))
    if (!children(*child).empty()) found.push_back(child->get_name());
  return found;
}

/// Calls visit("index build", app) for every command and subcommand.
template <class Visit>
void each_command(const CLI::App& app, const std::string& prefix, const Visit& visit) {
  for (const CLI::App* child : children(app)) {
    const std::string path = prefix.empty() ? child->get_name() : prefix + " " + child->get_name();
    visit(path, *child);
    each_command(*child, path, visit);
  }
}

std::string bash(const CLI::App& root) {
  std::string cases;
  each_command(root, "", [&](const std::string& path, const CLI::App& app) {
    cases += fmt::format("    \"{}\") words=\"{}\" ;;\n", path,
                         children(app).empty() ? option_words(app) : names(app));
  });
  return fmt::format(R"sh(# bash completion of vesalius:  source <(vesalius completion bash)
_vesalius() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path="${{COMP_WORDS[1]}}" words
  [[ $COMP_CWORD -eq 1 ]] && path=""
  case "$path" in
    {}) [[ $COMP_CWORD -gt 2 ]] && path="$path ${{COMP_WORDS[2]}}" ;;
  esac
  case "$path" in
    "") words="{}" ;;
{}  esac
  if [[ $current == -* || $path == "" || $words != *--* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}}
complete -o default -F _vesalius vesalius
)sh",
                     fmt::join(groups(root), "|"), names(root), cases);
}

std::string zsh(const CLI::App& root) {
  return "#compdef vesalius\n# zsh completion of vesalius:  source <(vesalius completion zsh)\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         bash(root);
}

std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("\\'") : std::string(1, c);
  return "'" + out + "'";
}

std::string fish(const CLI::App& root) {
  std::string text =
      fmt::format(R"sh(# fish completion of vesalius:  vesalius completion fish | source
function __vesalius_is
    set -l words (commandline -opc)
    set -l path $words[2]
    contains -- "$path" {}; and set path $words[2..3]
    test "$path" = "$argv"
end
)sh",
                  fmt::join(groups(root), " "));
  const auto add = [&](const std::string& where, const std::string& what, const auto& described) {
    text += fmt::format("complete -c vesalius -n '__vesalius_is{}' {} -d {}\n", where, what,
                        quoted(described.get_description()));
  };
  for (const CLI::App* child : children(root)) add("", "-f -a " + child->get_name(), *child);
  each_command(root, "", [&](const std::string& path, const CLI::App& app) {
    for (const CLI::App* child : children(app)) add(" " + path, "-a " + child->get_name(), *child);
    for (const CLI::Option* option : app.get_options())
      for (const auto& name : option->get_lnames()) add(" " + path, "-l " + name, *option);
  });
  return text;
}

void add_completion(CLI::App& app, Session& session) {
  auto shell = std::make_shared<std::string>();
  auto* command =
      add_command(app, session,
                  {"completion",
                   "Tab completion for a shell",
                   {"source <(vesalius completion bash)",
                    "vesalius completion fish > ~/.config/fish/completions/vesalius.fish"}},
                  [shell, &app] {
                    print(*shell == "bash" ? bash(app) : *shell == "zsh" ? zsh(app) : fish(app));
                    return 0;
                  });
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
}

const Registration kCompletion{52, add_completion};

}  // namespace
}  // namespace vesalius::cli
