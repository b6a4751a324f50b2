// The commands below `vesalius train`, one file each.
#pragma once

#include "cli/command.h"

namespace vesalius::cli {

void add_train_embedding(CLI::App& train, Session& session);
void add_train_segment(CLI::App& train, Session& session);
void add_train_report(CLI::App& train, Session& session);
void add_train_existence(CLI::App& train, Session& session);

}  // namespace vesalius::cli
