#include "cli/program.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  vesalius::cli::watch_signals();
  return vesalius::cli::run_program({argv + 1, argv + argc});
}
