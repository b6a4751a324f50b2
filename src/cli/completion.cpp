// vesalius completion SHELL: tab completion, made from the commands as they are.
#include <fmt/format.h>

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
    index|evaluate|models|train) [[ $COMP_CWORD -gt 2 ]] && path="$path ${{COMP_WORDS[2]}}" ;;
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
                     names(root), cases);
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
  std::string text = "# fish completion of vesalius:  vesalius completion fish | source\n";
  for (const CLI::App* child : children(root))
    text += fmt::format("complete -c vesalius -n __fish_use_subcommand -f -a {} -d {}\n",
                        child->get_name(), quoted(child->get_description()));
  each_command(root, "", [&](const std::string& path, const CLI::App& app) {
    const std::string last = path.substr(path.rfind(' ') + 1);  // npos + 1 is 0
    for (const CLI::App* child : children(app))
      text += fmt::format("complete -c vesalius -n '__fish_seen_subcommand_from {}' -a {} -d {}\n",
                          last, child->get_name(), quoted(child->get_description()));
    for (const CLI::Option* option : app.get_options())
      for (const auto& name : option->get_lnames())
        text +=
            fmt::format("complete -c vesalius -n '__fish_seen_subcommand_from {}' -l {} -d {}\n",
                        last, name, quoted(option->get_description()));
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
