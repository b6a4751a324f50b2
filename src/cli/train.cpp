// vesalius train: what can be trained.
#include "cli/train_commands.h"

namespace vesalius::cli {
namespace {

void add_train(CLI::App& app, Session& session) {
  auto* train = add_command(app, session,
                            {"train",
                             "Train a model on your own images",
                             {"vesalius train embedding --manifest pairs.csv -o mine/",
                              "vesalius train segment --data outlined/ -o mine/"}});
  add_train_embedding(*train, session);
  add_train_segment(*train, session);
  add_train_report(*train, session);
  add_train_existence(*train, session);
}

const Registration kTrain{30, add_train};

}  // namespace
}  // namespace vesalius::cli
