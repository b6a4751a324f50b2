// What the DICOM objects written here have in common.
#pragma once

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dctk.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "media/segmentation.h"
#include "results/dicom_source.h"
#include "results/uid.h"

namespace vesalius::results {

/// What made a result, as the objects say it.
struct Algorithm {
  std::string name, version;  // of the model
  std::string parameters;     // weights' hash, recipe, seed, prompts
};

void put(DcmItem& item, const DcmTagKey& tag, std::string_view text);
void put(DcmItem& item, const DcmTagKey& tag, int value);  // US, or text of a number
DcmItem& add_item(DcmItem& item, const DcmTagKey& sequence);
DcmItem& put_code(DcmItem& item, const DcmTagKey& sequence, const media::Code& code);

/// A decimal string (at most 16 characters), exact to at least ten digits.
std::string decimal(double value);
std::string decimals(const std::vector<double>& values);  // joined by backslashes

/// Text as an attribute may hold it: no control characters or backslashes, in the character set of
/// the source's text, and cut between characters so that it takes at most `max_bytes`. (The
/// standard counts characters; programs with buffers count bytes.)
std::string clean_text(std::string_view text, size_t max_bytes, const DicomSource& source);

/// A data set with the source's patient and study, a fresh series and instance, today's date, and
/// this program as the equipment.
void begin_object(DcmDataset& data, const DicomSource& source, const char* sop_class,
                  const char* modality, int series_number);

/// The algorithm identification macro (PS3.3 10.16).
void put_algorithm(DcmItem& item, const Algorithm& algorithm, const DicomSource& source);

void put_reference(DcmItem& item, const SourceFrame& frame);

/// Writes the object. First `reads_back` is given the file as it will stand on the disk: where it
/// says no, nothing is written, and Error kFailed says that what was written `differs`.
void write_object(DcmFileFormat& file, E_TransferSyntax syntax, const fs::path& path,
                  const std::function<bool(Bytes)>& reads_back, std::string_view differs);

}  // namespace vesalius::results
