#include "cli/signals.h"

#include <unistd.h>

#include <csignal>

namespace vesalius::cli {
namespace {

constexpr int kSignalBase = 128;  // how shells report death by a signal
volatile std::sig_atomic_t received = 0;

void on_signal(int number) {
  if (received != 0) ::_exit(kSignalBase + number);
  received = number;
}

}  // namespace

void watch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return received != 0; }
int signal_exit_code() { return received == 0 ? 0 : kSignalBase + received; }

}  // namespace vesalius::cli
