// SIGINT and SIGTERM: work stops at the next item, what is finished is kept.
#pragma once

namespace vesalius::cli {

/// Installs the handlers. The second signal ends the program at once.
void watch_signals();
/// True once a signal asked the program to stop; long work asks between items.
bool stop_requested();
/// 128 + the signal's number, or 0.
int signal_exit_code();

}  // namespace vesalius::cli
