#include "eigengrad/train/seal.h"

#include <cstdint>

#include "eigengrad/core/file.h"

namespace eigengrad::train {

using config::Value;

Value seal_of(const io::Written& written) {
  Value seal = Value::object();
  seal.set("bytes", static_cast<std::int64_t>(written.bytes));
  seal.set("xxh3_128", written.checksum);
  return seal;
}

Value seal_of_file(const std::string& file) { return seal_of({RegularFile(file).size(), io::checksum_of_file(file)}); }

}  // namespace eigengrad::train
