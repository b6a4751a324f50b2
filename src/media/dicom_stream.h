// From bytes to DCMTK's data set, without trusting the bytes.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/files.h"

namespace vesalius::media {

/// A parsed data set and the transfer syntax its pixels are in.
struct ParsedDicom {
  std::unique_ptr<DcmFileFormat> file;
  E_TransferSyntax syntax = EXS_Unknown;  // as DCMTK knows it: how the data set is written
  std::string syntax_uid;                 // as the file names it
  std::string damage;  // what DCMTK complained of, when it stopped before the end
  DcmDataset& data() const { return *file->getDataset(); }
};

/// How much of a data set is wanted: all, or what stands before the pixel data.
enum class Extent { kAll, kHeader };

/// Error kUnsupported when nothing of it makes sense. Nested sequences deeper than any real
/// object's end the parsing, since DCMTK would follow them until the stack is used up.
ParsedDicom parse_dicom(Bytes bytes, const std::string& where, Extent extent = Extent::kAll);

/// SOP class that the meta information names; empty when there is none. Looks at nothing else.
std::string meta_sop_class(Bytes bytes);

/// High-throughput JPEG 2000, in its three transfer syntaxes.
bool is_htj2k(std::string_view syntax_uid);

}  // namespace vesalius::media
