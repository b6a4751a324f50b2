// Tensors out of the files of torch.save (.pt, .pth, .bin, .ckpt), without Python.
#pragma once

#include <ATen/ATen.h>

#include <map>
#include <string>

#include "base/files.h"

namespace vesalius {

struct TorchFileOptions {
  /// Entry of the file's dict that holds the state dict. Empty: `state_dict` if there is one
  /// (Lightning), else the whole file.
  std::string key;
  /// Taken off every name ("model."). Names may all have it or all lack it.
  std::string prefix;
};

/// The tensors of a state dict, by name: views on the mapped file, which lives as long as any of
/// them. Read-only memory: copy before writing. Truth values, and what a careless writer left
/// unaligned, are copied.
///
/// Reads the zip format of PyTorch 1.6 and later (zip64 too). Its pickle is read as data and
/// nothing in it is ever run. One rule decides what is taken: all that the wanted state dict leads
/// to, its attributes included, must be built of OrderedDict, torch's tensors, parameters,
/// storages, sizes and dtypes, and its values must be tensors. Where the whole file is the state
/// dict, that holds for all of the file; beside a state dict that is an entry of the file
/// (Lightning's hyper-parameters, callbacks, optimizers), other objects are passed over.
///
/// Error kModel names what breaks the rule ("it asks for posix.system"), and for files that are cut
/// short, of another format, or older than PyTorch 1.6. Checksums of the tensors' data are not
/// compared: that would read the whole file.
std::map<std::string, at::Tensor> read_torch_file(const fs::path& path,
                                                  const TorchFileOptions& options = {});

}  // namespace vesalius
